"""Augmentation: what is drawn at random, in NumPy, and how it is applied to a batch, in TensorFlow.

Every random number is drawn here on the host, so that a seed gives the same pictures on every device; the graph only
applies them. Flips, crops and rotations are one affine map of the pixels, so they cost one interpolation together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

FLIPS = ("none", "horizontal", "both")
MIXES = ("none", "mixup", "cutmix")

_MIXUP_BETA, _CUTMIX_BETA = 0.2, 1.0
_MOST_STRETCHED = math.log(4 / 3)
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be done to a picture.

    `flips`: one of FLIPS. `crop`: smallest share of the area that is kept, 1 for all. `rotation_deg`: largest angle to
    either side. `colour`: largest change of brightness, contrast and saturation, 0-1. `mix`: one of MIXES.
    """

    flips: str = "none"
    crop: float = 1.0
    rotation_deg: float = 0.0
    colour: float = 0.0
    mix: str = "none"

    @property
    def moves_pixels(self) -> bool:
        return self.flips != "none" or self.crop < 1 or self.rotation_deg > 0


@dataclass(frozen=True, slots=True)
class Mixing:
    """Which picture of the batch is mixed into each.

    `partner`: int32 (n,), rows of the batch. `share`: float32 (n,), how much of the row itself is left, 0-1.
    `boxes`: float32 (n, 4), top, left, bottom, right as shares of the side: the part that CutMix takes from the
    partner; None for mixup, which blends the whole picture.
    """

    partner: np.ndarray
    share: np.ndarray
    boxes: np.ndarray | None

    def of_targets(self, targets: np.ndarray) -> np.ndarray:
        """Probabilities (n, n_classes), mixed as the pictures are."""
        share = self.share[:, None]
        mixed: np.ndarray = share * targets + (1 - share) * targets[self.partner]
        return mixed


def draw_maps(policy: Policy, n: int, from_px: int, to_px: int, random: np.random.Generator) -> np.ndarray:
    """float32 (n, 8): for each picture the affine map from pixels of the result to pixels of the picture.

    The order is that of `tf.raw_ops.ImageProjectiveTransformV3`. The pictures are squares of `from_px`, the results of
    `to_px`. Crops follow https://arxiv.org/abs/1409.4842: a share of the area, stretched by up to 4:3.
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
    """None where the policy mixes nothing. Sources: https://arxiv.org/abs/1710.09412, https://arxiv.org/abs/1905.04899"""
    if policy.mix == "none":
        return None
    partner = random.permutation(n).astype(np.int32)
    if policy.mix == "mixup":
        share = random.beta(_MIXUP_BETA, _MIXUP_BETA, n)
        return Mixing(partner, np.maximum(share, 1 - share).astype(np.float32), None)
    half = np.sqrt(1 - random.beta(_CUTMIX_BETA, _CUTMIX_BETA, (n, 1))) / 2
    centre = random.uniform(0, 1, (n, 2))
    boxes = np.clip(np.concatenate([centre - half, centre + half], axis=1), 0, 1)
    cut = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return Mixing(partner, (1 - cut).astype(np.float32), boxes.astype(np.float32))


def resize(images: tf.Tensor, to_px: int) -> tf.Tensor:
    """float32 (n, to_px, to_px, 3), as the `Resizing` layer of a delivered model does it; 0-255."""
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


def mix(maps: tf.Tensor, partner: tf.Tensor, share: tf.Tensor, boxes: tf.Tensor | None) -> tf.Tensor:
    """Mixes (n, height, width, channels) as `Mixing` says; boxes are rounded to whole pixels."""
    import tensorflow as tf

    others = tf.gather(maps, partner)
    if boxes is None:
        kept = tf.cast(share, maps.dtype)[:, None, None, None]
        return kept * maps + (1 - kept) * others
    inside = [_between(tf.shape(maps)[1 + axis], boxes[:, axis], boxes[:, axis + 2]) for axis in (0, 1)]
    box = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(box, others, maps)


def _between(n_pixels: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """bool (n, n_pixels): whose centres lie in the box."""
    import tensorflow as tf

    centres = (tf.range(tf.cast(n_pixels, tf.float32)) + 0.5) / tf.cast(n_pixels, tf.float32)
    return (centres >= low[:, None]) & (centres < high[:, None])
