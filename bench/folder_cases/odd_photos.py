"""Sound pictures in files with something odd beside the pixels, and pictures with odd pixels; all of them generated."""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import tifffile
from PIL import Image

_PNG_HEADER_BYTES, _PNG_END_BYTES = 33, 12
_TEXT_BYTES = 2_000_000
ORIENTATION = 0x0112

ExifEntry = tuple[int, int, int, bytes]
"""Tag, type, number of values, and the four bytes of the value."""


def patches(seed: int, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """An RGB picture of coloured patches, (width, height) pixels, that resembles no picture of another seed."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The bytes of a file of this format."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes, *, is_sound: bool = True) -> bytes:
    """A chunk of a PNG, with a right or a wrong checksum."""
    checksum = zlib.crc32(name + data) ^ (0 if is_sound else 1)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def exif(entries: Sequence[ExifEntry], order: str = "<") -> bytes:
    """EXIF with these entries, without the words that a JPEG puts before it."""
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    rows = [struct.pack(order + "HHI", tag, kind, n) + value for tag, kind, n, value in entries]
    return start + b"".join(rows) + bytes(4)


def png_with(*chunks: bytes, png: bytes) -> bytes:
    """A PNG with more chunks before its pixels."""
    return png[:_PNG_HEADER_BYTES] + b"".join(chunks) + png[_PNG_HEADER_BYTES:]


def jpeg_with(*segments: bytes, jpeg: bytes) -> bytes:
    """A JPEG with more segments at its beginning."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def beside_a_png(png: bytes) -> Mapping[str, bytes]:
    """The same PNG with something odd in it, beside the pixels, by what that is."""
    text = b'{"node": 1}' * (_TEXT_BYTES // 11)
    packed = zlib.compress(bytes(900_000))
    return {
        "large text": png_with(chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(text)), png=png),
        "large text behind the pixels": png[:-_PNG_END_BYTES]
        + chunk(b"zTXt", b"workflow\0\0" + zlib.compress(text))
        + png[-_PNG_END_BYTES:],
        "text that unpacks to gigabytes": png_with(
            chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000))), png=png
        ),
        "very much text": png_with(*[chunk(b"zTXt", b"a\0\0" + packed)] * 90, png=png),
        "text that does not unpack": png_with(chunk(b"zTXt", b"a\0\0nonsense"), png=png),
        "a profile that unpacks to megabytes": png_with(
            chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(5_000_000))), png=png
        ),
        "a broken profile": png_with(chunk(b"iCCP", b"no profile"), png=png),
        "wrong checksums": png_with(
            chunk(b"tEXt", b"a\0b", is_sound=False), chunk(b"pHYs", bytes(9), is_sound=False), png=png
        ),
        "chunks that are too short": png_with(
            chunk(b"pHYs", b"1"), chunk(b"gAMA", b""), chunk(b"cHRM", b"1"), chunk(b"tRNS", b""), png=png
        ),
        "broken EXIF": png_with(chunk(b"eXIf", b"nonsense"), png=png),
        "a broken animation": png_with(chunk(b"acTL", b"1"), png=png),
        "something behind its end": png + b"PK\3\4" * 1000,
        "no end": png[:-_PNG_END_BYTES],
        "no end and no last checksum": png[: -_PNG_END_BYTES - 4],
    }


def beside_a_jpeg(jpeg: bytes) -> Mapping[str, bytes]:
    """The same JPEG with something odd in it, beside the pixels, by what that is."""
    upright = exif([(ORIENTATION, 3, 1, b"\1\0\0\0")])
    icc = b"ICC_PROFILE\0"
    return {
        "EXIF that is none": jpeg_with(segment(0xE1, b"Exif\0\0nonsense"), jpeg=jpeg),
        "EXIF that is cut off": jpeg_with(segment(0xE1, b"Exif\0\0" + upright[:14]), jpeg=jpeg),
        "EXIF with an endless list": jpeg_with(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff"), jpeg=jpeg),
        "an orientation of text": jpeg_with(
            segment(0xE1, b"Exif\0\0" + exif([(ORIENTATION, 2, 2, b"6\0\0\0")])), jpeg=jpeg
        ),
        "an orientation that there is not": jpeg_with(
            segment(0xE1, b"Exif\0\0" + exif([(ORIENTATION, 3, 1, b"\x63\0\0\0")])), jpeg=jpeg
        ),
        "a profile in parts that do not fit": jpeg_with(segment(0xE2, icc + b"\5\3x"), segment(0xE2, icc), jpeg=jpeg),
        "a broken list of pictures": jpeg_with(segment(0xE2, b"MPF\0II*\0\x08\0\0\0\1\0"), jpeg=jpeg),
        "broken notes of Photoshop": jpeg_with(segment(0xED, b"Photoshop 3.0\0008BIM\3\xed\xff"), jpeg=jpeg),
        "marks that are too short": jpeg_with(
            segment(0xE0, b"JFIF"), segment(0xEE, b"Adobe"), segment(0xEB, b""), jpeg=jpeg
        ),
        "a megabyte of comments": jpeg_with(*[segment(0xFE, bytes(50_000))] * 20, jpeg=jpeg),
        "bytes between its parts": jpeg_with(b"\0\1\2\3", jpeg=jpeg),
        "padding between its parts": jpeg_with(b"\xff\xff\xff", jpeg=jpeg),
        "something behind its end": jpeg + b"PK\3\4" * 1000,
        "another picture behind it": jpeg + jpeg,
        "no end": jpeg[:-2],
        "half an end": jpeg[:-1],
    }


def deep(image: Image.Image, bits: int) -> Image.Image:
    """A gray picture of 16 bits whose values are those of so many bits, from one of 8 bits."""
    gray = np.asarray(image.convert("L")).astype(np.float64)
    return Image.fromarray((gray * ((1 << bits) - 1) / 255).round().astype(np.uint16))


def deep_colour(image: Image.Image, bits: int, form: str, **options: Any) -> bytes:
    """A PNG or a TIFF of 16 bits a channel whose colours have so many bits; alpha, where there is one, has all 16."""
    eight = np.asarray(image).astype(np.float64)
    values = (eight * ((1 << bits) - 1) / 255).round().astype(np.uint16)
    if has_alpha := image.mode in ("LA", "RGBA"):
        values[..., -1] = (eight[..., -1] * 257).astype(np.uint16)
    if form == "PNG":
        return _png_of(values)
    # What scikit-image itself writes TIFFs with; Pillow writes none of this kind.
    out = io.BytesIO()
    planes = values.transpose(2, 0, 1) if options.get("planarconfig") == "separate" else values
    if has_alpha:
        options = {**options, "extrasamples": ["unassalpha"]}
    tifffile.imwrite(out, planes, photometric="rgb", **options)
    return out.getvalue()


def _png_of(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, uint16 (height, width, 2, 3 or 4); Pillow writes none."""
    height, width, n_channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[n_channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def floating(image: Image.Image, white: float = 1.0) -> Image.Image:
    """A gray picture of floating-point numbers, from 0 to `white`."""
    return Image.fromarray((np.asarray(image.convert("L")) * (white / 255)).astype(np.float32))


def signed(image: Image.Image) -> bytes:
    """A TIFF of signed 16-bit values as CT scanners write them: air is -1000, bone 1000 or more."""
    gray = np.asarray(image.convert("L")).astype(np.float64)
    return tiff((gray / 255 * 2200 - 1000).round().astype("<i2"), {339: 2})


def tiff(values: np.ndarray, more: Mapping[int, int] = MappingProxyType({}), *entries: bytes) -> bytes:
    """A gray TIFF, written by hand. values: (height, width), little-endian; more: tags; entries: more of its list."""
    height, width = values.shape
    bits, data = 8 * values.itemsize, values.tobytes()
    size = {256: width, 257: height, 258: bits, 259: 1, 277: 1, 278: height}
    tags = {**size, 262: 1, 273: 8, 279: len(data), **more}
    rows = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()]
    listed = sorted([*rows, *entries], key=lambda row: struct.unpack_from("<H", row)[0])
    start = b"II*\0" + struct.pack("<I", 8 + len(data))
    return start + data + struct.pack("<H", len(listed)) + b"".join(listed) + bytes(4)


def beside_a_tiff(values: np.ndarray) -> Mapping[str, bytes]:
    """A gray TIFF with something odd in it, beside the pixels, by what that is."""
    far_away = 0x7FFFFFF0
    return {
        "EXIF that is not there": tiff(values, {0x8769: far_away, 0x8825: far_away}),
        "EXIF that is the list itself": tiff(values, {0x8769: 8 + values.nbytes}),
        "text that is not there": tiff(values, {}, struct.pack("<HHII", 270, 2, far_away, far_away)),
        "a profile that is not there": tiff(values, {}, struct.pack("<HHII", 34675, 7, 5_000_000, far_away)),
        "a resolution of nothing": tiff(values, {}, struct.pack("<HHII", 282, 5, 1, far_away)),
        "an orientation of text": tiff(values, {}, struct.pack("<HHI4s", ORIENTATION, 2, 2, b"6\0\0\0")),
        "tags that nobody knows": tiff(values, {}, struct.pack("<HHII", 65000, 99, 7, far_away)),
        "something behind its end": tiff(values) + b"PK\3\4" * 1000,
    }


def drawing(seed: int, colour: int, *, is_round: bool) -> Image.Image:
    """A disc or a square of one gray value on a transparent ground, RGBA."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :96]
    middle, radius = rng.integers(30, 66, 2), rng.integers(10, 28)
    dy, dx = np.abs(y - middle[0]), np.abs(x - middle[1])
    is_inside = dy**2 + dx**2 <= radius**2 if is_round else np.maximum(dy, dx) <= radius
    pixels = np.zeros((96, 96, 4), np.uint8)
    pixels[is_inside] = (colour, colour, colour, 255)
    return Image.fromarray(pixels)


def without_alpha(image: Image.Image) -> Image.Image:
    """The picture with an alpha channel that is 0 everywhere, as some programs leave it."""
    clear = image.convert("RGBA")
    clear.putalpha(0)
    return clear
