"""Whether a file really is a picture: it is decoded with the decoder that training and serving use."""

import io
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from PIL import Image, UnidentifiedImageError

from automl.errors import BadImage
from automl.images.detail import compression_error
from automl.images.fingerprint import Traits, traits_of
from automl.serving.predict import FORMATS, open_rgb

Item = TypeVar("Item")
Result = TypeVar("Result")

THUMBNAIL_PX = 192
"""Longer side of a thumbnail."""

_THUMBNAIL_QUALITY = 80
_ORIENTATION_TAG = 0x0112
_TURNED_ON_THEIR_SIDE = (5, 6, 7, 8)
_FORMAT_NAMES = "JPEG, PNG, WebP, BMP, GIF or TIFF"
_DAMAGED = "The picture is damaged or cut off; it cannot be read to its end."
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "This is an archive or an office document, not a picture. Unpack it first."),
    (b"%PDF", "This is a PDF, not a picture. Export its pages as JPEG or PNG."),
    (b"<svg", "This is a drawing (SVG), not a photo. Export it as PNG."),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
# What begins so was a picture once, so a failure to read it is damage.
_PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")


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


def verify_image(source: Path | IO[bytes], max_pixels: int) -> VerifiedImage:
    """Decodes a picture, whatever the name of its file says. May be called from several threads at once.

    Args:
        source: The path of the file, or a seekable stream of its bytes.
        max_pixels: The most pixels, width times height, that a picture may have.

    Raises:
        BadImage: It is not a picture, damaged, or too large; the message is for people.
        OSError: The file itself cannot be read from its disk.
    """
    return _decode(source, max_pixels)[0]


def open_verified(source: Path | IO[bytes], max_pixels: int) -> Image.Image:
    """The picture itself, upright and RGB, for a model. Arguments and errors are those of `verify_image`."""
    return _decode(source, max_pixels)[1]


def inspect_photo(source: Path | IO[bytes], max_pixels: int) -> tuple[Traits, bytes]:
    """The traits of a picture, and a thumbnail of it as a JPEG without metadata, from decoding it once.

    Arguments and errors are those of `verify_image`.
    """
    found, image = _decode(source, max_pixels)
    error = _compression_error(source)
    traits = traits_of(image, width=found.width, height=found.height, format=found.format, error=error)
    image.info.clear()  # a comment in it would be written into the thumbnail
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_THUMBNAIL_QUALITY)
    return traits, buffer.getvalue()


def _decode(source: Path | IO[bytes], max_pixels: int) -> tuple[VerifiedImage, Image.Image]:
    if isinstance(source, Path):
        with source.open("rb") as handle:
            return _decode(handle, max_pixels)
    try:
        # The header is read first: it refuses too many pixels before anything is decoded.
        with _pillow_is_quiet:
            found = _read_header(source, max_pixels)
            source.seek(0)
            return found, open_rgb(source)
    except BadImage:
        raise
    except Exception as error:
        # Pillow's plug-ins raise about a dozen types on hostile bytes; with an errno it is the disk that failed.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadImage(_why_unreadable(source, error, max_pixels)) from error


def _compression_error(source: Path | IO[bytes]) -> float:
    if not isinstance(source, Path):
        source.seek(0)
    with _pillow_is_quiet, Image.open(source, formats=FORMATS) as header:
        return compression_error(header)


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The result of `work` for each item, in order, on as many threads as there are processors.

    Threads are enough, since decoding releases Python's global lock.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="verify") as pool:
        yield from pool.map(work, items)


def _read_header(source: IO[bytes], max_pixels: int) -> VerifiedImage:
    with Image.open(source, formats=FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise BadImage(_too_many_pixels(max_pixels))
        if image.getexif().get(_ORIENTATION_TAG, 1) in _TURNED_ON_THEIR_SIDE:
            width, height = height, width
        # A phone's JPEG with a second picture inside (MPO) is read as the JPEG that it begins with.
        format = "JPEG" if image.format == "MPO" else str(image.format)
        return VerifiedImage(width=width, height=height, format=format)


def _too_many_pixels(max_pixels: int) -> str:
    return f"The picture has more than {max_pixels:,} pixels. Make it smaller."


def _why_unreadable(source: IO[bytes], error: Exception, max_pixels: int) -> str:
    """The reason for people, which depends on what the file really is."""
    if isinstance(error, Image.DecompressionBombError):
        return _too_many_pixels(min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels)))
    if isinstance(error, MemoryError):
        return "The picture needs more memory than this machine has. Make it smaller."
    source.seek(0)
    head = source.read(32)
    if not head:
        return "The file is empty."
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return "Photos in HEIC or AVIF form, as some phones take them, cannot be read here. Export it as JPEG."
    for start, reason in _OTHER_FILES:
        if head.lstrip().startswith(start):
            return reason
    if not isinstance(error, UnidentifiedImageError) or head.startswith(_PICTURE_STARTS):
        return _DAMAGED
    return f"This is not a picture in a form that can be read here ({_FORMAT_NAMES})."


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
