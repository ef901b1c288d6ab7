"""Photos with something odd beside their pixels, or with odd pixels: every one of them is to be used."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from bench.folder_cases.case import FolderCase, fill, put
from bench.folder_cases.odd_photos import (
    beside_a_jpeg,
    beside_a_png,
    beside_a_tiff,
    deep,
    drawing,
    encoded,
    exif,
    floating,
    jpeg_with,
    patches,
    segment,
    signed,
    without_alpha,
)

_N = 8

Write = Callable[[int], bytes]
"""The file of the picture with this seed."""


def _case(name: str, ending: str, write: Write) -> FolderCase:
    """Two classes of such files."""

    def make(root: Path) -> None:
        for seed in range(2 * _N):
            put(root, f"{('rose', 'tulip')[seed % 2]}/{seed:04d}.{ending}", write(seed))

    return FolderCase(name=name, make=make, classes={"rose": _N, "tulip": _N})


def _among_others(name: str, ending: str, odd: Mapping[str, bytes]) -> FolderCase:
    """Two classes of ordinary photos, and in the first of them such files, too."""

    def make(root: Path) -> None:
        fill(root, "rose", _N, first_seed=0)
        fill(root, "tulip", _N, first_seed=_N)
        for number, data in enumerate(odd.values()):
            put(root, f"rose/odd_{number:02d}.{ending}", data)

    return FolderCase(name=name, make=make, classes={"rose": _N + len(odd), "tulip": _N})


def _odd_pngs() -> Mapping[str, bytes]:
    names = beside_a_png(encoded(patches(0), "PNG"))
    # Each of its own picture, or all would be copies of one.
    return {name: beside_a_png(encoded(patches(100 + i), "PNG"))[name] for i, name in enumerate(names)}


def _odd_jpegs() -> Mapping[str, bytes]:
    names = beside_a_jpeg(encoded(patches(0), "JPEG"))
    return {name: beside_a_jpeg(encoded(patches(200 + i), "JPEG"))[name] for i, name in enumerate(names)}


def _odd_tiffs() -> Mapping[str, bytes]:
    names = beside_a_tiff(_gray(0))
    return {name: beside_a_tiff(_gray(300 + i))[name] for i, name in enumerate(names)}


def _gray(seed: int) -> np.ndarray:
    return np.asarray(patches(seed).convert("L"))


def _jpeg(seed: int) -> bytes:
    return encoded(patches(seed, (160, 120)), "JPEG", quality=90)


def _two_pictures(seed: int) -> bytes:
    return encoded(patches(seed), "MPO", save_all=True, append_images=[patches(seed + 1000)])


def _turned(seed: int) -> bytes:
    odd = exif([(0x010F, 12, 7, b"\xff\xff\xff\xff"), (0x0112, 3, 1, b"\6\0\0\0"), (0x8769, 4, 1, b"\xff\xff\xff\x7f")])
    return jpeg_with(segment(0xE1, b"Exif\0\0" + odd), jpeg=_jpeg(seed))


def _with_a_scale(seed: int) -> bytes:
    """Twelve bits, with a bar of full 16-bit white, as microscopes write it into their pictures."""
    picture = deep(patches(seed, (200, 200)), 12)
    picture.paste(Image.new("I;16", (60, 4), 65535), (130, 190))
    return encoded(picture, "TIFF")


def _white_drawing(seed: int) -> bytes:
    return encoded(drawing(seed, 255, is_round=seed % 2 == 0), "PNG")


def _any_drawing(seed: int) -> bytes:
    return encoded(drawing(seed, 255 * (seed // 2 % 2), is_round=seed % 2 == 0), "PNG")


CASES = (
    _among_others("pngs with something odd beside the pixels", "png", _odd_pngs()),
    _among_others("jpegs with something odd beside the pixels", "jpg", _odd_jpegs()),
    _among_others("tiffs with something odd beside the pixels", "tif", _odd_tiffs()),
    _case("jpegs that lack their last bytes", "jpg", lambda seed: _jpeg(seed)[:-20]),
    _case("photos with a second picture inside", "jpg", _two_pictures),
    _case("exif that makes no sense but for its orientation", "jpg", _turned),
    _case("gray of 10 bits", "png", lambda seed: encoded(deep(patches(seed), 10), "PNG")),
    _case("gray of 12 bits", "tif", lambda seed: encoded(deep(patches(seed), 12), "TIFF")),
    _case(
        "gray of 14 bits, packed", "tif", lambda seed: encoded(deep(patches(seed), 14), "TIFF", compression="tiff_lzw")
    ),
    _case("gray of 16 bits", "png", lambda seed: encoded(deep(patches(seed), 16), "PNG")),
    _case("gray of 12 bits with a white bar of 16", "tif", _with_a_scale),
    _case("floats from 0 to 1", "tif", lambda seed: encoded(floating(patches(seed)), "TIFF")),
    _case("floats from 0 to 4095", "tif", lambda seed: encoded(floating(patches(seed), 4095), "TIFF")),
    _case("signed values of a scanner", "tif", lambda seed: signed(patches(seed))),
    _case("white drawings on a clear ground", "png", _white_drawing),
    _case("white and black drawings on a clear ground", "png", _any_drawing),
    _case("alpha that is 0 everywhere", "png", lambda seed: encoded(without_alpha(patches(seed)), "PNG")),
)
