"""Heat maps (see `automl.serving.heat`) by TensorFlow, for a candidate that need not have been exported yet."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from automl.models.memory import is_out_of_memory
from automl.models.numerics import full_float32
from automl.models.weights.cache import InstalledWeights
from automl.search.candidate import Branch, Candidate
from automl.serving.heat import HEAT_PX, Evidence, ExplainedHead, evidence

_BATCH = 16
_Tap = tuple[Branch, int]


class Explainer:
    """Explains the answers of one model with the graph that is delivered as `model.keras`. Needs TensorFlow.

    Args:
        weights: the pretrained backbones by name.
        candidate: the model.
        typical: uint8 (n, size, size, 3), some photos that were learned from, of all classes; 50 are enough. Without
            any, nothing is subtracted, and the heat is the plain class-activation map.
        model: the candidate as `Exporter.build_keras` built it.
    """

    def __init__(
        self, weights: Mapping[str, InstalledWeights], candidate: Candidate, *, typical: np.ndarray, model: Any
    ) -> None:
        import keras

        self._candidate = candidate
        inputs: list[list[_Tap]] = [
            [(branch, tap) for branch in head.branches for tap in head.used_taps(len(weights[branch.backbone].taps))]
            for head in candidate.heads
        ]
        self._taps = list(dict.fromkeys(tap for taps in inputs for tap in taps))
        self._heads = [
            ExplainedHead(tuple(self._taps.index(tap) for tap in taps), head.layers, head.is_unit)
            for head, taps in zip(candidate.heads, inputs, strict=True)
        ]
        self._n_classes = len(candidate.heads[0].layers[-1][1])
        pools = [model.get_layer(f"{branch.name}_tap_{tap}") for branch, tap in self._taps]
        self._run = _compiled(keras.Model(model.input, [pool.input for pool in pools]))
        self._typical = self._mean_maps(typical)

    @property
    def is_exact(self) -> bool:
        """Whether every head is linear, so that its weights, not a gradient, make the heat maps."""
        return all(len(head.layers) == 1 for head in self._candidate.heads)

    def heat(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """The heat of `evidence` alone: float32 (n, HEAT_PX, HEAT_PX), raw; see `heat.shown`."""
        return self.evidence(images, classes).heat

    def evidence(self, images: np.ndarray, classes: np.ndarray) -> Evidence:
        """What speaks for class `classes[i]` in photo `images[i]`.

        Args:
            images: uint8 (n, size, size, 3), RGB, of the candidate's `image_size_px`.
            classes: int (n,).

        Raises:
            ValueError: there is not one class for each photo, or the model does not have a class.
        """
        classes = np.asarray(classes, np.intp)
        if classes.shape != (len(images),):
            raise ValueError(f"{len(images)} photos need as many classes, not an array of shape {classes.shape}.")
        if len(classes) and not 0 <= classes.min() <= classes.max() < self._n_classes:
            raise ValueError(f"Classes are 0 to {self._n_classes - 1}; there are {classes.min()} to {classes.max()}.")
        heat, rest = np.zeros((len(images), HEAT_PX, HEAT_PX), np.float32), np.zeros(len(images), np.float32)
        for start in range(0, len(images), _BATCH):
            part = slice(start, start + _BATCH)
            found = evidence(self._heads, self._maps(images[part]), typical=self._typical, classes=classes[part])
            heat[part], rest[part] = found.heat, found.rest
        return Evidence(heat, rest)

    def _maps(self, images: np.ndarray) -> list[np.ndarray]:
        """The feature maps of each tap, float32 (n, height, width, channels); by halves where memory is short."""
        try:
            with full_float32():
                return list(self._run(images.astype(np.float32)))
        except Exception as error:
            if len(images) < 2 or not is_out_of_memory(error):
                raise
            halves = [self._maps(half) for half in np.array_split(images, 2)]
            return [np.concatenate(parts) for parts in zip(*halves, strict=True)]

    def _mean_maps(self, images: np.ndarray) -> list[np.ndarray]:
        """The mean feature maps of each tap, float32 (1, height, width, channels); one zero each without a photo."""
        means = [np.zeros((1, 1, 1, 1), np.float32) for _ in self._taps]
        for start in range(0, len(images), _BATCH):
            parts = [values.sum(axis=0, keepdims=True) for values in self._maps(images[start : start + _BATCH])]
            means = [mean + part / np.float32(len(images)) for mean, part in zip(means, parts, strict=True)]
        return means


def _compiled(model: Any) -> Any:
    """The model as one graph, which frees the output of each layer when the next ones have read it."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None, None, 3), tf.float32)]
    run = tf.function(lambda images: model(images, training=False), input_signature=signature, autograph=False)
    return lambda images: [maps.numpy() for maps in tf.nest.flatten(run(images))]  # Keras unwraps a list of one
