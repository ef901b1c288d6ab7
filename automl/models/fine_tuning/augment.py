"""Augmentation: what is drawn at random, in NumPy, and how it is applied to a batch, in TensorFlow.

Every random number is drawn here on the host, so that a seed gives the same pictures on every device; the graph only
applies them. Flips, crops and rotations are one affine map of the pixels, so they cost one interpolation together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

FLIPS = ("none", "horizontal", "both")
MIXES = ("none", "mixup", "cutmix")

_MIXUP_BETA, _CUTMIX_BETA = 0.2, 1.0
_MOST_STRETCHED = math.log(4 / 3)
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be done to a picture.

    Attributes:
        flips: one of FLIPS.
        crop: the smallest share of the area that is kept; 1 keeps all of it.
        rotation_deg: the largest angle to either side.
        colour: the largest change of brightness, contrast and saturation, 0-1.
        mix: one of MIXES.
    """

    flips: str = "none"
    crop: float = 1.0
    rotation_deg: float = 0.0
    colour: float = 0.0
    mix: str = "none"

    @property
    def moves_pixels(self) -> bool:
        """Whether a picture may be flipped, cropped or rotated."""
        return self.flips != "none" or self.crop < 1 or self.rotation_deg > 0


class Mixing(NamedTuple):
    """Which picture of the batch is mixed into each; a named tuple, since TensorFlow takes it into a graph as it is.

    Attributes:
        partner: int32 (n,), rows of the batch.
        share: float32 (n,), how much of the row itself is left, 0-1.
        boxes: float32 (n, 4), top, left, bottom, right as shares of the side: the part that CutMix takes from the
            partner. None for mixup, which mixes the whole picture.
    """

    partner: Any
    share: Any
    boxes: Any = None

    def of_targets(self, targets: np.ndarray) -> np.ndarray:
        """(n, n_classes): the probabilities `targets`, mixed as the pictures are."""
        share = self.share[:, None]
        mixed: np.ndarray = share * targets + (1 - share) * targets[self.partner]
        return mixed


def draw_maps(policy: Policy, n: int, *, from_px: int, to_px: int, random: np.random.Generator) -> np.ndarray:
    """float32 (n, 8): for each picture the affine map from pixels of the result to pixels of the picture.

    The order is that of `tf.raw_ops.ImageProjectiveTransformV3`. Crops follow https://arxiv.org/abs/1409.4842: a share
    of the area, stretched by up to 4:3.

    Args:
        policy: what may be done.
        n: the number of pictures.
        from_px: the side of the pictures, which are squares.
        to_px: the side of the results.
        random: draws what is done.
    """
    area = random.uniform(policy.crop, 1, n)
    stretch = np.exp(random.uniform(-_MOST_STRETCHED, _MOST_STRETCHED, n) / 2) if policy.crop < 1 else np.ones(n)
    sides = np.minimum(np.sqrt(area)[:, None] * np.stack([stretch, 1 / stretch], axis=1), 1) * from_px
    centres = sides / 2 + random.uniform(0, 1, (n, 2)) * (from_px - sides)
    signs = np.ones((n, 2))
    for axis, allowed in enumerate((("horizontal", "both"), ("both",))):
        if policy.flips in allowed:
            signs[:, axis] = random.choice([-1, 1], n)
    angle = np.deg2rad(random.uniform(-1, 1, n) * policy.rotation_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = (signs * sides / to_px).T
    matrix = np.stack([np.stack([cos * x, -sin * y], axis=1), np.stack([sin * x, cos * y], axis=1)], axis=1)
    # Pixel i covers [i, i + 1), so both centres are half a pixel off the index.
    offset = centres - 0.5 - matrix @ np.full(2, (to_px - 1) / 2)
    maps = np.concatenate([matrix, offset[:, :, None]], axis=2).reshape(n, 6)
    return np.concatenate([maps, np.zeros((n, 2))], axis=1).astype(np.float32)


def draw_colours(policy: Policy, n: int, random: np.random.Generator) -> np.ndarray:
    """float32 (n, 3): factors of brightness, contrast and saturation."""
    return random.uniform(1 - policy.colour, 1 + policy.colour, (n, 3)).astype(np.float32)


def draw_mixing(policy: Policy, n: int, random: np.random.Generator) -> Mixing | None:
    """What is mixed in a batch of `n` pictures; None where the policy mixes nothing.

    Sources: mixup https://arxiv.org/abs/1710.09412, CutMix https://arxiv.org/abs/1905.04899.
    """
    if policy.mix == "none":
        return None
    partner = random.permutation(n).astype(np.int32)
    if policy.mix == "mixup":
        share = random.beta(_MIXUP_BETA, _MIXUP_BETA, n)
        # Of two pictures the larger share stays with the row itself, so that it is not the same mix twice.
        return Mixing(partner, np.maximum(share, 1 - share).astype(np.float32))
    half = np.sqrt(1 - random.beta(_CUTMIX_BETA, _CUTMIX_BETA, (n, 1))) / 2
    centre = random.uniform(0, 1, (n, 2))
    boxes = np.clip(np.concatenate([centre - half, centre + half], axis=1), 0, 1)
    cut = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return Mixing(partner, (1 - cut).astype(np.float32), boxes.astype(np.float32))


def resize(images: tf.Tensor, to_px: int) -> tf.Tensor:
    """float32 (n, to_px, to_px, 3), 0-255, by the same method as the `Resizing` layer of a delivered model."""
    import tensorflow as tf

    if images.shape[1] == to_px:
        return tf.cast(images, tf.float32)
    return tf.image.resize(images, (to_px, to_px), antialias=True)


def warp(images: tf.Tensor, maps: tf.Tensor, to_px: int) -> tf.Tensor:
    """float32 (n, to_px, to_px, 3) for uint8 squares; what lies outside of a picture is its mirror image."""
    import tensorflow as tf

    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=maps,
        output_shape=[to_px, to_px],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def recolour(images: tf.Tensor, colours: tf.Tensor) -> tf.Tensor:
    """Changes brightness, contrast and saturation of float32 (n, height, width, 3), 0-255."""
    import tensorflow as tf

    brightness, contrast, saturation = (colours[:, i, None, None, None] for i in range(3))
    gray = tf.reduce_sum(images * tf.constant(_LUMA), axis=3, keepdims=True)
    mean = tf.reduce_mean(gray, axis=(1, 2), keepdims=True)
    saturated = gray + saturation * (images - gray)
    return tf.clip_by_value(brightness * (mean + contrast * (saturated - mean)), 0.0, 255.0)


def mix(maps: tf.Tensor, mixing: Mixing) -> tf.Tensor:
    """Mixes pictures or feature maps (n, height, width, channels) of a batch; boxes are rounded to whole pixels."""
    import tensorflow as tf

    others = tf.gather(maps, mixing.partner)
    if mixing.boxes is None:
        kept = tf.cast(mixing.share, maps.dtype)[:, None, None, None]
        return kept * maps + (1 - kept) * others
    boxes = mixing.boxes
    inside = [_between(tf.shape(maps)[1 + axis], boxes[:, axis], boxes[:, axis + 2]) for axis in (0, 1)]
    box = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(box, others, maps)


def _between(n_pixels: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """bool (n, n_pixels): whether the centre of each pixel of a side lies between two shares of the side."""
    import tensorflow as tf

    centres = (tf.range(tf.cast(n_pixels, tf.float32)) + 0.5) / tf.cast(n_pixels, tf.float32)
    return (centres >= low[:, None]) & (centres < high[:, None])
