"""What one look at a picture tells, small enough to be kept for every file of a data set."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

LOOK_PX = 32
_SAMPLE_PX = 128
_GRAY_CHROMA = 8
_COLOURED_SHARE = 0.0005


@dataclass(frozen=True, slots=True)
class Traits:
    """Of one picture that decodes.

    `width`, `height`: pixels, upright. `format`: by its bytes, such as "JPEG". `look`: LOOK_PX x LOOK_PX gray values,
    uint8, row by row, of the whole picture squeezed into the square. `spread`: standard deviation of the gray values,
    0 for a blank picture. `is_gray`: nothing in it has colour.
    """

    width: int
    height: int
    format: str
    look: bytes
    spread: float
    is_gray: bool


def traits_of(image: Image.Image, width: int, height: int, format: str) -> Traits:
    """The traits of `image` (RGB, as `open_rgb` gives it, perhaps reduced); size and format are the file's own.

    Costs about a millisecond for a picture of one megapixel, far less than decoding it.
    """
    # Samples, not means: fine texture has a spread that averaging would take away.
    sampled = image.resize((_SAMPLE_PX, _SAMPLE_PX), Image.Resampling.NEAREST)
    return Traits(
        width=width,
        height=height,
        format=format,
        look=_look(image),
        spread=float(np.asarray(sampled.convert("L")).std(dtype=np.float32)),
        is_gray=_is_gray(sampled),
    )


def _is_gray(image: Image.Image) -> bool:
    red, green, blue = image.split()
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    lightest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    n_coloured = sum(ImageChops.subtract(lightest, darkest).histogram()[_GRAY_CHROMA + 1 :])
    # JPEG leaves a trace of colour in a gray picture, more where its edges are sharp.
    return n_coloured <= _COLOURED_SHARE * image.width * image.height


def _look(image: Image.Image) -> bytes:
    # An exact reduction by whole numbers first is many times quicker, and what is left is still averaged.
    small = image.resize((LOOK_PX, LOOK_PX), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return small.convert("L").tobytes()
