"""The features of one trial: the taps of one or more backbones side by side, normalised; NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_CHUNK = 128  # rows: a megabyte or two, which stay in the processor's cache
_SMALLEST_DEVIATION = 1e-6
_REFERENCE_REACH = 1280**0.5  # of the last layer of MobileNetV2 alone
SMALLEST_NORM = 1e-12
"""Features whose norm is smaller, as those of zeros, are divided by this: zeros stay zeros."""


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


def unit(tap: np.ndarray) -> np.ndarray:
    """The features of one tap, float (n_rows, width), each row divided by its norm: float32, a new array."""
    values = tap.astype(np.float32)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), SMALLEST_NORM)
    return values


def unit_mean(tap: np.ndarray) -> np.ndarray:
    """The mean of `unit` over all rows, float32 (width,); read in chunks, sums are float64."""
    total = np.zeros(tap.shape[1])
    for start in range(0, len(tap), _CHUNK):
        total += unit(tap[start : start + _CHUNK]).sum(axis=0, dtype=np.float64)
    return (total / max(1, len(tap))).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """How taps side by side become the inputs of a head: values = (seen - mean) * scale.

    Either way a tap has about unit norm, so that wide taps do not drown narrow ones. Then all taps are multiplied by a
    common factor: a step of Adam moves a logit by the learning rate times the sum of the inputs' sizes, and dividing by
    that sum gives a learning rate the same meaning for one tap as for fifteen.

    Attributes:
        is_unit: whether what is seen is each tap divided by its norm, otherwise the taps as they are.
        mean: float32 (n_features,).
        scale: float32 (n_features,).
        common: the factor of all taps, which `scale` includes.
    """

    is_unit: bool
    mean: np.ndarray
    scale: np.ndarray
    common: float

    @classmethod
    def standardised(cls, taps: Sequence[Moments]) -> "Normalisation":
        """Each feature is divided by its deviation, and each tap by the root of its width."""
        common, scales = _common_factor([len(tap.mean) for tap in taps]), []
        for tap in taps:
            is_constant = tap.deviation <= _SMALLEST_DEVIATION
            inverse = 1 / np.where(is_constant, 1.0, tap.deviation)
            scales.append(np.where(is_constant, 0.0, inverse) * (common / len(tap.mean) ** 0.5))
        mean, scale = np.concatenate([tap.mean for tap in taps]), np.concatenate(scales).astype(np.float32)
        return cls(is_unit=False, mean=mean, scale=scale, common=common)

    @classmethod
    def of_units(cls, means: Sequence[np.ndarray]) -> "Normalisation":
        """Each tap is divided by its norm. means: see `unit_mean`, one for each tap."""
        common, mean = _common_factor([len(one) for one in means]), np.concatenate(means)
        return cls(is_unit=True, mean=mean, scale=np.full(len(mean), common, np.float32), common=common)


def _common_factor(widths: Sequence[int]) -> float:
    return float(_REFERENCE_REACH / sum(width**0.5 for width in widths))


class View:
    """One view of all photos: columns of memory-mapped blocks, normalised where they are read.

    Args:
        parts: float16 (n_rows, width of the tap) each.
        normalisation: how they become the inputs of a head.
        in_memory: whether the whole normalised float32 matrix is kept; otherwise each `take` reads from disk.
    """

    def __init__(self, parts: Sequence[np.ndarray], normalisation: Normalisation, *, in_memory: bool) -> None:
        self._parts = tuple(parts)
        self.normalisation = normalisation
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
        values = np.empty((len(rows), self._width), np.float32)
        for start in range(0, len(rows), _CHUNK):
            self._read(rows[start : start + _CHUNK], values[start : start + _CHUNK])
        return values

    @property
    def _width(self) -> int:
        return len(self.normalisation.mean)

    def _read_all(self) -> np.ndarray:
        values = np.empty((self.n_rows, self._width), np.float32)
        for start in range(0, self.n_rows, _CHUNK):
            self._read(slice(start, start + _CHUNK), values[start : start + _CHUNK])
        return values

    def _read(self, rows: np.ndarray | slice, values: np.ndarray) -> None:
        start = 0
        for part in self._parts:
            seen = part[rows]
            values[:, start : start + part.shape[1]] = unit(seen) if self.normalisation.is_unit else seen
            start += part.shape[1]
        values -= self.normalisation.mean
        values *= self.normalisation.scale


@dataclass(frozen=True, slots=True)
class Joined:
    """The features of one trial.

    Attributes:
        plain: of the photos as they are.
        mirrored: of the mirrored photos, normalised as the plain ones; None where the trial does not use them.
    """

    plain: View
    mirrored: View | None = None

    @property
    def n_rows(self) -> int:
        return self.plain.n_rows

    @property
    def n_features(self) -> int:
        return len(self.plain.normalisation.mean)

    @property
    def views(self) -> tuple[View, ...]:
        """The photos as they are and, where the trial uses them, mirrored."""
        return (self.plain,) if self.mirrored is None else (self.plain, self.mirrored)

    @property
    def normalisation(self) -> Normalisation:
        """How the taps became these features."""
        return self.plain.normalisation

    @property
    def common(self) -> float:
        """See `Features.common`."""
        return self.normalisation.common

    def take(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), n_features), C-contiguous, normalised, for the photos `rows`: int (n,)."""
        return self.plain.take(rows)

    def take_mirrored(self, rows: np.ndarray) -> np.ndarray:
        """What `take` gives, for the mirrored photos.

        Raises:
            ValueError: this trial does not use mirrored photos.
        """
        if self.mirrored is None:
            raise ValueError("these features have no mirrored view")
        return self.mirrored.take(rows)
