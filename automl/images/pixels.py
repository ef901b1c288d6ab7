"""The cache of pixels: each picture is decoded once, for all input sizes, into memory-mapped uint8 arrays.

The decoder is the one of `predict.py`, so training sees what the delivered model will see. How a picture becomes
square is one of its rules, and so part of the key.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from automl.atomic_files import no_half_files
from automl.checked_files import SUFFIX, add_checksum, is_sound, remove
from automl.errors import BadImage, StoreDamaged
from automl.images.decoding.limits import DEFAULT_IMAGE_BYTES, DecodingLimits
from automl.images.decoding.orders import Fill
from automl.images.decoding.pool import Decoders
from automl.records import ImageRecord
from automl.serving.predict import DECODE_PX, PhotoRules
from automl.text.messages import pixels as pixel_messages

SCRATCH_PREFIX = "scratch-"
"""Names of folders with files that a run needs only while it lasts begin with this."""

_FORMAT = 2
_CHUNK = 32
_MOST_BYTES_OF_A_PIXEL = 8
_OLDER_THAN_ANY_RUN_S = 25 * 3600
_IN_USE_S = 24 * 3600

OnProgress = Callable[[int, int], None]
"""Called with the numbers of what is done and of what is to do. It may raise to end the work."""

OnRows = Callable[[range], None]
"""Called with the rows of the pictures that were decoded last. They come in any order."""


def content_key(images: Sequence[ImageRecord], image_size_px: int, rules: PhotoRules) -> str:
    """A key for the pixels of these pictures, in this order, at this size and by these rules.

    The same contents have the same key.
    """
    digest = hashlib.sha256(f"{_FORMAT} {DECODE_PX} {image_size_px} {rules}".encode())
    for image in images:
        digest.update(image.sha256.encode())
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class PixelCache:
    """Decoded pictures on disk, one file for each input size.

    Attributes:
        folder: Where the files are.
        images: The pictures, in the order of their rows.
        rules: How their pixels become those of the files.
    """

    folder: Path
    images: tuple[ImageRecord, ...]
    rules: PhotoRules

    def path(self, image_size_px: int) -> Path:
        """The file for this input size, whether it is there or not."""
        return self.folder / f"pixels-{content_key(self.images, image_size_px, self.rules)}.npy"

    def open(self, image_size_px: int) -> np.ndarray:
        """The pixels, uint8 (n, image_size_px, image_size_px, 3), 0-255, memory-mapped and read-only."""
        pixels: np.ndarray = np.load(self.path(image_size_px), mmap_mode="r")
        return pixels

    def decode(
        self,
        sizes_px: Sequence[int],
        on_progress: OnProgress,
        *,
        on_begin: Callable[[Mapping[int, np.ndarray]], None] = lambda _arrays: None,
        on_rows: OnRows = lambda _rows: None,
    ) -> None:
        """Decodes the pictures at those sizes for which there is no file yet.

        Args:
            sizes_px: the input sizes.
            on_progress: is called after each chunk.
            on_begin: is called with the arrays that are about to be filled, by their size.
            on_rows: is called with the rows that are filled.

        Raises:
            BadImage: A picture that was readable when it was checked no longer is.
            StoreDamaged: The file of a picture is gone, or not what was checked.
            DiskFull: There is no room; nothing half-written is left behind.
            RunFailed: A process that decodes was killed.
        """
        missing = [size for size in sizes_px if not is_sound(self.path(size))]
        if not missing:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with no_half_files([self.path(size) for size in missing]) as parts:
            n = len(self.images)
            arrays = [_new_array(part, (n, size, size, 3)) for part, size in zip(parts, missing, strict=True)]
            decoders = Decoders(self._limits())
            chunks = (range(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK))
            done = 0
            on_begin(dict(zip(missing, arrays, strict=True)))
            # Closing ends the work also where `on_progress` raises.
            with closing(decoders.map(partial(self._fill, files=parts, decoders=decoders), chunks, batch=1)) as filled:
                for rows in filled:
                    on_rows(rows)
                    done += len(rows)
                    on_progress(done, n)
            for array in arrays:
                array.flush()
        for size in missing:
            add_checksum(self.path(size))

    def delete(self, sizes_px: Sequence[int]) -> None:
        """Deletes the files of these sizes once their features are computed. They can always be made again."""
        for size in sizes_px:
            remove(self.path(size))

    def _fill(self, chunk: Sequence[range], *, files: Sequence[Path], decoders: Decoders) -> list[range]:
        """Has the pictures of these rows decoded into the files. Raises BadImage, StoreDamaged."""
        for rows in chunk:
            some = [(row, self.images[row]) for row in rows]
            orders = [
                Fill(path=image.path, sha256=image.sha256, arrays=tuple(files), row=row, rules=self.rules)
                for row, image in some
            ]
            for row, answer in zip(rows, decoders.answers(orders), strict=True):
                if isinstance(answer, StoreDamaged | FileNotFoundError):
                    raise StoreDamaged(pixel_messages.PHOTO_CHANGED.format(name=self.images[row].name))
                if isinstance(answer, Exception):
                    reason = answer.strerror if isinstance(answer, OSError) else str(answer)
                    raise BadImage(pixel_messages.NO_LONGER_READABLE.format(name=self.images[row].name, reason=reason))
        return list(chunk)

    def _limits(self) -> DecodingLimits:
        """The check has opened all of them, so the largest one may be opened again, whatever is allowed by now."""
        largest = max((image.width * image.height for image in self.images), default=0)
        return DecodingLimits(max_image_bytes=max(DEFAULT_IMAGE_BYTES, _MOST_BYTES_OF_A_PIXEL * largest))


def mark_used(path: Path) -> bool:
    """Keeps a file from being swept for a day. False if it is not there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def sweep(folder: Path, max_features_bytes: float = 20e9) -> None:
    """Removes what killed runs have left, and the features that were not used for longest.

    Files of killed runs are removed when they are older than any run can last. Features are removed while all of them
    together are larger than `max_features_bytes`, but never those that were used within the last day.
    """
    now = time.time()
    for path, status in _files(folder, "pixels-*.npy", f"pixels-*{SUFFIX}", ".*.part", "features-*.part"):
        if now - status.st_mtime > _OLDER_THAN_ANY_RUN_S:
            path.unlink(missing_ok=True)
    for path, status in _files(folder, f"{SCRATCH_PREFIX}*"):
        if now - status.st_mtime > _OLDER_THAN_ANY_RUN_S:
            shutil.rmtree(path, ignore_errors=True)
    n_bytes = 0
    for path, status in sorted(_files(folder, "features-*.npy"), key=lambda file: -file[1].st_mtime):
        n_bytes += status.st_size
        if n_bytes > max_features_bytes and now - status.st_mtime > _IN_USE_S:
            remove(path)


def _files(folder: Path, *patterns: str) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in (path for pattern in patterns for path in folder.glob(pattern)):
        with suppress(FileNotFoundError):  # another run sweeps as well
            found.append((path, path.stat()))
    return found


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """A new array on disk whose room is taken at once.

    Writing into a memory map without room on the disk would end the process with SIGBUS.
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array
