"""Pixels that can be used while the pictures behind them are still being decoded."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from automl.images.pixels import PixelCache


class _NotWanted(Exception):
    """Ends the decoding: whoever used the pixels has stopped."""


class ArrivingPixels:
    """The pictures of a cache while a thread decodes them; `arriving` makes one."""

    def __init__(self, cache: PixelCache, sizes_px: Sequence[int]) -> None:
        self._cache, self._sizes_px = cache, sizes_px
        self._arrays: Mapping[int, np.ndarray] = {}
        self._news = threading.Condition()
        self._later: set[int] = set()  # rows that are there while some before them are not
        self._n_there = 0
        self._error: Exception | None = None
        self._is_over, self._is_wanted = False, True
        self._thread = threading.Thread(target=self._decode, daemon=True, name="arriving-pixels")
        self._thread.start()

    def of_size(self, size_px: int) -> "ArrivingRows":
        """The pictures at one of the sizes."""
        return ArrivingRows(self, size_px)

    def rows(self, size_px: int, rows: slice) -> np.ndarray:
        """Waits until these rows, and all before them, are there. uint8 (n, size_px, size_px, 3).

        Raises:
            BadImage, DiskFull, RunFailed: see `PixelCache.decode`.
        """
        _, stop, _ = rows.indices(len(self._cache.images))
        with self._news:
            self._news.wait_for(lambda: self._is_over or self._n_there >= stop)
            if self._error is not None:
                raise self._error
            arrays = self._arrays
        return arrays[size_px][rows] if size_px in arrays else self._cache.open(size_px)[rows]

    def close(self, *, is_wanted: bool) -> None:
        """Waits for the end of the decoding, which comes at once where it `is_wanted` no longer."""
        self._is_wanted = is_wanted
        self._thread.join()
        if is_wanted and self._error is not None:
            raise self._error

    def n_images(self) -> int:
        return len(self._cache.images)

    def _decode(self) -> None:
        error: Exception | None = None
        try:
            self._cache.decode(self._sizes_px, self._on_progress, on_begin=self._begin, on_rows=self._take)
        except Exception as raised:  # noqa: BLE001 - raised again where the rows are asked for
            error = raised
        with self._news:
            self._error, self._is_over = error, True
            self._news.notify_all()

    def _begin(self, arrays: Mapping[int, np.ndarray]) -> None:
        with self._news:
            self._arrays = arrays

    def _on_progress(self, _done: int, _total: int) -> None:
        if not self._is_wanted:
            raise _NotWanted

    def _take(self, rows: range) -> None:
        with self._news:
            self._later.update(rows)
            while self._n_there in self._later:
                self._later.remove(self._n_there)
                self._n_there += 1
            self._news.notify_all()


@dataclass(frozen=True, slots=True)
class ArrivingRows:
    """Pictures of one size, which are waited for where they are asked for.

    Attributes:
        pixels: all that is being decoded.
        size_px: the side of the pictures.
    """

    pixels: ArrivingPixels
    size_px: int

    def __len__(self) -> int:
        return self.pixels.n_images()

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self.pixels.rows(self.size_px, rows)


@contextmanager
def arriving(cache: PixelCache, sizes_px: Sequence[int]) -> Iterator[ArrivingPixels]:
    """Decodes the pictures of `cache` at these sizes in a thread; the block may use what is there.

    At its end the files are complete; where the block raises, the decoding is given up.

    Raises:
        BadImage, DiskFull, RunFailed: see `PixelCache.decode`.
    """
    pixels = ArrivingPixels(cache, sizes_px)
    try:
        yield pixels
    except BaseException:
        pixels.close(is_wanted=False)
        raise
    pixels.close(is_wanted=True)
