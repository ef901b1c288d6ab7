"""The features of one trial: the taps of one or more backbones side by side, standardised; NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_CHUNK = 128  # rows: a megabyte or two, which stay in the processor's cache
_SMALLEST_DEVIATION = 1e-6
_REFERENCE_REACH = 1280**0.5  # of the last layer of MobileNetV2 alone


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of each column of a block.

    Attributes:
        mean: float32 (width,).
        deviation: the standard deviation, float32 (width,).
    """

    mean: np.ndarray
    deviation: np.ndarray


def moments_of(block: np.ndarray) -> Moments:
    """Reads `block`, (n_rows, width) of any float type, in chunks of rows; sums are float64."""
    n_rows, width = block.shape
    total, mean, squares = 0, np.zeros(width), np.zeros(width)
    for start in range(0, n_rows, _CHUNK):
        chunk = block[start : start + _CHUNK].astype(np.float32)
        chunk_mean = chunk.mean(axis=0, dtype=np.float64)
        chunk -= chunk_mean.astype(np.float32)
        # Two means and two sums of squares make one of each (Chan, Golub, LeVeque 1979).
        gap, n = chunk_mean - mean, len(chunk)
        squares += np.square(chunk, out=chunk).sum(axis=0, dtype=np.float64) + gap**2 * (total * n / (total + n))
        mean += gap * (n / (total + n))
        total += n
    return Moments(mean.astype(np.float32), np.sqrt(squares / max(1, total)).astype(np.float32))


def standardisation(taps: Sequence[Moments]) -> tuple[np.ndarray, np.ndarray]:
    """How taps side by side are standardised: values = (raw - mean) * scale.

    Each tap is standardised and divided by the root of its width, so that wide taps do not drown narrow ones. Then all
    taps are divided by a common number: a step of Adam moves a logit by the learning rate times the sum of the inputs'
    sizes, and dividing by that sum gives a learning rate the same meaning for one tap as for fifteen.

    Returns:
        mean and scale, float32 (n_features,) each.
    """
    common = _REFERENCE_REACH / sum(len(tap.mean) ** 0.5 for tap in taps)
    scales = []
    for tap in taps:
        is_constant = tap.deviation <= _SMALLEST_DEVIATION
        inverse = 1 / np.where(is_constant, 1.0, tap.deviation)
        scales.append(np.where(is_constant, 0.0, inverse) * (common / len(tap.mean) ** 0.5))
    return np.concatenate([tap.mean for tap in taps]), np.concatenate(scales).astype(np.float32)


class View:
    """One view of all photos: columns of memory-mapped blocks, standardised where they are read.

    Args:
        parts: float16 (n_rows, width of the part) each.
        mean: float32 (n_features,), subtracted from the raw values.
        scale: float32 (n_features,), by which they are multiplied then.
        in_memory: whether the whole standardised float32 matrix is kept; otherwise each `take` reads from disk.
    """

    def __init__(self, parts: Sequence[np.ndarray], mean: np.ndarray, scale: np.ndarray, *, in_memory: bool) -> None:
        self._parts = tuple(parts)
        self.mean, self.scale = mean, scale
        self._matrix = self._read_all() if in_memory else None

    @property
    def n_rows(self) -> int:
        return len(self._parts[0])

    @property
    def n_bytes(self) -> int:
        """Bytes that this view holds in memory."""
        return 0 if self._matrix is None else self._matrix.nbytes

    def take(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), n_features), a copy."""
        if self._matrix is not None:
            return np.take(self._matrix, rows, axis=0)
        values = np.empty((len(rows), len(self.mean)), np.float32)
        for start in range(0, len(rows), _CHUNK):
            self._read(rows[start : start + _CHUNK], values[start : start + _CHUNK])
        return values

    def _read_all(self) -> np.ndarray:
        values = np.empty((self.n_rows, len(self.mean)), np.float32)
        for start in range(0, self.n_rows, _CHUNK):
            self._read(slice(start, start + _CHUNK), values[start : start + _CHUNK])
        return values

    def _read(self, rows: np.ndarray | slice, values: np.ndarray) -> None:
        start = 0
        for part in self._parts:
            values[:, start : start + part.shape[1]] = part[rows]
            start += part.shape[1]
        values -= self.mean
        values *= self.scale


@dataclass(frozen=True, slots=True)
class Joined:
    """The features of one trial.

    Attributes:
        plain: of the photos as they are.
        mirrored: of the mirrored photos, standardised as the plain ones; None where the trial does not use them.
    """

    plain: View
    mirrored: View | None = None

    @property
    def n_rows(self) -> int:
        return self.plain.n_rows

    @property
    def n_features(self) -> int:
        return len(self.plain.mean)

    @property
    def views(self) -> tuple[View, ...]:
        """The photos as they are and, where the trial uses them, mirrored."""
        return (self.plain,) if self.mirrored is None else (self.plain, self.mirrored)

    @property
    def mean(self) -> np.ndarray:
        """float32 (n_features,); values = (raw - mean) * scale."""
        return self.plain.mean

    @property
    def scale(self) -> np.ndarray:
        """float32 (n_features,)."""
        return self.plain.scale

    def take(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), n_features), C-contiguous, standardised, for the photos `rows`: int (n,)."""
        return self.plain.take(rows)

    def take_mirrored(self, rows: np.ndarray) -> np.ndarray:
        """What `take` gives, for the mirrored photos.

        Raises:
            ValueError: this trial does not use mirrored photos.
        """
        if self.mirrored is None:
            raise ValueError("these features have no mirrored view")
        return self.mirrored.take(rows)
