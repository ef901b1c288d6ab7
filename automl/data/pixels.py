"""Each picture is decoded once, for all input sizes, into memory-mapped uint8 arrays.

The decoder is the one of `predict.py`, so training sees what the delivered model will see. The whole picture is
squeezed into the square: nothing at its edges is lost, and every runtime can repeat it exactly.
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.data.storage import no_half_files
from automl.records import ImageRecord
from automl.serving.predict import DECODE_PX, open_rgb, resize_square

_FORMAT = 1
_CHUNK = 64
_OLDER_THAN_ANY_RUN_S = 25 * 3600

OnProgress = Callable[[int, int], None]
"""Called with (done, total); it may raise to end the work."""


def content_key(images: Sequence[ImageRecord], image_size_px: int) -> str:
    """Names the pixels of these pictures in this order at this size: the same contents give the same key."""
    digest = hashlib.sha256(f"{_FORMAT} {DECODE_PX} {image_size_px}".encode())
    for image in images:
        digest.update(image.sha256.encode())
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class PixelCache:
    """Decoded pictures on disk, one file for each input size."""

    folder: Path
    images: tuple[ImageRecord, ...]

    def path(self, image_size_px: int) -> Path:
        return self.folder / f"pixels-{content_key(self.images, image_size_px)}.npy"

    def open(self, image_size_px: int) -> np.ndarray:
        """uint8 (n, image_size_px, image_size_px, 3), memory-mapped, read-only."""
        pixels: np.ndarray = np.load(self.path(image_size_px), mmap_mode="r")
        return pixels

    def decode(self, sizes_px: Sequence[int], on_progress: OnProgress) -> None:
        """Decodes what is not there yet.

        Raises:
            DiskFull: no room; nothing half-written is left.
        """
        missing = [size for size in sizes_px if not self.path(size).exists()]
        if not missing:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with no_half_files([self.path(size) for size in missing]) as parts:
            n = len(self.images)
            arrays = [_new_array(part, (n, size, size, 3)) for part, size in zip(parts, missing, strict=True)]
            self._fill(arrays, missing, on_progress)
            for array in arrays:
                array.flush()

    def _fill(self, arrays: list[np.memmap], sizes_px: list[int], on_progress: OnProgress) -> None:
        def decode_one(index: int) -> None:
            image = open_rgb(self.images[index].path)
            for array, size in zip(arrays, sizes_px, strict=True):
                array[index] = resize_square(image, size)

        total = len(self.images)
        # Pillow lets go of the interpreter while it decodes, so threads use every core.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, total, _CHUNK):
                list(pool.map(decode_one, range(start, min(start + _CHUNK, total))))
                on_progress(min(start + _CHUNK, total), total)

    def delete(self, sizes_px: Sequence[int]) -> None:
        """Gives the disk back once the features are computed; only time is lost if they are needed again."""
        for size in sizes_px:
            self.path(size).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes the pixels and half-written files of runs that were killed; no run lasts as long as these are old."""
    for path in [*folder.glob("pixels-*.npy"), *folder.glob(".*.part")]:
        if time.time() - path.stat().st_mtime > _OLDER_THAN_ANY_RUN_S:
            path.unlink(missing_ok=True)


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """Its room is taken at once: writing to a memory map on a full disk would end the process with SIGBUS."""
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array
