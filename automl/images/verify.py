"""Whether a file really is a picture: it is decoded with the decoder that training and serving use."""

import io
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from PIL import BmpImagePlugin, Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from automl.errors import BadImage
from automl.images.detail import compression_error
from automl.images.exif_time import time_taken
from automl.images.fingerprint import Traits, traits_of
from automl.images.pixel_facts import facts_of
from automl.images.pixel_rules import contract_for, rules_of
from automl.processors import n_processors
from automl.records import PixelFacts
from automl.serving.predict import RULES, OpenPhoto, PhotoRules, StoredPixels, open_photo, to_rgb
from automl.text.messages import pixels as pixel_messages
from automl.text.numbers import size_in_words

Item = TypeVar("Item")
Result = TypeVar("Result")

THUMBNAIL_PX = 192
"""Longer side of a thumbnail."""

_JPEG_QUALITY = 80
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", pixel_messages.ARCHIVE.one),
    (b"%PDF", pixel_messages.PDF.one),
    (b"<svg", pixel_messages.SVG.one),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
# What begins so was a picture once, so a failure to read it is damage.
_PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_PLUGINS: dict[bytes, tuple[str, Callable[[IO[bytes]], Image.Image]]] = {
    b"\xff\xd8\xff": ("JPEG", JpegImagePlugin.JpegImageFile),
    b"II": ("TIFF", TiffImagePlugin.TiffImageFile),
    b"MM": ("TIFF", TiffImagePlugin.TiffImageFile),
    b"BM": ("BMP", BmpImagePlugin.BmpImageFile),
}
"""The kinds of file of which some are sound and yet too unusual for Pillow."""

_UNUSUAL = re.compile("cannot handle|unknown|unsupported|not supported|invalid value for samples", re.IGNORECASE)
"""How Pillow says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedImage:
    """A picture that decodes.

    Attributes:
        width: In pixels, of the upright picture.
        height: In pixels, of the upright picture.
        format: The name of the format, known by the bytes, such as "JPEG".
    """

    width: int
    height: int
    format: str


def verify_image(source: Path | IO[bytes], max_bytes: int) -> VerifiedImage:
    """Decodes a picture, whatever the name of its file says. May be called from several threads at once.

    Args:
        source: The path of the file, or a seekable stream of its bytes.
        max_bytes: Width x height x channels x bytes of a sample, at most.

    Raises:
        BadImage: It is not a picture, damaged, or too large; the message is for people.
        OSError: The file itself cannot be read from its disk.
    """
    with _decoded(source, max_bytes) as photo:
        photo.rgb(RULES)
        return photo.found


def open_verified(source: Path | IO[bytes], max_bytes: int, rules: PhotoRules) -> Image.Image:
    """The picture itself, upright and RGB, by the rules of a model. Otherwise as `verify_image`."""
    with _decoded(source, max_bytes) as photo:
        return photo.rgb(rules)


def inspect_photo(source: Path | IO[bytes], max_bytes: int) -> tuple[Traits, bytes]:
    """The traits of a picture, and a thumbnail of it as a JPEG without metadata, from decoding it once.

    Arguments and errors are those of `verify_image`.
    """
    with _decoded(source, max_bytes) as photo:
        found, facts, error = photo.found, facts_of(photo.stored), compression_error(photo.photo.image)
        image = photo.by_itself(facts)
        del photo  # its pixels may take hundreds of megabytes
    with _pillow_is_quiet:
        taken_at = time_taken(source)
    traits = traits_of(
        image,
        width=found.width,
        height=found.height,
        format=found.format,
        error=error,
        pixels=facts,
        taken_at=taken_at,
    )
    return traits, _redrawn(image, THUMBNAIL_PX)


def redrawn_photo(source: Path | IO[bytes], max_bytes: int, *, longest_px: int) -> bytes:
    """A picture as a JPEG without metadata, upright, as its thumbnail shows it; no side is longer than `longest_px`.

    Otherwise arguments and errors are those of `verify_image`.
    """
    with _decoded(source, max_bytes) as photo:
        image = photo.by_itself(facts_of(photo.stored))
    return _redrawn(image, longest_px)


def _redrawn(image: Image.Image, longest_px: int) -> bytes:
    image.info.clear()  # a comment in it would be written into the file
    image.thumbnail((longest_px, longest_px), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class _DecodedPhoto:
    """A photo whose pixels are in memory.

    Attributes:
        found: Its upright size and its format.
        photo: The opened file.
        stored: Its pixels as the file holds them.
    """

    found: VerifiedImage
    photo: OpenPhoto
    stored: StoredPixels

    def rgb(self, rules: PhotoRules) -> Image.Image:
        """Upright and RGB."""
        return self.photo.upright(to_rgb(self.stored, rules))

    def by_itself(self, facts: PixelFacts | None) -> Image.Image:
        """Upright and RGB, as if it were the only photo of its data set: so it is shown, and compared with others."""
        return self.rgb(rules_of(contract_for([facts] if facts else [])))


@contextmanager
def _decoded(source: Path | IO[bytes], max_bytes: int) -> Iterator[_DecodedPhoto]:
    """Decodes a photo, for work that only reads its pixels: an error of that is one of the photo, too."""
    if isinstance(source, Path):
        with source.open("rb") as handle, _decoded(handle, max_bytes) as decoded:
            yield decoded
        return
    try:
        with _pillow_is_quiet, open_photo(source) as photo:
            # The header alone refuses what is too large, before anything is decoded.
            found = _header_of(photo, max_bytes)
            yield _DecodedPhoto(found=found, photo=photo, stored=photo.decoded())
    except BadImage:
        raise
    except Exception as error:
        # Pillow's plug-ins raise about a dozen types on hostile bytes; with an errno it is the disk that failed.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadImage(_why_unreadable(source, error)) from error


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The result of `work` for each item, in order, on as many threads as there are processors.

    Threads are enough, since decoding releases Python's global lock.
    """
    with ThreadPoolExecutor(n_processors(), thread_name_prefix="verify") as pool:
        yield from pool.map(work, items)


def _header_of(photo: OpenPhoto, max_bytes: int) -> VerifiedImage:
    width, height = photo.size
    if (n_bytes := photo.n_bytes) > max_bytes:
        size, most = size_in_words(n_bytes), size_in_words(max_bytes)
        raise BadImage(pixel_messages.PICTURE_TOO_LARGE.format(n=1, size=size, most=most))
    # A phone's JPEG with a second picture inside (MPO) is read as the JPEG that it begins with.
    form = "JPEG" if photo.image.format == "MPO" else str(photo.image.format)
    return VerifiedImage(width=width, height=height, format=form)


def _why_unreadable(source: IO[bytes], error: Exception) -> str:
    """The reason for people, which depends on what the file really is."""
    if isinstance(error, Image.DecompressionBombError):
        return pixel_messages.TOO_MANY_PIXELS.format(n=1, max_pixels=2 * (Image.MAX_IMAGE_PIXELS or 0))
    if isinstance(error, MemoryError):
        return pixel_messages.TOO_LITTLE_MEMORY.one
    source.seek(0)
    head = source.read(32)
    if not head:
        return pixel_messages.EMPTY_FILE.one
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return pixel_messages.HEIF.one
    for start, reason in _OTHER_FILES:
        if head.lstrip().startswith(start):
            return reason
    for start, (form, plugin) in _PLUGINS.items():
        if head.startswith(start) and _is_unusual(source, error, plugin):
            return pixel_messages.UNUSUAL_KIND.format(n=1, form=form)
    if not isinstance(error, UnidentifiedImageError) or head.startswith(_PICTURE_STARTS):
        return pixel_messages.DAMAGED.one
    return pixel_messages.OTHER_FILE.one


def _is_unusual(source: IO[bytes], error: Exception, plugin: Callable[[IO[bytes]], Image.Image]) -> bool:
    """Whether the file is sound, and only of a kind that Pillow cannot decode."""
    source.seek(0)
    try:
        with _pillow_is_quiet, plugin(source):
            return bool(_UNUSUAL.search(str(error)))
    except Exception as reason:  # noqa: BLE001 - whatever it is, it says more than that nothing was identified
        return bool(_UNUSUAL.search(str(reason)))


class _QuietPillow:
    """Silences Pillow's warnings about odd EXIF or many pixels, since all that matters here is raised.

    `warnings.catch_warnings` is not safe in threads that overlap. So the first thread that enters silences the warnings
    for all, and the last one that leaves restores them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._catcher = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                self._catcher = warnings.catch_warnings()
                self._catcher.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\b")
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._catcher.__exit__(None, None, None)


_pillow_is_quiet = _QuietPillow()
