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
_MEANS_PX = 32

LOSSLESS_ERROR = 0.3
"""Gray values: what rounding alone does."""

_UNKNOWN_ERROR = 4.0
"""Gray values: about that of a JPEG of quality 50, for formats that do not say how strongly they compress."""

_LOSSLESS = frozenset({"PNG", "BMP", "TIFF"})
_MEAN_STEPS = 256
_FINE_PX = 128
_GRAY = np.array([0.299, 0.587, 0.114], np.float32)

N_LOW = 4
"""The lowest frequencies each way, which compression keeps best."""

DETAIL = np.dtype(
    [
        ("size", "<u2", (2,)),
        ("error", "<f4"),
        ("patches", "u1", (N_PATCHES_A_SIDE**2, PATCH_PX, PATCH_PX)),
        ("colours", "u1", (2, COLOUR_PX, COLOUR_PX)),
        ("means", "<u2", (_MEANS_PX**2,)),
    ]
)
"""The fields of a detail. `size`: pixels of the decoded picture each way, 0 where nothing is known of it. `error`: the
standard deviation, in gray values, of what compression adds to one low frequency. `patches`: gray values, evenly spread
over the picture. `colours`: the two colour differences (Cb, Cr), of the whole picture squeezed into the square.
`means`: gray values of the picture in as many parts as a fingerprint has, _MEAN_STEPS to one; all 0 where an earlier
version has looked at the file. The noise of a shot is smaller than what rounding does to a fingerprint."""


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
    detail["means"] = _means(image)
    if min(image.size) >= PATCH_PX:
        detail["size"] = np.minimum(image.size, np.iinfo(np.uint16).max)
        detail["error"] = error
        detail["patches"] = _patches(image)
    return detail.tobytes()


def details_from(contents: list[bytes]) -> np.ndarray:
    """The details, DETAIL (n,); those of empty bytes, of which nothing is known, have a size of 0.

    Those that an earlier version has made end before the means.
    """
    return np.frombuffer(b"".join(content.ljust(DETAIL.itemsize, b"\0") for content in contents), DETAIL)


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


def _means(image: Image.Image) -> np.ndarray:
    """uint16 (_MEANS_PX**2,), row by row."""
    fine = image.resize((_FINE_PX, _FINE_PX), Image.Resampling.BILINEAR, reducing_gap=1.0)
    block = _FINE_PX // _MEANS_PX
    gray = (np.asarray(fine, np.float32) @ _GRAY).reshape(_MEANS_PX, block, _MEANS_PX, block).mean(axis=(1, 3))
    return np.asarray((gray * _MEAN_STEPS).round().astype(np.uint16).ravel())


def _starts(n_pixels: int) -> list[int]:
    steps = (np.arange(N_PATCHES_A_SIDE) + 0.5) / N_PATCHES_A_SIDE * (n_pixels - PATCH_PX)
    return [int(step) // PATCH_PX * PATCH_PX for step in steps]
