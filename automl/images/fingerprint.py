"""What decoding a picture tells of it, small enough to be kept for every file of a data set."""

import math
from dataclasses import dataclass

from PIL import Image, ImageChops

from automl.images.detail import LOSSLESS_ERROR, detail_of
from automl.images.pixel_facts import spread_of
from automl.records import PixelFacts

FINGERPRINT_PX = 32
"""A fingerprint has so many pixels each way."""

_SAMPLE_PX = 128
_GRAY_CHROMA = 8
"""Gray values. Channels that differ by no more than this are not coloured."""

_COLOURED_SHARE = 0.0005
"""A picture is gray if no larger share of its pixels is coloured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What is known of a picture that decodes.

    Attributes:
        width: In pixels, of the upright picture.
        height: In pixels, of the upright picture.
        format: The name of the format, known by the bytes, such as "JPEG".
        fingerprint: FINGERPRINT_PX x FINGERPRINT_PX gray values, uint8, row by row, of the whole picture squeezed into
            the square. Near copies are found by it.
        spread: The standard deviation of the gray values; 0 for a blank picture.
        is_gray: Whether nothing in it has colour.
        detail: What tells whether another picture is the very same shot, see `automl.images.detail`.
        pixels: What is kept of a photo that is not an ordinary one; None of an ordinary one.
        taken_at: Seconds since 1970 by the clock of the camera; None where the file does not say.
    """

    width: int
    height: int
    format: str
    fingerprint: bytes
    spread: float
    is_gray: bool
    detail: bytes
    pixels: PixelFacts | None = None
    taken_at: float | None = None


def traits_of(
    image: Image.Image,
    *,
    width: int,
    height: int,
    format: str,
    error: float = LOSSLESS_ERROR,
    pixels: PixelFacts | None = None,
    taken_at: float | None = None,
) -> Traits:
    """The traits of a picture. Costs about a millisecond for one megapixel, far less than decoding it.

    Args:
        image: The decoded picture, RGB, as `open_rgb` gives it; it may be reduced.
        width: That of the file itself, upright.
        height: That of the file itself, upright.
        format: That of the file itself.
        error: What its compression may have changed, as `compression_error` gives it.
        pixels: That of the file itself.
        taken_at: That of the file itself.
    """
    # A reduced picture is a mean of what was compressed, and so is its error.
    reduced = math.sqrt(max(1.0, width * height / (image.width * image.height)))
    # An exact reduction by whole numbers first is many times quicker, and what is left is still averaged.
    small = image.resize((FINGERPRINT_PX, FINGERPRINT_PX), Image.Resampling.BILINEAR, reducing_gap=3.0)
    # Samples, not means: fine texture has a spread that averaging would take away.
    sampled = image.resize((_SAMPLE_PX, _SAMPLE_PX), Image.Resampling.NEAREST)
    return Traits(
        width=width,
        height=height,
        format=format,
        fingerprint=small.convert("L").tobytes(),
        spread=spread_of(sampled),
        is_gray=_is_gray(sampled),
        detail=detail_of(image, small, error=max(LOSSLESS_ERROR, error / reduced)),
        pixels=pixels,
        taken_at=taken_at,
    )


def _is_gray(image: Image.Image) -> bool:
    red, green, blue = image.split()
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    lightest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    n_coloured = sum(ImageChops.subtract(lightest, darkest).histogram()[_GRAY_CHROMA + 1 :])
    # JPEG leaves a trace of colour in a gray picture, more where its edges are sharp.
    return n_coloured <= _COLOURED_SHARE * image.width * image.height
