"""Where in a photo a model finds what speaks for a class: computed by NumPy alone from given feature maps.

Where a head is linear the map is the class-activation map (Zhou et al. 2016, arXiv:1512.04150), summed over the taps,
branches and members of the model. Behind hidden layers it is Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) without
its final ReLU: the gradient of the logit takes the place of the weights, and through ReLU layers it has a closed form.
Both are one computation, and both are complete: a map's mean and what the biases add are the logit. Taps stand side by
side as the head sees them: what a shallow one does to a deeper one counts where the deeper one is.

Networks pad a photo with zeros, so their features depend on where the corners of any photo are, and heads learn on
features less their mean. What some typical photos have at a place is therefore moved from the map to the biases: above
zero is what this photo has beyond them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from PIL import Image

from automl.serving.predict import middle_of

HEAT_PX = 28
"""Side of a heat map: the finest maps of features that photos of 224 px have."""

_BRIGHTEST = 98  # percentile: lone spikes must not darken everything else
_LARGEST_SPIKE = 4.0  # times as great as what is shown as 1; more would make everything else look bright
_MOST_HIDDEN = 0.65
_SMALLEST_NORM = 1e-12  # of features that are all zero
_N_TYPICAL = 48
_INFERNO = bytes.fromhex(
    "0000040b0724210c4a3d096557106e71196e8a226aa32c61bc3754d04545e35933f1711ff98c0afcaa0ff9c932f2e865fcffa4"
)  # every sixteenth colour of Matplotlib's map: lighter with the heat, and distinguished by the colour-blind

_Item = TypeVar("_Item")

Layers = Sequence[tuple[np.ndarray, np.ndarray]]
"""Kernel (n_in, n_out) and bias (n_out,) of each layer of a head; ReLU between them."""


@dataclass(frozen=True, slots=True)
class ExplainedHead:
    """One of the heads whose logits are summed.

    Attributes:
        taps: which feature maps its inputs are the means of, in order, by their places in the list of all maps.
        layers: its dense layers.
        is_unit: whether each of these means is divided by its norm first.
    """

    taps: tuple[int, ...]
    layers: Layers
    is_unit: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one class in each photo. The mean of a photo's heat plus its rest is the logit of the class.

    Attributes:
        heat: float32 (n, HEAT_PX, HEAT_PX), above zero where the place speaks for the class more than in typical
            photos.
        rest: float32 (n,), what biases and typical photos add.
    """

    heat: np.ndarray
    rest: np.ndarray

    @property
    def logits(self) -> np.ndarray:
        """The logit of the class in each photo, float32 (n,)."""
        return np.asarray(self.heat.mean(axis=(1, 2)) + self.rest)


def typical_of(learned: Sequence[_Item]) -> Sequence[_Item]:
    """Some of the photos that were learned from, of all classes: spread over their list, always the same ones."""
    return learned[:: max(1, len(learned) // _N_TYPICAL)][:_N_TYPICAL]


def evidence(
    heads: Sequence[ExplainedHead], maps: Sequence[np.ndarray], *, typical: Sequence[np.ndarray], classes: np.ndarray
) -> Evidence:
    """What speaks for class `classes[i]` in photo i.

    Args:
        heads: the heads of the model.
        maps: the feature maps of each tap, float32 (n, height, width, channels).
        typical: their means over typical photos, float32 (1, height, width, channels), or (1, 1, 1, 1) of zero for the
            plain class-activation map.
        classes: int (n,).
    """
    pooled = [values.mean(axis=(1, 2)) for values in maps]
    factors = [_factor(values) for values in pooled]
    weights = [np.zeros_like(values) for values in pooled]
    rest = np.zeros(len(classes), np.float32)
    for head in heads:
        seen = [pooled[tap] * factors[tap] if head.is_unit else pooled[tap] for tap in head.taps]
        gradient, biases = linearised(head.layers, np.concatenate(seen, axis=1), classes)
        rest += biases
        ends = np.cumsum([pooled[tap].shape[1] for tap in head.taps])
        for tap, share in zip(head.taps, np.split(gradient, ends[:-1], axis=1), strict=True):
            weights[tap] += share * factors[tap] if head.is_unit else share
    heat = np.zeros((len(classes), HEAT_PX, HEAT_PX), np.float32)
    for values, weight, mean in zip(maps, weights, typical, strict=True):
        heat += resized(((values - mean) @ weight[:, None, :, None])[..., 0])
        rest += (weight * mean.mean(axis=(0, 1, 2))).sum(axis=1)
    return Evidence(heat, rest)


def _factor(pooled: np.ndarray) -> np.ndarray:
    """What turns each row of pooled features into one of norm 1: float32 (n, 1), 0 for a row of zeros.

    It is the same for all places of a photo, so a map stays linear in its features, and complete.
    """
    norms = np.linalg.norm(pooled, axis=1, keepdims=True)
    is_there = norms > _SMALLEST_NORM
    return np.asarray(is_there / np.where(is_there, norms, 1), np.float32)


def linearised(layers: Layers, features: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logit of `classes[i]` near `features[i]`: its gradient float32 (n, n_in), and what the biases add (n,).

    gradient @ features + biases is the logit itself, since ReLU layers are linear piece by piece.

    Args:
        layers: the dense layers of the head.
        features: float32 (n, n_in).
        classes: int (n,).
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
    """Resizes maps smoothly so that each keeps its mean: float (n, height, width) to float32 (n, side, side)."""
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


def on_photo(heat: np.ndarray, size: tuple[int, int], aspect: str) -> np.ndarray:
    """A map of the square that the model saw, laid over the whole photo; 0 where the model saw nothing of it.

    Args:
        heat: float (h, w), 0-1, as `shown` makes it.
        size: width and height of the photo.
        aspect: how it became the square.
    """
    if aspect == "squeeze":
        return heat
    side = max(size) if aspect == "whole" else min(size)
    seen = Image.fromarray(heat.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    placed = Image.new("F", size)
    placed.paste(seen, middle_of(size, side)[:2])
    return np.asarray(placed)


def overlay(photo: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The photo in gray under the colours of its heat, uint8 (height, width, 3).

    The colours grow lighter with the heat, so that it can be read in gray print, too.

    Args:
        photo: uint8 (height, width, 3).
        heat: float (h, w), 0-1, as `shown` makes it.
    """
    side = (photo.shape[1], photo.shape[0])
    smooth = Image.fromarray(heat.astype(np.float32)).resize(side, Image.Resampling.BICUBIC)
    share = (np.clip(np.asarray(smooth), 0, 1) * 255).round().astype(np.uint8)
    gray = photo.mean(axis=2, keepdims=True)
    mixed = (1 - _MOST_HIDDEN) * gray + _MOST_HIDDEN * _colours()[share]
    return np.asarray(mixed.round(), dtype=np.uint8)


@lru_cache(maxsize=1)
def _colours() -> np.ndarray:
    """The colours from no heat to most, float (256, 3), 0-255."""
    stops = np.frombuffer(_INFERNO, np.uint8).reshape(-1, 3)
    places = np.linspace(0, 255, len(stops))
    return np.stack([np.interp(np.arange(256), places, stops[:, channel]) for channel in range(3)], axis=1)


@lru_cache(maxsize=32)
def _interpolation(n_in: int, n_out: int) -> np.ndarray:
    """A matrix float32 (n_out, n_in) that resizes n_in values to n_out.

    The values stand in the middles of n_in equal cells and are joined by a line, which is level beyond the outermost
    ones; the results are the means of the line over n_out equal cells. So every value has the same weight in the whole,
    and the mean stays.
    """
    n_points = 2 * n_in * n_out  # the line is straight between two of these, so the middle stands for all
    places = (np.arange(n_points) + 0.5) / (2 * n_out) - 0.5
    hats = [np.interp(places, np.arange(n_in), one) for one in np.eye(n_in)]
    return np.asarray(np.stack(hats, axis=1).reshape(n_out, -1, n_in).mean(axis=1), np.float32)
