"""Checks on real photographs that weights fit their network, on the user's machine, before they enter the cache.

The photographs are ones that scikit-image ships. Two checks:

1. *The original classifier*, where the source still has it, must call three of them right: the cat a domestic cat and
   the cup an espresso or a cup at the first guess, the rocket among the first five of 1,000 classes.
2. *Batch-norm statistics.* A trained network remembers the mean and variance of what entered each normalisation. On
   five photographs, seen in three ways each, every layer must meet about the same means (`MAX_DEVIATION`), and the
   channels that varied much must do so again (`MIN_CORRELATION`). A layer that is missing, shuffled, swapped with
   another, moved by one channel, or joined to the statistics of another fails one of the two, the last layer too.
   Not seen: what leaves every channel's mean and variance nearly as it was, such as two whole blocks of one stage
   that changed places, or the inputs of one expansion in another order. The classifier and the checksum are for those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import skimage.data
from PIL import Image, ImageOps

from automl.errors import BadWeights
from automl.models.weights.convert import Dense
from automl.text.messages import weights as weights_messages

MAX_DEVIATION = 0.6
"""The most for the median channel, in standard deviations. Sound weights: up to 0.31; damaged layers: 0.8 to 14."""
MIN_CORRELATION = 0.3
"""The least between logarithms of variances. Sound weights: 0.56 and more; damaged expansions: below 0.1."""
MIN_LAST_CORRELATION = 0.1
"""The least in the last layer, which has 1,000 classes to tell apart; five photographs show few of them. Sound weights:
0.18 to 0.27; others: 0.05."""

_SIDE_PX = 224


def _classes(first: int, last: int) -> frozenset[int]:
    return frozenset(range(first, last + 1))


EXPECTED: tuple[tuple[str, frozenset[int], int], ...] = (
    ("cat", _classes(281, 285), 1),  # tabby, tiger cat, Persian, Siamese, Egyptian
    ("cup of espresso", frozenset({504, 967, 968}), 1),  # coffee mug, espresso, cup
    ("rocket", frozenset({657, 744, 812}), 5),  # missile, projectile, space shuttle
)
"""What the first photographs show, the classes of ImageNet's 1,000 that say so, and within how many guesses."""


@dataclass(frozen=True, slots=True)
class LayerFit:
    """How one batch normalisation fits the photographs; see the module's docstring.

    Attributes:
        layer: its name.
        deviation: how far the means of the median channel are off, in standard deviations.
        correlation: between the logarithms of the measured and the remembered variances, -1 to 1.
    """

    layer: str
    deviation: float
    correlation: float


@cache
def photographs() -> np.ndarray:
    """The middles of the photographs, float32 (5, 224, 224, 3), 0-255: cat, espresso, rocket, astronaut, motorcycle."""
    return _stack([_cut(image, bleed=1 / 16) for image in _images()])


def check_weights(model: keras.Model, head: tuple[Dense, ...], *, statistics: bool = True) -> None:
    """Checks the weights of a network.

    Args:
        model: a network that `build_backbone` made.
        head: its original classifier, for check 1; empty where the source has none.
        statistics: whether check 2 is made.

    Raises:
        BadWeights: its numbers do not fit.
    """
    if head:
        features = np.asarray(model(photographs(), training=False)[-1]).mean(axis=(1, 2))
        _check_guesses(classify(features, head))
    if statistics:
        _check_statistics(fit_statistics(model))


def classify(features: np.ndarray, head: tuple[Dense, ...]) -> np.ndarray:
    """The scores of ImageNet's classes, float32 (batch, 1000).

    Args:
        features: the pooled features of the last layer, (batch, n_features).
        head: the original classifier.
    """
    for i, layer in enumerate(head):
        if i > 0:
            features = features * np.clip(features + 3, 0, 6) / 6  # hard-swish; only MobileNetV3 has two layers
        features = features @ layer.kernel + layer.bias
    return features[:, -1000:]  # some heads have a class for the background in front


def fit_statistics(model: keras.Model) -> list[LayerFit]:
    """How each batch normalisation of `model` fits the photographs, from the image on."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    probe = keras.Model(model.input, [layer.input for layer in layers])
    # One view after the other: all activations at once would take a gigabyte.
    by_view = [[_moments(np.asarray(maps)) for maps in probe(view, training=False)] for view in _views()]
    moments = [np.mean(of_layer, axis=0) for of_layer in zip(*by_view, strict=True)]
    return [_fit(layer, mean, square - mean**2) for layer, (mean, square) in zip(layers, moments, strict=True)]


def _moments(maps: np.ndarray) -> np.ndarray:
    """The means of the values and of their squares, float64 (2, channels)."""
    values = maps.astype(np.float64)
    return np.stack([values.mean(axis=(0, 1, 2)), np.square(values).mean(axis=(0, 1, 2))])


def _fit(layer: keras.layers.BatchNormalization, mean: np.ndarray, variance: np.ndarray) -> LayerFit:
    known = np.asarray(layer.moving_variance, dtype=np.float64)
    alive = known > 1e-3 * np.median(known)  # channels that training has switched off say nothing
    if not alive.any():
        return LayerFit(layer.name, np.inf, 0.0)
    known, mean, variance = known[alive], mean[alive], np.maximum(variance[alive], 1e-12)
    deviation = np.median(np.abs(mean - np.asarray(layer.moving_mean)[alive]) / np.sqrt(known))
    a, b = np.log(variance) - np.log(variance).mean(), np.log(known) - np.log(known).mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return LayerFit(layer.name, float(deviation), float(a @ b) / length if length > 0 else 0.0)


def _check_guesses(scores: np.ndarray) -> None:
    for row, (what, classes, n_guesses) in zip(scores, EXPECTED, strict=False):
        guesses = {int(i) for i in np.argsort(-row)[:n_guesses]}
        if not guesses & classes:
            raise BadWeights(weights_messages.NOT_RECOGNISED.format(photograph=what))


def _check_statistics(fits: Sequence[LayerFit]) -> None:
    for fit in fits:
        wanted = MIN_LAST_CORRELATION if fit is fits[-1] else MIN_CORRELATION
        if not (fit.deviation <= MAX_DEVIATION and fit.correlation >= wanted):
            raise BadWeights(
                weights_messages.NUMBERS_DO_NOT_FIT.format(
                    layer=fit.layer,
                    deviation=fit.deviation,
                    most=MAX_DEVIATION,
                    correlation=fit.correlation,
                    wanted=wanted,
                )
            )


def _views() -> list[np.ndarray]:
    """Three batches like `photographs`: cut, whole, and a closer cut that is mirrored."""
    whole = [image.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR) for image in _images()]
    closer = [ImageOps.mirror(_cut(image, bleed=1 / 5)) for image in _images()]
    return [photographs(), _stack(whole), _stack(closer)]


def _images() -> list[Image.Image]:
    data: Any = skimage.data  # its functions carry no types
    motorcycle, _right, _disparity = data.stereo_motorcycle()
    arrays = [data.chelsea(), data.coffee(), data.rocket(), data.astronaut(), motorcycle]
    return [Image.fromarray(array) for array in arrays]


def _cut(image: Image.Image, bleed: float) -> Image.Image:
    return ImageOps.fit(image, (_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR, bleed=bleed)


def _stack(images: Sequence[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(image) for image in images]).astype(np.float32)
