"""Heat maps: where in a photo a model finds what speaks for a class.

Where a head is linear the map is the class-activation map (Zhou et al. 2016, arXiv:1512.04150), summed over the taps,
branches and members of the model. Behind hidden layers it is Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) without
its final ReLU: the gradient of the logit takes the place of the weights, and through ReLU layers it has a closed form.
Both are one computation, and both are complete: a map's mean and what the biases add are the logit. Taps stand side by
side as the head sees them: what a shallow one does to a deeper one counts where the deeper one is.

Networks pad a photo with zeros, so their features know the corners of any photo, and heads learn on features less their
mean. What some typical photos have at a place is therefore moved from the map to the biases: above zero is what this
photo has beyond them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from automl.models.heads import Layers
from automl.models.numerics import full_float32
from automl.models.weights import InstalledWeights
from automl.results.export import Exporter
from automl.search.candidate import Branch, Candidate

HEAT_PX = 28
"""Side of a heat map: the finest maps of features that photos of 224 px have."""

_BATCH = 16
_BRIGHTEST = 98  # percentile: lone spikes may not darken all else
_LARGEST_SPIKE = 4.0  # times as great as what is shown as 1; more would make all else look bright

_Tap = tuple[Branch, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """For one class in each photo.

    `heat`: float32 (n, HEAT_PX, HEAT_PX), above zero where the place speaks for the class more than in typical photos.
    `rest`: float32 (n,), what biases and typical photos add. The mean of a photo's heat plus its rest is the logit.
    """

    heat: np.ndarray
    rest: np.ndarray

    @property
    def logits(self) -> np.ndarray:
        """float32 (n,), of the model."""
        return np.asarray(self.heat.mean(axis=(1, 2)) + self.rest)


class Explainer:
    """Explains the answers of one model with the graph that is delivered as `model.keras`. Needs TensorFlow.

    typical: uint8 (n, size, size, 3), some photos that were learned from, of all classes; 50 do. Of none, nothing is
    taken off, and the heat is the plain class-activation map.

    Raises:
        BadWeights: a backbone's file in the cache is damaged.
    """

    def __init__(self, weights: Mapping[str, InstalledWeights], candidate: Candidate, typical: np.ndarray) -> None:
        import keras

        self._candidate = candidate
        self._inputs: list[list[_Tap]] = [
            [
                (branch, tap)
                for branch in member.branches
                for tap in member.used_taps(len(weights[branch.backbone].taps))
            ]
            for member in candidate.members
        ]
        self._taps = list(dict.fromkeys(tap for taps in self._inputs for tap in taps))
        self._n_classes = len(candidate.members[0].layers[-1][1])
        model = Exporter(weights, labels=(), folder=Path()).build_keras(candidate)  # ONNX alone needs those two
        pools = [model.get_layer(f"{branch.name}_tap_{tap}") for branch, tap in self._taps]
        self._run = _compiled(keras.Model(model.input, [pool.input for pool in pools]))
        self._typical = self._mean_maps(typical)

    @property
    def is_exact(self) -> bool:
        """Whether every head is linear: the same weights for every photo, no gradient in place of them."""
        return all(len(member.layers) == 1 for member in self._candidate.members)

    def heat(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """`evidence` without the rest: float32 (n, HEAT_PX, HEAT_PX), raw; see `shown`."""
        return self.evidence(images, classes).heat

    def evidence(self, images: np.ndarray, classes: np.ndarray) -> Evidence:
        """What speaks for class `classes[i]` in photo `images[i]`.

        images: uint8 (n, size, size, 3), RGB, of the candidate's `image_size_px`. classes: int (n,).

        Raises:
            ValueError: not one class for each photo, or a class that the model does not have.
        """
        classes = np.asarray(classes, np.intp)
        if classes.shape != (len(images),):
            raise ValueError(f"{len(images)} photos need as many classes, not an array of shape {classes.shape}.")
        if len(classes) and not 0 <= classes.min() <= classes.max() < self._n_classes:
            raise ValueError(f"Classes are 0 to {self._n_classes - 1}; there are {classes.min()} to {classes.max()}.")
        heat, rest = np.zeros((len(images), HEAT_PX, HEAT_PX), np.float32), np.zeros(len(images), np.float32)
        for start in range(0, len(images), _BATCH):
            part = slice(start, start + _BATCH)
            heat[part], rest[part] = self._explain(self._maps(images[part]), classes[part])
        return Evidence(heat, rest)

    def _maps(self, images: np.ndarray) -> dict[_Tap, np.ndarray]:
        """float32 (n, height, width, channels) of each tap."""
        with full_float32():
            return dict(zip(self._taps, self._run(images.astype(np.float32)), strict=True))

    def _mean_maps(self, images: np.ndarray) -> dict[_Tap, np.ndarray]:
        """float32 (1, height, width, channels) of each tap, or one zero for all places where there is no photo."""
        means = {tap: np.zeros((1, 1, 1, 1), np.float32) for tap in self._taps}
        for start in range(0, len(images), _BATCH):
            for tap, values in self._maps(images[start : start + _BATCH]).items():
                means[tap] = means[tap] + values.sum(axis=0, keepdims=True) / np.float32(len(images))
        return means

    def _explain(self, maps: Mapping[_Tap, np.ndarray], classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pooled = {tap: values.mean(axis=(1, 2)) for tap, values in maps.items()}
        weights = {tap: np.zeros_like(values) for tap, values in pooled.items()}
        rest = np.zeros(len(classes), np.float32)
        for member, taps in zip(self._candidate.members, self._inputs, strict=True):
            gradient, biases = linearised(member.layers, np.concatenate([pooled[tap] for tap in taps], axis=1), classes)
            rest += biases
            ends = np.cumsum([pooled[tap].shape[1] for tap in taps])
            for tap, share in zip(taps, np.split(gradient, ends[:-1], axis=1), strict=True):
                weights[tap] += share
        heat = np.zeros((len(classes), HEAT_PX, HEAT_PX), np.float32)
        for tap, values in maps.items():
            typical = self._typical[tap]
            heat += resized(((values - typical) @ weights[tap][:, None, :, None])[..., 0])
            rest += (weights[tap] * typical.mean(axis=(0, 1, 2))).sum(axis=1)
        return heat, rest


def linearised(layers: Layers, features: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logit of `classes[i]` near `features[i]`: its gradient float32 (n, n_in), and what the biases add (n,).

    gradient @ features + biases is the logit itself, since ReLU layers are linear piece by piece.
    features: float32 (n, n_in). classes: int (n,).
    """
    values, is_active = features, []
    for kernel, bias in layers[:-1]:
        values = values @ kernel + bias
        is_active.append(values > 0)
        values = np.maximum(values, 0)
    kernel, bias = layers[-1]
    gradient, biases = kernel.T[classes], bias[classes]
    for (kernel, bias), active in zip(reversed(layers[:-1]), reversed(is_active), strict=True):
        gradient = gradient * active
        biases = biases + gradient @ bias
        gradient = gradient @ kernel.T
    return gradient, biases


def resized(maps: np.ndarray, side: int = HEAT_PX) -> np.ndarray:
    """float32 (n, side, side): `maps`, float (n, height, width), smoothly, and each with the mean that it had."""
    rows, columns = (_interpolation(n, side) for n in maps.shape[1:])
    return np.asarray(rows @ maps @ columns.T, np.float32)


def shown(heat: np.ndarray) -> np.ndarray:
    """float32 (n, height, width), 0-1: how much each place speaks for the class; 0 where it speaks against it.

    heat: float (n, height, width), raw. The brightest places of each photo are 1.
    """
    positive = np.maximum(heat, 0)
    most = positive.max(axis=(1, 2), keepdims=True)
    flat = positive.reshape(len(positive), positive.shape[1] * positive.shape[2])
    bright = np.maximum(np.percentile(flat, _BRIGHTEST, axis=1)[:, None, None], most / _LARGEST_SPIKE)
    return np.asarray(np.minimum(positive / np.where(most > 0, bright, 1), 1), np.float32)


@lru_cache(maxsize=32)
def _interpolation(n_in: int, n_out: int) -> np.ndarray:
    """float32 (n_out, n_in): means, over n_out equal cells, of the line through n_in values at the middles of theirs.

    Beyond the outermost values the line is level. So every value has the same weight in the whole, and the mean stays.
    """
    n_points = 2 * n_in * n_out  # the line is straight between two of these, so the middle stands for all
    places = (np.arange(n_points) + 0.5) / (2 * n_out) - 0.5
    hats = [np.interp(places, np.arange(n_in), one) for one in np.eye(n_in)]
    return np.asarray(np.stack(hats, axis=1).reshape(n_out, -1, n_in).mean(axis=1), np.float32)


def _compiled(model: Any) -> Any:
    """As one graph, which lets go of each layer's output when the next ones have read it."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None, None, 3), tf.float32)]
    run = tf.function(lambda images: model(images, training=False), input_signature=signature, autograph=False)
    return lambda images: [maps.numpy() for maps in tf.nest.flatten(run(images))]  # Keras unwraps a list of one
