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
_PAIRS_PER_BLOCK = 400


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


class ShotComparer:
    """Compares pictures pair by pair.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2).
        details: DETAIL (n,), see `automl.images.detail`.
    """

    def __init__(self, fingerprints: np.ndarray, details: np.ndarray) -> None:
        self._fingerprints, self._details = fingerprints, details

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
        first, second = (self._details[pairs[:, side]] for side in (0, 1))
        weights = _unclipped(a) & _unclipped(b)
        # In pictures that are mostly pure black or white, just that is what they have in common.
        weights |= weights.sum(axis=1, keepdims=True) < _FEWEST_CELLS
        gain, offset = _fitted(a, b, weights)
        weights &= ~_cut_off(a, b, gain * a + offset)
        gain, offset = _fitted(a, b, weights)
        rest = np.where(_cut_off(a, b, gain * a + offset), 0, weights * (b - gain * a - offset))
        looks_same = _largest_local(rest) <= _MAX_GRAY
        looks_same &= _colours_differ(first, second, weights) <= _MAX_COLOUR
        return Comparison(looks_same=looks_same, grain=_grain(first, second, gain[:, 0]))


def _unclipped(values: np.ndarray) -> np.ndarray:
    return np.asarray((values > _CLIPPED) & (values < 255 - _CLIPPED))


def _cut_off(a: np.ndarray, b: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Where the one picture is duller than the other says, as light or dark pixels are that brightening cut off."""
    light = (predicted > _LIGHT) & (b < predicted) | (a > _LIGHT) & (b > predicted)
    dark = (predicted < 255 - _LIGHT) & (b > predicted) | (a < 255 - _LIGHT) & (b < predicted)
    return np.asarray((light | dark) & (np.abs(b - predicted) < _MOST_CUT_OFF))


def _fitted(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gain and the offset that turn `a` into `b`, float32 (p, 1) each."""
    n = weights.sum(axis=1, keepdims=True).clip(1)
    mean_a, mean_b = ((weights * values).sum(axis=1, keepdims=True) / n for values in (a, b))
    centred = weights * (a - mean_a)
    gain = (centred * (b - mean_b)).sum(axis=1, keepdims=True) / np.square(centred).sum(axis=1, keepdims=True).clip(1)
    return gain, mean_b - gain * mean_a


def _largest_local(rest: np.ndarray) -> np.ndarray:
    """The largest mean of 2 x 2 neighbours, float (p,): compression makes single values differ, but not several."""
    grid = rest.reshape(-1, FINGERPRINT_PX, FINGERPRINT_PX)
    means = (grid[:, :-1, :-1] + grid[:, 1:, :-1] + grid[:, :-1, 1:] + grid[:, 1:, 1:]) / 4
    return np.asarray(np.abs(means).max(axis=(1, 2)))


def _colours_differ(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The largest difference of colour, float (p,), where it is known; another contrast is allowed for."""
    half = FINGERPRINT_PX // 2
    counts = np.asarray(weights.reshape(-1, half, 2, half, 2).all(axis=(2, 4)))[:, None]
    a, b = (counts * (details["colours"].astype(np.float32) - 128) for details in (first, second))
    gain = (a * b).sum(axis=(1, 2, 3)) / np.square(a).sum(axis=(1, 2, 3)).clip(1)
    # Gray pictures have no colours that could tell of the contrast.
    gain = np.where(np.square(a).mean(axis=(1, 2, 3)) > 1, gain, 1)
    differences = np.abs(b - gain[:, None, None, None] * a).max(axis=(1, 2, 3))
    known = (first["size"][:, 0] > 0) & (second["size"][:, 0] > 0)
    return np.asarray(np.where(known, differences, 0))


def _grain(first: np.ndarray, second: np.ndarray, gain: np.ndarray) -> np.ndarray:
    a, b = (details["patches"].astype(np.float32) for details in (first, second))
    counts = _inside(a) & _inside(b)
    differences = _low_frequencies(b - gain[:, None, None, None] * a)
    n = counts.sum(axis=1)
    energy = (counts * np.square(differences).mean(axis=2)).sum(axis=1) / n.clip(1)
    explained = np.square(gain * first["error"]) + np.square(second["error"]) + LOSSLESS_ERROR**2
    told = (first["size"] == second["size"]).all(axis=1) & (first["size"][:, 0] > 0) & (n >= _FEWEST_PATCHES)
    return np.asarray(np.where(told, np.sqrt(energy / explained), np.nan))


def _inside(patches: np.ndarray) -> np.ndarray:
    """Whether no pixel of a patch was cut off at black or white, bool (p, N_PATCHES)."""
    return np.asarray((patches.min(axis=(2, 3)) > 2) & (patches.max(axis=(2, 3)) < 253))


def _low_frequencies(patches: np.ndarray) -> np.ndarray:
    """The lowest frequencies without the mean, float32 (p, N_PATCHES, N_LOW**2 - 1)."""
    transformed = _COSINES @ patches @ _COSINES.T
    return np.asarray(transformed.reshape(*patches.shape[:2], -1)[:, :, 1:])


def _cosines() -> np.ndarray:
    """The lowest rows of the discrete cosine transform that JPEG uses, float32 (N_LOW, PATCH_PX)."""
    frequencies, places = np.arange(N_LOW)[:, None], np.arange(PATCH_PX)[None]
    rows = np.cos(np.pi * (2 * places + 1) * frequencies / (2 * PATCH_PX)) * np.sqrt(2 / PATCH_PX)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


_COSINES = _cosines()
