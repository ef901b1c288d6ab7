"""Do the numbers fit? Real photographs decide, on the user's machine, before any weights enter the cache.

The photographs are three that scikit-image ships: a cat, a cup of espresso and a rocket. Two checks:

1. *Batch-norm statistics.* A trained network remembers the mean and variance of what entered each of its
   normalisations. On ordinary photographs the means of the channels must be near those it remembers, in every layer.
   Sound weights deviate by up to 0.4 standard deviations in the median channel of their worst layer; one depthwise or
   projection layer that is swapped, shuffled, rolled by a channel or belongs to other statistics gives 0.8 to 14.
   What it does not see is two whole blocks of one stage that changed places (such a network still works).
2. *The original classifier*, where the source still has it, must call the photographs right: the cat a domestic cat
   and the cup an espresso or a cup at the first guess, the rocket among the first five of 1,000 classes.
"""

from functools import cache

import keras
import numpy as np
import skimage.data
from PIL import Image, ImageOps

from automl.errors import BadWeights
from automl.models.convert import Dense

MAX_DEVIATION = 0.6
"""In standard deviations, of the median channel; see above."""

_SIDE_PX = 224


def _range(first: int, last: int) -> frozenset[int]:
    return frozenset(range(first, last + 1))


EXPECTED: tuple[tuple[str, frozenset[int], int], ...] = (
    ("cat", _range(281, 285), 1),  # tabby, tiger cat, Persian, Siamese, Egyptian
    ("cup of espresso", frozenset({504, 967, 968}), 1),  # coffee mug, espresso, cup
    ("rocket", frozenset({657, 744, 812}), 5),  # missile, projectile, space shuttle
)
"""What each photograph shows, the classes of ImageNet's 1,000 that say so, and among how many guesses one must be."""


@cache
def photographs() -> np.ndarray:
    """float32 (3, 224, 224, 3), 0-255: the middle of each photograph, cut as ImageNet's networks are evaluated."""
    side = (_SIDE_PX, _SIDE_PX)
    cut = [ImageOps.fit(image, side, Image.Resampling.BILINEAR, bleed=1 / 16) for image in _images()]
    return np.stack([np.asarray(image) for image in cut]).astype(np.float32)


def _views() -> np.ndarray:
    """float32 (6, 224, 224, 3): each photograph once cut and once whole, for steadier statistics."""
    whole = [image.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR) for image in _images()]
    return np.concatenate([photographs(), np.stack([np.asarray(image) for image in whole])])


def _images() -> list[Image.Image]:
    return [Image.fromarray(pixels) for pixels in (skimage.data.chelsea(), skimage.data.coffee(), skimage.data.rocket())]


def check_weights(model: keras.Model, head: tuple[Dense, ...]) -> None:
    """Raises BadWeights: the numbers in `model` (as `build_backbone` makes it) do not see what is in the photographs."""
    layer, deviation = worst_layer(model)
    if not deviation <= MAX_DEVIATION:
        raise BadWeights(
            f"the numbers do not fit together: activations before {layer} are {deviation:.1f} standard deviations "
            "away from what the network was trained on"
        )
    if head:
        features = np.asarray(model(photographs(), training=False)[-1]).mean(axis=(1, 2))
        _check_guesses(classify(features, head))


def worst_layer(model: keras.Model) -> tuple[str, float]:
    """The batch normalisation that fits the photographs least, and by how many standard deviations."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    entering = keras.Model(model.input, [layer.input for layer in layers])(_views(), training=False)
    deviations = [_deviation(layer, np.asarray(maps)) for layer, maps in zip(layers, entering, strict=True)]
    worst = int(np.argmax(np.nan_to_num(deviations, nan=np.inf)))
    return layers[worst].name, deviations[worst]


def classify(features: np.ndarray, head: tuple[Dense, ...]) -> np.ndarray:
    """float32 (batch, 1000) scores of ImageNet's classes for pooled features: (batch, n_features)."""
    for i, layer in enumerate(head):
        if i > 0:
            features = features * np.clip(features + 3, 0, 6) / 6  # hard-swish, in MobileNetV3 only
        features = features @ layer.kernel + layer.bias
    return features[:, -1000:]  # some heads have a class for "background" in front


def _check_guesses(scores: np.ndarray) -> None:
    for row, (what, classes, n_guesses) in zip(scores, EXPECTED, strict=True):
        guesses = {int(i) for i in np.argsort(-row)[:n_guesses]}
        if not guesses & classes:
            raise BadWeights(f"with these numbers the network does not recognise a photograph of a {what}")


def _deviation(layer: keras.layers.BatchNormalization, maps: np.ndarray) -> float:
    """Median over channels of |mean here - mean remembered| / deviation remembered; nearly dead channels are left out."""
    variance = np.asarray(layer.moving_variance)
    alive = variance > 1e-3 * np.median(variance)
    distance = np.abs(maps.mean(axis=(0, 1, 2)) - np.asarray(layer.moving_mean))[alive]
    return float(np.median(distance / np.sqrt(variance[alive])))
