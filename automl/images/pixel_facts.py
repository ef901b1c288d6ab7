"""What is found out about a photo with deep gray or transparent pixels, so that one rule can be chosen for all."""

import numpy as np
from PIL import Image

from automl.records import GrayFacts, PixelFacts, TransparencyFacts
from automl.serving.predict import (
    BACKGROUNDS,
    deep_gray,
    finite_ends,
    is_all_clear,
    is_deep_gray,
    on_background,
    transparent_layer,
)

_SAMPLE_PX = 128
_MOST_SAMPLED = 1 << 18
_DARK_AND_BRIGHT = (1, 99)
"""Percentiles: a few values are hot pixels, or letters that a microscope has written into the picture."""


def facts_of(image: Image.Image) -> PixelFacts | None:
    """The facts of a decoded picture as it is stored; None for an ordinary one."""
    if is_deep_gray(image):
        return PixelFacts(gray=_gray_facts(image))
    layer = transparent_layer(image)
    return PixelFacts(transparency=_transparency_facts(layer)) if layer is not None else None


def _gray_facts(image: Image.Image) -> GrayFacts:
    values = deep_gray(image)
    lowest, highest = finite_ends(values)
    step = int(max(1, (values.size / _MOST_SAMPLED) ** 0.5))
    sampled = values[::step, ::step]
    sampled = np.clip(np.nan_to_num(sampled, nan=lowest), lowest, highest).astype(np.float64)
    dark, bright = np.percentile(sampled, _DARK_AND_BRIGHT)
    return GrayFacts(
        is_float=image.mode == "F",
        lowest=lowest,
        highest=highest,
        dark=float(dark),
        bright=float(bright),
        deviation=float(sampled.std()),
    )


def _transparency_facts(layer: Image.Image) -> TransparencyFacts:
    # Means, as the model sees them: single pixels would miss thin lines.
    size = (min(layer.width, _SAMPLE_PX), min(layer.height, _SAMPLE_PX))
    if is_all_clear(layer):
        shown = dict.fromkeys(BACKGROUNDS, layer.convert("RGB").resize(size, Image.Resampling.BOX))
    else:
        sample = layer.resize(size, Image.Resampling.BOX)
        shown = {name: on_background(sample, gray) for name, gray in BACKGROUNDS.items()}
    return TransparencyFacts(**{f"on_{name}": spread_of(picture) for name, picture in shown.items()})


def spread_of(image: Image.Image) -> float:
    """The standard deviation of the gray values of a picture, 0-128."""
    return float(np.asarray(image.convert("L")).std(dtype=np.float32))
