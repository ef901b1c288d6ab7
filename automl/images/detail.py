"""What is kept of a picture to tell whether another one is the very same shot, saved again.

A fingerprint is too coarse for that: its values are means of many pixels, in which the noise of a sensor vanishes. So
small patches are kept as they are, in the pixels of the decoded picture, together with the error that its compression
may have made in them. Another shot of a still scene differs by noise that no compression explains.
"""

import math

import numpy as np
from PIL import Image

PATCH_PX = 8
"""The block of JPEG: what one quantization step does stays inside of one patch."""

N_PATCHES_A_SIDE = 4
COLOUR_PX = 16

LOSSLESS_ERROR = 0.3
"""Gray values: what rounding alone does."""

_UNKNOWN_ERROR = 4.0
"""Gray values: about that of a JPEG of quality 50, for formats that do not say how strongly they compress."""

_LOSSLESS = frozenset({"PNG", "BMP", "TIFF"})
N_LOW = 4
"""The lowest frequencies each way, which compression keeps best."""

DETAIL = np.dtype(
    [
        ("size", "<u2", (2,)),
        ("error", "<f4"),
        ("patches", "u1", (N_PATCHES_A_SIDE**2, PATCH_PX, PATCH_PX)),
        ("colours", "u1", (2, COLOUR_PX, COLOUR_PX)),
    ]
)
"""The fields of a detail. `size`: pixels of the decoded picture each way, 0 where nothing is known of it. `error`: the
standard deviation, in gray values, of what compression adds to one low frequency. `patches`: gray values, evenly spread
over the picture. `colours`: the two colour differences (Cb, Cr), of the whole picture squeezed into the square."""


def detail_of(image: Image.Image, small: Image.Image, *, error: float) -> bytes:
    """The detail of a picture.

    Args:
        image: The decoded picture, RGB, as `open_rgb` gives it; it may be reduced.
        small: The same, RGB, squeezed into a square of twice `COLOUR_PX`.
        error: As `compression_error` gives it.
    """
    detail = np.zeros(1, DETAIL)
    colours = np.asarray(small.convert("YCbCr").reduce(small.width // COLOUR_PX))
    detail["colours"] = colours[:, :, 1:].transpose(2, 0, 1)
    if min(image.size) >= PATCH_PX:
        detail["size"] = np.minimum(image.size, np.iinfo(np.uint16).max)
        detail["error"] = error
        detail["patches"] = _patches(image)
    return detail.tobytes()


def details_from(contents: list[bytes]) -> np.ndarray:
    """The details, DETAIL (n,); those of empty bytes, of which nothing is known, have a size of 0."""
    nothing = np.zeros(1, DETAIL).tobytes()
    return np.frombuffer(b"".join(content or nothing for content in contents), DETAIL)


def compression_error(header: Image.Image) -> float:
    """What compression adds to a low frequency of a picture: a standard deviation in gray values.

    The errors of rounding to a multiple of a step are even between minus and plus half a step.

    Args:
        header: The file, opened but not necessarily decoded.
    """
    if header.format in _LOSSLESS:
        return LOSSLESS_ERROR
    tables = getattr(header, "quantization", None)
    if not tables:
        return _UNKNOWN_ERROR
    steps = np.asarray(tables[min(tables)], np.float32).reshape(PATCH_PX, PATCH_PX)[:N_LOW, :N_LOW].ravel()[1:]
    return math.sqrt(float(np.square(steps).mean()) / 12)


def _patches(image: Image.Image) -> np.ndarray:
    """uint8 (N_PATCHES_A_SIDE**2, PATCH_PX, PATCH_PX), at the corners of JPEG's own blocks."""
    rows, columns = _starts(image.height), _starts(image.width)
    boxes = [(left, top, left + PATCH_PX, top + PATCH_PX) for top in rows for left in columns]
    return np.stack([np.asarray(image.crop(box).convert("L")) for box in boxes])


def _starts(n_pixels: int) -> list[int]:
    steps = (np.arange(N_PATCHES_A_SIDE) + 0.5) / N_PATCHES_A_SIDE * (n_pixels - PATCH_PX)
    return [int(step) // PATCH_PX * PATCH_PX for step in steps]
