"""What is found out about a photo with deep gray or transparent pixels, so that one rule can be chosen for all."""

import numpy as np
from PIL import Image

from automl.records import GrayFacts, PixelFacts, TransparencyFacts
from automl.serving.predict import (
    BACKGROUNDS,
    PhotoRules,
    StoredPixels,
    finite_ends,
    in_8_bits,
    is_all_clear,
    is_deep_gray,
    on_background,
    transparent_layer,
)

_SAMPLE_PX = 128
_MOST_SAMPLED = 1 << 18
_DARK_AND_BRIGHT = (1, 99)
"""Percentiles: a few values are hot pixels, or letters that a microscope has written into the picture."""

_BY_ITS_OWN_VALUES = PhotoRules()
"""No rule for the whole data set is known yet: what is to be seen of a photo is found out as if it were alone."""


def facts_of(stored: StoredPixels) -> PixelFacts | None:
    """The facts of decoded pixels as they are stored; None for an ordinary photo."""
    gray = _gray_facts(stored)
    layer = None if is_deep_gray(stored.image) else transparent_layer(in_8_bits(stored, _BY_ITS_OWN_VALUES))
    if gray is None and layer is None:
        return None
    return PixelFacts(gray=gray, transparency=_transparency_facts(layer) if layer else None)


def _gray_facts(stored: StoredPixels) -> GrayFacts | None:
    if stored.deep is None and not is_deep_gray(stored.image):
        return None
    values = np.asarray(stored.image) if stored.deep is None else stored.deep
    lowest, highest = finite_ends(values)
    step = int(max(1, (values.size / _MOST_SAMPLED) ** 0.5))
    sampled = values[::step, ::step]
    sampled = np.clip(np.nan_to_num(sampled, nan=lowest), lowest, highest).astype(np.float64)
    dark, bright = np.percentile(sampled, _DARK_AND_BRIGHT)
    return GrayFacts(
        is_float=stored.image.mode == "F",
        lowest=lowest,
        highest=highest,
        dark=float(dark),
        bright=float(bright),
        # Where the colours are the same everywhere, nothing is to be seen, however they differ from each other.
        deviation=float(sampled.mean(axis=2).std() if sampled.ndim == 3 else sampled.std()),
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
