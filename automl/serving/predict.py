#!/usr/bin/env python3
"""Says what is in a picture, with a model that Darkroom trained.

    python predict.py photo.jpg another.png

It needs only what requirements.txt lists. Darkroom itself decodes, resizes and predicts with this very file, in
training and on its web page, so its answers here are those that were measured there.
"""

import argparse
import io
import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from PIL import Image, ImageFile

DECODE_PX = 320
"""A JPEG may be decoded at a fraction of its size, as long as both sides keep at least this many pixels: the most that
a model is trained on."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Pillow reads many more formats; some start other programs (EPS), and none of them is for photographs."""

BACKGROUNDS = {"white": 255, "gray": 128, "black": 0}
"""What may be put behind transparent photos, as gray values."""

ASPECTS = ("squeeze", "whole", "crop")
"""How a photo may become a square: see `resize_square`."""

MODELS = ("model.onnx",)
"""What this program asks, in the order in which it looks for it."""

CONTRACT = "serving.json"
"""What every model carries beside its network: see `PhotoRules`."""

DISTANCE = "distance.npz"
"""What a model carries that knows how far a photo is from all that it learned from, unless that is a part of its
network, as in `model.onnx`: see `FeatureDistance`."""

_CONTRACT_VERSION = 2
_INTEGER_WHITES = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_FLOAT_WHITES = (1.0, *_INTEGER_WHITES)
_FLOAT_SLACK = 0.1
"""Floats may leave their range by this share of it, as those do that were resized or sharpened."""

_OTHER_BYTES = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B" if sys.byteorder == "little" else "RGB;16L",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B" if sys.byteorder == "little" else "RGBA;16L",
    "LA;16B": "RGBA",
}
"""Of 16 bits for each colour Pillow keeps the upper 8. Asked for the other order of bytes, it gives the lower ones; the
four bytes of a gray value with its alpha are those of a colour with its alpha."""

_SAMPLE_BYTES = {"I;16": 2, "I": 4, "F": 4}
"""By the modes of Pillow in which it is not 1."""

_STRIP_PIXELS = 1 << 22
"""A large picture is worked on in strips of so many pixels: copies of all of it would not fit into memory."""

_ORIENTATION, _PHOTOMETRIC, _BITS = 0x0112, 0x0106, 0x0102
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MOST_CLEANED_BYTES = 256 << 20
"""A larger file is decoded as it is: cleaning works in memory."""

_PNG_START, _JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_PNG_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_TRANSPARENCY_BYTES = {0: 2, 2: 6, 3: 1}
"""The least that `tRNS` has for each type of colour that may have it."""

_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"
_JPEG_ASIDE = {0xE0 + number for number in range(16)} | {0xFE}
_MOST_LOST_SHARE = 0.05
"""A JPEG that ends too early is used if it lacks no more of its pixels, as browsers show it."""

_TIFF_PIXELS = {254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325}
_TIFF_PIXELS |= {332, 334, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532}

GrayRange = tuple[float, float]
"""The values that become black (0) and white (255); what lies between is scaled evenly, what lies outside is cut."""


@dataclass(frozen=True)
class PhotoRules:
    """How the pixels of a file become those that the model sees, from the record `serving.json`.

    Attributes:
        version: Of the record. 0 is for models that are older than the record: what they were trained with. Before 2,
            of colours with more than 8 bits the upper 8 counted.
        integers: For photos of more than 8 bits; None where each photo goes by its own values.
        floats: The same for gray photos of floating-point numbers.
        background: The gray value behind transparent photos.
        darker_integers: Smaller ranges, the smallest first; the first that holds all values of a photo is its range.
        darker_floats: The same for floating-point numbers.
        aspect: How a photo becomes a square, one of `ASPECTS`.
    """

    version: int = _CONTRACT_VERSION
    integers: GrayRange | None = None
    floats: GrayRange | None = None
    background: int = 255
    darker_integers: Sequence[GrayRange] = ()
    darker_floats: Sequence[GrayRange] = ()
    aspect: str = ASPECTS[0]

    @classmethod
    def read(cls, text: str | bytes) -> "PhotoRules":
        """The rules from their JSON; those of an older model where there is none.

        Raises:
            ValueError: A newer Darkroom has written it.
        """
        if not text:
            return cls(version=0)
        record = json.loads(text)
        is_known = record["version"] <= _CONTRACT_VERSION and record["orientation"] == "exif"
        if not is_known or record["aspect"] not in ASPECTS:
            raise ValueError("This model was made by a newer Darkroom: use the predict.py that came with it.")
        gray = record["gray"]
        return cls(
            version=record["version"],
            integers=_range_in(gray["integers"]),
            floats=_range_in(gray["floats"]),
            background=BACKGROUNDS[record["background"]],
            darker_integers=_ranges_in(gray.get("darker_integers", ())),
            darker_floats=_ranges_in(gray.get("darker_floats", ())),
            aspect=record["aspect"],
        )

    def range_for(self, lowest: float, highest: float, *, is_float: bool) -> GrayRange:
        """The range of a photo that has such values."""
        for one in self.darker_floats if is_float else self.darker_integers:
            if _holds(one, lowest, highest, is_float=is_float):
                return one
        known = self.floats if is_float else self.integers
        return known or range_holding(lowest, highest, is_float=is_float) or (lowest, highest)


def _range_in(record: Any) -> GrayRange | None:
    return None if record is None else (float(record["black"]), float(record["white"]))


def _ranges_in(records: Sequence[Any]) -> tuple[GrayRange, ...]:
    return tuple((float(record["black"]), float(record["white"])) for record in records)


def sure_in(contract: str | bytes) -> float | None:
    """The confidence from which on an answer counts as sure, by the JSON of `serving.json`; None where it says none."""
    sure: float | None = json.loads(contract).get("sure") if contract else None
    return sure


def sure_beside(model: Path, carried: str | bytes) -> float | None:
    """The same of a model: the file that lies beside it counts, since its user may have chosen another one.

    carried: the JSON inside the model.
    """
    beside = model.parent / CONTRACT
    return sure_in(beside.read_bytes() if beside.is_file() else carried)


def foreign_in(contract: str | bytes) -> float | None:
    """The distance beyond which a photo looks like nothing that was learned, by the JSON of `serving.json`; None where
    it says none."""
    foreign: float | None = json.loads(contract).get("foreign") if contract else None
    return foreign


_SMALLEST_NORM = 1e-12


@dataclass(frozen=True)
class FeatureDistance:
    """How far photos are from all that a model learned from, by what its network pools.

    It is a Mahalanobis distance: the shape of the learned photos' features is known along their few widest directions,
    and all other directions count alike. It is divided by the distance from which on a photo counts as foreign.

    Attributes:
        taps: names of the layers that pool.
        widths: the number of features of each.
        mean: float32 (n_features,), of the learned photos, each tap divided by its norm.
        directions: float32 (n_features, rank): a difference along them counts for less.
        weight: what the square of a difference counts in all other directions.
        scales: float32 (n_features,); what the runtime gives is multiplied by it, then `offsets` are added.
        offsets: float32 (n_features,). Both are 1 and 0, but for models of whole numbers.
    """

    taps: tuple[str, ...]
    widths: tuple[int, ...]
    mean: np.ndarray
    directions: np.ndarray
    weight: float
    scales: np.ndarray | None = None
    offsets: np.ndarray | None = None

    @classmethod
    def read(cls, stored: bytes) -> "FeatureDistance | None":
        """From the bytes of `distance.npz`; None where there are none."""
        if not stored:
            return None
        with np.load(io.BytesIO(stored)) as arrays:
            return cls(
                taps=tuple(arrays["taps"].tolist()),
                widths=tuple(arrays["widths"].tolist()),
                mean=arrays["mean"],
                directions=arrays["directions"],
                weight=float(arrays["weight"]),
                scales=arrays.get("scales"),
                offsets=arrays.get("offsets"),
            )

    def stored(self) -> bytes:
        """The bytes of `distance.npz`."""
        arrays = {
            "taps": np.array(self.taps),
            "widths": np.array(self.widths),
            "mean": self.mean,
            "directions": self.directions,
            "weight": np.array(self.weight),
        }
        if self.scales is not None and self.offsets is not None:
            arrays |= {"scales": self.scales, "offsets": self.offsets}
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()

    def of(self, taps: np.ndarray) -> np.ndarray:
        """float32 (batch,): 0 in the middle of what was learned, above 1 for foreign photos.

        taps: float (batch, n_features), the pooled taps side by side, as the runtime gives them.
        """
        values = taps.astype(np.float32)
        if self.scales is not None and self.offsets is not None:
            values = values * self.scales + self.offsets
        parts = np.split(values, np.cumsum(self.widths)[:-1], axis=1)
        norms = [np.maximum(np.linalg.norm(part, axis=1, keepdims=True), _SMALLEST_NORM) for part in parts]
        centred = np.concatenate([part / norm for part, norm in zip(parts, norms, strict=True)], axis=1) - self.mean
        squares = self.weight * np.square(centred).sum(axis=1) - np.square(centred @ self.directions).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(squares, 0)), np.float32)


RULES = PhotoRules()
"""Those of a model whose photos were ordinary ones."""


@dataclass(frozen=True)
class StoredPixels:
    """The pixels of a photo as its file holds them.

    Attributes:
        image: As Pillow decodes them; of colours with 16 bits only the upper 8.
        deep: uint16 (height, width, 3 or 1), all 16 bits of such colours, without alpha; None for other photos.
    """

    image: Image.Image
    deep: np.ndarray | None = None


@dataclass(frozen=True)
class OpenPhoto:
    """A photo whose header has been read.

    Attributes:
        image: It has its size, and decodes when it is loaded.
        orientation: How it is to be turned, 1-8 as in EXIF.
        stream: The bytes that `image` is decoded from.
    """

    image: Image.Image
    orientation: int
    stream: IO[bytes]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture, before a JPEG is reduced."""
        width, height = self.image.size
        return (height, width) if self.orientation >= 5 else (width, height)

    @property
    def n_bytes(self) -> int:
        """Bytes of the decoded picture, before a JPEG is reduced: width x height x channels x bytes of a sample."""
        n_samples = self.image.width * self.image.height * len(self.image.getbands())
        kind = self.image.mode
        return n_samples * (2 if _raw_mode(self.image) in _OTHER_BYTES else _SAMPLE_BYTES.get(kind[:4], 1))

    def decoded(self) -> StoredPixels:
        """The pixels as they are stored; a JPEG may be reduced."""
        _refuse_mixed_up_bytes(self.image)
        self.image.draft("RGB", (DECODE_PX, DECODE_PX))
        kind = _raw_mode(self.image)
        self.image.load()
        return StoredPixels(self.image, self._all_bits(kind) if kind in _OTHER_BYTES else None)

    def _all_bits(self, kind: str) -> np.ndarray:
        """uint16 (height, width, 3), or (height, width, 1) of a gray photo with alpha."""
        self.stream.seek(0)
        with Image.open(self.stream, formats=FORMATS) as again:
            assert isinstance(again, ImageFile.ImageFile)
            again.tile = [tile._replace(args=_with_other_bytes(tile.args)) for tile in again.tile]
            again.load()
            of_upper, of_lower = (slice(1), slice(1, 2)) if kind == "LA;16B" else (slice(3), slice(3))
            deep = np.empty((again.height, again.width, 1 if kind == "LA;16B" else 3), np.uint16)
            for box in _strips(again):
                rows = deep[box[1] : box[3]]
                rows[:] = np.asarray(self.image.crop(box))[..., of_upper]
                rows <<= 8
                rows |= np.asarray(again.crop(box))[..., of_lower]
        return deep

    def upright(self, image: Image.Image) -> Image.Image:
        """The picture turned as EXIF says."""
        turn = _TURNS.get(self.orientation)
        return image if turn is None else image.transpose(turn)


@contextmanager
def open_photo(source: str | Path | IO[bytes]) -> Iterator[OpenPhoto]:
    """Opens a photo. Whatever is in the file beside its pixels is left out first, but for the orientation in EXIF.

    Raises what Pillow raises (OSError, SyntaxError, ValueError, Image.DecompressionBombError) for unreadable bytes.
    """
    with Path(source).open("rb") if isinstance(source, (str, Path)) else nullcontext(source) as file:
        stream, orientation = _cleaned(file)
        with Image.open(stream, formats=FORMATS) as image:
            if image.format == "WEBP":
                orientation = _exif_orientation(image.info.get("exif", b""))
            yield OpenPhoto(image, orientation or 1, stream)


def _strips(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Left, upper, right and lower edge of each strip, from the top."""
    n_rows = max(1, _STRIP_PIXELS // max(1, image.width))
    for top in range(0, image.height, n_rows):
        yield 0, top, image.width, min(top + n_rows, image.height)


def _raw_mode(image: Image.Image) -> str:
    """How the bytes of the file are packed, empty where that is not known before it is decoded."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    args = tiles[0].args if tiles else ""
    return str(args if isinstance(args, str) or not args else args[0])


def _with_other_bytes(args: Any) -> Any:
    """What the decoder is told, for the other byte of each value."""
    return _OTHER_BYTES[args] if isinstance(args, str) else (_OTHER_BYTES[args[0]], *args[1:])


def _refuse_mixed_up_bytes(image: Image.Image) -> None:
    """A TIFF whose colours are stored one after the other is read by Pillow as if each value were one byte."""
    bits = getattr(image, "tag_v2", {}).get(_BITS, (8,))
    if _raw_mode(image) in ("R", "G", "B", "A") and max(bits, default=8) > 8:
        raise ValueError("unsupported: planes of more than 8 bits")


def open_rgb(source: str | Path | IO[bytes], rules: PhotoRules = RULES) -> Image.Image:
    """Decodes a picture to upright RGB, by the rules of a model. The first frame counts. Raises as `open_photo`."""
    with open_photo(source) as photo:
        return photo.upright(to_rgb(photo.decoded(), rules))


def is_deep_gray(image: Image.Image) -> bool:
    """Whether its values are gray and may be beyond 0-255."""
    return image.mode == "F" or image.mode.startswith("I")


def to_rgb(stored: StoredPixels, rules: PhotoRules) -> Image.Image:
    """Decoded pixels as RGB, 8 bits a channel."""
    image = in_8_bits(stored, rules)
    layer = transparent_layer(image)
    if layer is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    if rules.version > 0 and is_all_clear(layer):
        return layer.convert("RGB")
    return on_background(layer, rules.background)


def in_8_bits(stored: StoredPixels, rules: PhotoRules) -> Image.Image:
    """Decoded pixels with 8 bits a channel, transparency among them."""
    if is_deep_gray(stored.image):
        return Image.fromarray(_gray_8_bits(stored.image, rules))
    if stored.deep is not None and rules.version > 1:
        return _colour_8_bits(stored.image, stored.deep, rules)
    return stored.image


def _colour_8_bits(image: Image.Image, deep: np.ndarray, rules: PhotoRules) -> Image.Image:
    """The image with its colours scaled as deep gray is; transparency stays."""
    black, white = rules.range_for(int(deep.min()), int(deep.max()), is_float=False)
    scale = np.clip((np.arange(1 << 16) - black) * (255 / max(white - black, 1)), 0, 255).round().astype(np.uint8)
    colours = Image.new("RGB", image.size)
    for box in _strips(image):
        rows = deep[box[1] : box[3]]
        colours.paste(Image.fromarray(scale[rows if rows.shape[2] == 3 else rows.repeat(3, axis=2)]), box)
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    elif "transparency" in image.info:
        colours.info["transparency"] = image.info["transparency"]
    return colours


def transparent_layer(image: Image.Image) -> Image.Image | None:
    """A decoded picture as RGBA if any part of it is transparent, else None."""
    if not {"A", "a"} & set(image.getbands()) and "transparency" not in image.info:
        return None
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    return layer if layer.getchannel("A").getextrema() != (255, 255) else None


def is_all_clear(layer: Image.Image) -> bool:
    """Whether alpha is 0 everywhere. Then it means nothing: the colours below are all that there is."""
    return layer.getchannel("A").getextrema() == (0, 0)


def on_background(layer: Image.Image, gray: int) -> Image.Image:
    """An RGBA picture as RGB, before a background of one gray value."""
    together = Image.new("RGB", layer.size)
    for box in _strips(layer):
        strip = layer.crop(box)
        behind = Image.new("RGBA", strip.size, (gray, gray, gray, 255))
        together.paste(Image.alpha_composite(behind, strip).convert("RGB"), box)
    return together


def deep_gray(image: Image.Image) -> np.ndarray:
    """float (height, width), the values of a deep gray picture as they are stored."""
    return np.array(image, dtype=np.float64 if image.mode == "I" else np.float32)


def range_holding(lowest: float, highest: float, *, is_float: bool) -> GrayRange | None:
    """The smallest range of 8, 10, 12, 14 or 16 bits, or for floats 0-1, that holds such values; None where none does,
    such as for negative ones."""
    for white in _FLOAT_WHITES if is_float else _INTEGER_WHITES:
        if _holds((0.0, white), lowest, highest, is_float=is_float):
            return 0.0, white
    return None


def _holds(window: GrayRange, lowest: float, highest: float, *, is_float: bool) -> bool:
    """Whether all values lie in a range; floats may leave it a little."""
    slack = (_FLOAT_SLACK if is_float else 0.0) * (window[1] - window[0])
    return lowest >= window[0] - slack and highest <= window[1] + slack


def finite_ends(values: np.ndarray) -> GrayRange:
    """The smallest and the largest value, without those that are no numbers; 0 and 0 where there is none."""
    if not np.issubdtype(values.dtype, np.floating):
        return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    is_finite = np.isfinite(values)
    if not is_finite.any():
        return 0.0, 0.0
    lowest, highest = values.min(where=is_finite, initial=np.inf), values.max(where=is_finite, initial=-np.inf)
    return float(lowest), float(highest)


def _gray_8_bits(image: Image.Image, rules: PhotoRules) -> np.ndarray:
    if rules.version == 0:
        return _gray_as_before(image)
    black, white = rules.range_for(*finite_ends(np.asarray(image)), is_float=image.mode == "F")
    gray = np.empty((image.height, image.width), np.uint8)
    for box in _strips(image):
        values = deep_gray(image.crop(box))
        values -= black
        values *= 255 / (white - black) if white > black else 0
        np.nan_to_num(values, copy=False, nan=0.0)
        gray[box[1] : box[3]] = np.clip(values, 0, 255, out=values).round()
    # A TIFF may say that its lowest value is white. Pillow heeds that for 8 bits only.
    return 255 - gray if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0 else gray


def _gray_as_before(image: Image.Image) -> np.ndarray:
    """What models without a record were trained with."""
    if image.mode == "F":
        return np.asarray(np.clip(np.nan_to_num(np.asarray(image)), 0, 255).astype(np.uint8))
    wide = np.asarray(image, dtype=np.float64)
    return np.asarray(np.clip(wide / 257.0 if wide.max() > 255 else wide, 0, 255).round().astype(np.uint8))


def _cleaned(stream: IO[bytes]) -> tuple[IO[bytes], int | None]:
    """The same picture with nothing beside its pixels, and its orientation; None where the file itself is decoded."""
    stream.seek(0)
    head = stream.read(8)
    stream.seek(0)
    clean = next((clean for begin, clean in _CLEANERS.items() if head.startswith(begin)), None)
    n_bytes = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if clean is None or n_bytes > _MOST_CLEANED_BYTES:
        return stream, None
    cleaned, orientation = clean(stream.read(n_bytes))  # not of the most that it may be: memory is taken for it at once
    return io.BytesIO(cleaned), orientation


def _clean_png(data: bytes) -> tuple[bytes, int]:
    """Keeps header, palette, pixels and transparency; transparency only where it is sound, as browsers do."""
    kept, orientation = [_PNG_START], 1
    least = _PNG_TRANSPARENCY_BYTES.get(data[25]) if len(data) > 25 else None
    for name, chunk in _png_chunks(data):
        is_transparency = name == b"tRNS" and least is not None and len(chunk) >= 12 + least and _is_sound(chunk)
        if name in _PNG_PIXELS or is_transparency:
            kept.append(chunk)
        elif name == b"eXIf" and _is_sound(chunk):
            orientation = _exif_orientation(chunk[8:-4])
    return b"".join(kept), orientation


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes of each chunk. The end is there unless the pixels themselves are cut off."""
    at = len(_PNG_START)
    while at + 8 <= len(data):
        n_bytes, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name == b"IEND":
            break
        chunk = data[at : at + 12 + n_bytes]
        if 8 + n_bytes <= len(chunk) < 12 + n_bytes:  # only its checksum is cut off
            chunk = chunk[: 8 + n_bytes] + zlib.crc32(chunk[4 : 8 + n_bytes]).to_bytes(4, "big")
        yield name, chunk
        if len(chunk) < 12 + n_bytes:
            return
        at += 12 + n_bytes
    yield b"IEND", _PNG_END


def _is_sound(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _clean_jpeg(data: bytes) -> tuple[bytes, int]:
    """Keeps what the pixels are made of; of the rest only what says in which colours they are."""
    kept, orientation, at = [_JPEG_START], 1, 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:  # padding, and markers without a length
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        n_bytes = int.from_bytes(data[at + 2 : at + 4], "big")
        segment, body = data[at : at + 2 + n_bytes], data[at + 4 : at + 2 + n_bytes]
        if marker == 0xE1 and body.startswith(b"Exif\0") and orientation == 1:
            orientation = _exif_orientation(body[6:])
        if marker not in _JPEG_ASIDE or _tells_colours(marker, body):
            kept.append(segment)
        at += 2 + n_bytes
        if marker == 0xDA:
            return _with_end(b"".join(kept), data[at:]), orientation
    return data, orientation


def _tells_colours(marker: int, body: bytes) -> bool:
    is_jfif = marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14
    return is_jfif or (marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12)


def _with_end(header: bytes, scans: bytes) -> bytes:
    """A JPEG with the end that is missing, if hardly more is: libjpeg makes gray of 128 of what it does not have."""
    jpeg, mended = header + scans, header + scans + _JPEG_END
    if _JPEG_END in scans:
        return jpeg
    last = scans.rfind(_JPEG_SCAN)
    if last >= 0:
        # Of several scans, one that adds the last bit may be cut off; after any other, details are missing.
        n_bytes = int.from_bytes(scans[last + 2 : last + 4], "big")
        return mended if scans[last + 1 + n_bytes : last + 2 + n_bytes] == b"\x10" else jpeg
    with Image.open(io.BytesIO(mended), formats=["JPEG"]) as image:
        image.draft(image.mode, (1, 1))
        pixels = np.asarray(image, dtype=np.int16).reshape(image.height, image.width, -1)
    lost = (np.abs(pixels - 128) <= 1).all(axis=2)
    return mended if lost.mean() <= _MOST_LOST_SHARE else jpeg


def _clean_tiff(data: bytes) -> tuple[bytes, int | None]:
    """Keeps the tags of the first picture that its pixels are made of."""
    order = "<" if data.startswith(b"II") else ">"
    try:
        (at,) = struct.unpack_from(order + "I", data, 4)
        (n_tags,) = struct.unpack_from(order + "H", data, at)
        entries = [data[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(n_tags)]
        kept = [entry for entry in entries if struct.unpack_from(order + "H", entry)[0] in _TIFF_PIXELS]
    except struct.error:
        return data, None
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept) + bytes(4)
    return data[:at] + directory + data[at + len(directory) :], _exif_orientation(data)


def _exif_orientation(exif: bytes) -> int:
    """The orientation that EXIF (a small TIFF) names, 1-8; 1 where it makes no sense."""
    data = exif.removeprefix(b"Exif\0\0")
    order = "<" if data.startswith(b"II") else ">"
    try:
        (at,) = struct.unpack_from(order + "I", data, 4)
        for i in range(struct.unpack_from(order + "H", data, at)[0]):
            tag, kind = struct.unpack_from(order + "HH", data, at + 2 + 12 * i)
            if tag == _ORIENTATION and kind in _EXIF_NUMBERS:
                value = struct.unpack_from(order + _EXIF_NUMBERS[kind], data, at + 10 + 12 * i)[0]
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


_EXIF_NUMBERS = {1: "B", 3: "H", 4: "I"}
_CLEANERS: dict[bytes, Callable[[bytes], tuple[bytes, int | None]]] = {
    _PNG_START: _clean_png,
    _JPEG_START: _clean_jpeg,
    b"II*\0": _clean_tiff,
    b"MM\0*": _clean_tiff,
}


def resize_square(image: Image.Image, size_px: int, rules: PhotoRules = RULES) -> np.ndarray:
    """uint8 (size_px, size_px, 3), by the aspect of the rules.

    "squeeze": all of the picture, with its long side squeezed. "whole": all of it in its own shape, in the middle of a
    square of the background. "crop": the largest square from its middle.
    """
    to_px = shape_within(image.size, size_px) if rules.aspect == "whole" else (size_px, size_px)
    if rules.aspect == "crop":
        image = image.crop(middle_of(image.size, min(image.size)))
    resized = image.resize(to_px, Image.Resampling.BILINEAR)
    if to_px == (size_px, size_px):
        return np.asarray(resized, dtype=np.uint8)
    square = Image.new("RGB", (size_px, size_px), (rules.background,) * 3)
    square.paste(resized, ((size_px - to_px[0]) // 2, (size_px - to_px[1]) // 2))
    return np.asarray(square, dtype=np.uint8)


def shape_within(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Width and height of a picture of this shape whose long side is `side`."""
    return max(1, round(size[0] * side / max(size))), max(1, round(size[1] * side / max(size)))


def middle_of(size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """Left, upper, right and lower edge of a square in the middle of a picture."""
    left, upper = (size[0] - side) // 2, (size[1] - side) // 2
    return left, upper, left + side, upper + side


def load_image(source: str | Path | IO[bytes], size_px: int, rules: PhotoRules = RULES) -> np.ndarray:
    """uint8 (size_px, size_px, 3), as the model takes it."""
    return resize_square(open_rgb(source, rules), size_px, rules)


class Classifier:
    """A delivered `model.onnx`, a file or its bytes: pictures in, probabilities out.

    `labels`: class names in the order of the probabilities. `size_px`: side of the square that the model was
    trained on. `contract`: the JSON of how photos become pixels, empty for an older model; `rules`: the same, read.
    `sure`: the confidence from which on an answer counts as sure, None where that is not known. `foreign`: the distance
    beyond which a photo looks like nothing that was learned, None for a model that cannot tell.
    """

    def __init__(self, model: Path | bytes, n_threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.labels: tuple[str, ...] = tuple(metadata["labels"].split("\n"))
        self.size_px = int(metadata["image_size_px"])
        self.contract: str = metadata.get(CONTRACT, "")
        self.rules = PhotoRules.read(self.contract)
        self.sure = sure_in(self.contract) if isinstance(model, bytes) else sure_beside(Path(model), self.contract)
        self._input: str = self._session.get_inputs()[0].name
        self._has_distance = "distance" in [output.name for output in self._session.get_outputs()]
        self.foreign = foreign_in(self.contract) if self._has_distance else None

    def ask_arrays(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The probabilities, float32 (batch, n_classes), whose rows sum to 1, and how far each picture is from all that
        was learned, float32 (batch,), None where the model cannot tell.

        images: (batch, height, width, 3), 0-255.
        """
        found = self._session.run(None, {self._input: images.astype(np.float32)})
        return found[0], found[1] if self._has_distance else None

    def predict_arrays(self, images: np.ndarray) -> np.ndarray:
        """The probabilities only, see `ask_arrays`."""
        return self.ask_arrays(images)[0]

    def ask(self, source: str | Path | IO[bytes]) -> tuple[np.ndarray, float | None]:
        """float32 (n_classes,) for one picture file, and its distance."""
        return first_of(*self.ask_arrays(load_image(source, self.size_px, self.rules)[np.newaxis]))

    def predict(self, source: str | Path | IO[bytes]) -> np.ndarray:
        """float32 (n_classes,) for one picture file."""
        return self.ask(source)[0]


def first_of(probabilities: np.ndarray, distances: np.ndarray | None) -> tuple[np.ndarray, float | None]:
    """What was found of the first picture."""
    return probabilities[0], None if distances is None else float(distances[0])


class Answering(Protocol):
    """A classifier of any runtime: each of the delivered programs has one."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def sure(self) -> float | None: ...

    @property
    def foreign(self) -> float | None: ...

    def ask(self, source: str | Path) -> tuple[np.ndarray, float | None]: ...


def in_words(labels: Sequence[str], probabilities: np.ndarray) -> str:
    """The three likeliest classes: "rose 97.1%, tulip 2.0%, daisy 0.9%"."""
    return ", ".join(f"{labels[i]} {probabilities[i]:.1%}" for i in np.argsort(-probabilities)[:3])


def is_foreign(distance: float | None, foreign: float | None) -> bool:
    """Whether a photo looks like nothing that was learned; never where the model cannot tell."""
    return distance is not None and foreign is not None and distance > foreign


def said(classifier: Answering, probabilities: np.ndarray, distance: float | None = None) -> str:
    """The answer in words; "not sure, perhaps ..." where its confidence is below that of sure answers.

    A photo that looks like nothing the model has learned has no answer worth more than a mention.
    """
    words = in_words(classifier.labels, probabilities)
    if is_foreign(distance, classifier.foreign):
        return f"this looks like nothing it has learned (otherwise {words})"
    is_unsure = classifier.sure is not None and probabilities.max() < classifier.sure
    return f"not sure, perhaps {words}" if is_unsure else words


def answer(classifier: Answering, paths: Sequence[str | Path]) -> int:
    """Prints a line for each picture. Returns 1 if one of them could not be read, else 0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not have the letters of a class name
    n_failed = 0
    for path in paths:
        try:
            probabilities, distance = classifier.ask(path)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            n_failed += 1
            sys.stderr.write(f"{path}: not a readable picture ({error})\n")
            continue
        sys.stdout.write(f"{path}: {said(classifier, probabilities, distance)}\n")
    return 1 if n_failed else 0


def ask(arguments: list[str] | None, load: Callable[[Path], Answering], models: Sequence[str]) -> int:
    """What each delivered program does: PROGRAM [--model MODEL] PHOTO [PHOTO ...]

    load: makes a classifier of a model. models: its files or folders; the first that lies beside the programs is asked
    where no other is named.
    """
    folder = Path(__file__).resolve().parent
    beside = [folder / name for name in models]
    parser = argparse.ArgumentParser(description="Says what is in a picture.")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--model", type=Path, default=next((one for one in beside if one.exists()), beside[0]))
    options = parser.parse_args(arguments)
    if not options.model.exists():
        parser.error(f"there is no model {options.model}")
    return answer(load(options.model), options.photos)


def main(arguments: list[str] | None = None) -> int:
    return ask(arguments, Classifier, MODELS)


if __name__ == "__main__":
    sys.exit(main())
