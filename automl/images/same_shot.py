"""Whether two pictures that resemble each other are the same shot, saved again, or two shots of the same scene.

Two questions are asked of a pair, since one record of a picture cannot answer both:

- Does the one look like the other *everywhere*, brightness, contrast and compression aside? An arrow or a lamp that is
  in one of them alone is a local difference, though it hardly changes the picture as a whole.
- Is the *grain* the same? A sensor adds other noise to each shot. In the low frequencies, which compression keeps, two
  copies of one shot differ by what rounding to the steps of their compression explains, and two shots by more.
"""

from dataclasses import dataclass

import numpy as np

from automl.images.detail import LOSSLESS_ERROR, N_LOW, PATCH_PX
from automl.images.fingerprint import FINGERPRINT_PX

_MAX_GRAY, _MAX_COLOUR = 3.5, 12.0
"""Gray values by which a 16th of each side may differ. Compression and scale make 3 and 10 of photographs."""

_CLIPPED = 18
"""Gray values from black and from white within which a mean of many pixels may hold some that were cut off."""

_LIGHT = 195
_MOST_CUT_OFF = 25
_FEWEST_CELLS = 64
_FEWEST_PATCHES = 4
_PAIRS_PER_BLOCK = 50
"""Few, so that all of it stays in the cache of the processor."""

_DETAILS_PER_BLOCK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is known of pairs of pictures.

    Attributes:
        looks_same: Whether the two look alike everywhere, bool (p,).
        grain: How much they differ in the low frequencies, as a multiple of what compression explains, float (p,); NaN
            where that cannot be told, such as of pictures of different size.
    """

    looks_same: np.ndarray
    grain: np.ndarray

    def chosen(self, which: np.ndarray) -> "Comparison":
        """Those of the pairs for which this is true."""
        return Comparison(looks_same=self.looks_same[which], grain=self.grain[which])


class ShotComparer:
    """Compares pictures pair by pair.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2).
        details: DETAIL (n,), see `automl.images.detail`.
    """

    def __init__(self, fingerprints: np.ndarray, details: np.ndarray) -> None:
        self._fingerprints, self._details = fingerprints, details
        self._low, self._inside = _low_frequencies(details), _inside(details)
        self._is_known = details["size"][:, 0] > 0

    def __len__(self) -> int:
        return len(self._details)

    def compare(self, pairs: np.ndarray) -> Comparison:
        """Compares the pictures of each pair, int (p, 2)."""
        blocks = [pairs[start : start + _PAIRS_PER_BLOCK] for start in range(0, len(pairs), _PAIRS_PER_BLOCK)]
        parts = [self._compared(block) for block in blocks]
        if not parts:
            return Comparison(looks_same=np.zeros(0, bool), grain=np.zeros(0, np.float32))
        return Comparison(
            looks_same=np.concatenate([part.looks_same for part in parts]),
            grain=np.concatenate([part.grain for part in parts]),
        )

    def _compared(self, pairs: np.ndarray) -> Comparison:
        a, b = (self._fingerprints[pairs[:, side]].astype(np.float32) for side in (0, 1))
        counts = _unclipped(a) & _unclipped(b)
        # In pictures that are mostly pure black or white, just that is what they have in common.
        counts |= counts.sum(axis=1, keepdims=True) < _FEWEST_CELLS
        gain, offset = _fitted(a, b, counts)
        counts &= ~_cut_off(a, b, gain * a + offset)
        gain, offset = _fitted(a, b, counts)
        predicted = gain * a + offset
        rest = (counts & ~_cut_off(a, b, predicted)) * (b - predicted)
        looks_same = _largest_local(rest) <= _MAX_GRAY
        looks_same[looks_same] = self._colours_differ(pairs[looks_same], counts[looks_same]) <= _MAX_COLOUR
        return Comparison(looks_same=looks_same, grain=self._grain(pairs, gain[:, 0]))

    def _colours_differ(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """The largest difference of colour, float (p,), where it is known; another contrast is allowed for."""
        half = FINGERPRINT_PX // 2
        whole = np.asarray(counts.reshape(-1, half, 2, half, 2).all(axis=(2, 4)))[:, None]
        a, b = (whole * (self._details["colours"][pairs[:, side]].astype(np.float32) - 128) for side in (0, 1))
        gain = (a * b).sum(axis=(1, 2, 3)) / np.square(a).sum(axis=(1, 2, 3)).clip(1)
        # Gray pictures have no colours that could tell of the contrast.
        gain = np.where(np.square(a).mean(axis=(1, 2, 3)) > 1, gain, 1)
        differences = np.abs(b - gain[:, None, None, None] * a).max(axis=(1, 2, 3))
        return np.asarray(np.where(self._is_known[pairs].all(axis=1), differences, 0))

    def _grain(self, pairs: np.ndarray, gain: np.ndarray) -> np.ndarray:
        first, second = pairs.T
        counts = self._inside[first] & self._inside[second]
        differences = self._low[second] - gain[:, None, None] * self._low[first]
        n = counts.sum(axis=1)
        energy = (counts * np.square(differences).mean(axis=2)).sum(axis=1) / n.clip(1)
        error, size = self._details["error"], self._details["size"]
        explained = np.square(gain * error[first]) + np.square(error[second]) + LOSSLESS_ERROR**2
        told = (size[first] == size[second]).all(axis=1) & self._is_known[first] & (n >= _FEWEST_PATCHES)
        return np.asarray(np.where(told, np.sqrt(energy / explained), np.nan))


def _unclipped(values: np.ndarray) -> np.ndarray:
    return np.asarray((values > _CLIPPED) & (values < 255 - _CLIPPED))


def _cut_off(a: np.ndarray, b: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Where the one picture is duller than the other says, as light or dark pixels are that brightening cut off."""
    light = (predicted > _LIGHT) & (b < predicted) | (a > _LIGHT) & (b > predicted)
    dark = (predicted < 255 - _LIGHT) & (b > predicted) | (a < 255 - _LIGHT) & (b < predicted)
    return np.asarray((light | dark) & (np.abs(b - predicted) < _MOST_CUT_OFF))


def _fitted(a: np.ndarray, b: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gain and the offset that turn `a` into `b` where it counts, float32 (p, 1) each."""
    weights = counts.astype(np.float32)
    n = weights.sum(axis=1, keepdims=True).clip(1)
    mean_a, mean_b = (_sums(weights, values) / n for values in (a, b))
    centred = weights * (a - mean_a)
    gain = _sums(centred, b - mean_b) / _sums(centred, centred).clip(1)
    return gain, mean_b - gain * mean_a


def _sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sums of the products, float32 (p, 1)."""
    return np.asarray(np.einsum("ij,ij->i", a, b)[:, None])


def _largest_local(rest: np.ndarray) -> np.ndarray:
    """The largest mean of 2 x 2 neighbours, float (p,): compression makes single values differ, but not several."""
    grid = rest.reshape(-1, FINGERPRINT_PX, FINGERPRINT_PX)
    means = (grid[:, :-1, :-1] + grid[:, 1:, :-1] + grid[:, :-1, 1:] + grid[:, 1:, 1:]) / 4
    return np.asarray(np.abs(means).max(axis=(1, 2)))


def _inside(details: np.ndarray) -> np.ndarray:
    """Whether no pixel of a patch was cut off at black or white, bool (n, N_PATCHES)."""
    patches = details["patches"]
    return np.asarray((patches.min(axis=(2, 3)) > 2) & (patches.max(axis=(2, 3)) < 253))


def _low_frequencies(details: np.ndarray) -> np.ndarray:
    """The lowest frequencies of each patch without the mean, float32 (n, N_PATCHES, N_LOW**2 - 1)."""
    patches = details["patches"]
    found = np.empty((*patches.shape[:2], N_LOW**2 - 1), np.float32)
    for start in range(0, len(patches), _DETAILS_PER_BLOCK):
        some = patches[start : start + _DETAILS_PER_BLOCK]
        found[start : start + len(some)] = some.reshape(*some.shape[:2], -1).astype(np.float32) @ _WAVES.T
    return found


def _cosines() -> np.ndarray:
    """The lowest rows of the discrete cosine transform that JPEG uses, float32 (N_LOW, PATCH_PX)."""
    frequencies, places = np.arange(N_LOW)[:, None], np.arange(PATCH_PX)[None]
    rows = np.cos(np.pi * (2 * places + 1) * frequencies / (2 * PATCH_PX)) * np.sqrt(2 / PATCH_PX)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


_WAVES = np.kron(_cosines(), _cosines())[1:]
"""Each of those waves, in rows and columns, as float32 (N_LOW**2 - 1, PATCH_PX**2)."""
