"""Stretches of pictures that were taken one after the other: the frames of a video, a burst, a turntable.

Given pictures in some likely order, likeness decides. A neighbour belongs to the same stretch where it is far more
like this picture than pictures are that stand half of the series apart. So nothing is found in a series of different
things, however they are numbered, and nothing in the photos of a fixed camera, which are all alike.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from automl.images.fingerprint import FINGERPRINT_PX
from automl.images.resemblance import blurred

FEWEST_FRAMES = 3
"""Two pictures that are alike are near copies or an accident; three in a row are a stretch."""

_COARSE_PX = FINGERPRINT_PX // 2
_MAX_SHIFT_PX = 2
"""In pixels of `_COARSE_PX`: how far the picture may move from one frame to the next."""

_CENTRE_PX = _COARSE_PX - 2 * _MAX_SHIFT_PX
_N_NEIGHBOURS = 3
"""A frame is compared with so many that follow, since one may be blurred, and two cameras may take turns."""

_FAR_QUANTILE, _NEARER_BY, _FARTHEST = 0.05, 0.4, 0.12
"""A neighbour has less than half the distance that even the most alike of the pictures have which stand far apart, and
no more than `_FARTHEST`. The limits were set on shifted, turned and cropped photographs of leaves and insects."""

_MORE_THAN_CHANCE = 4
"""Neighbours are so many times as often near each other as pictures that stand far apart. In thousands of small
digits, or of things on one belt, some are, and there neighbours are no more often than others."""

_SAME_SCENE = 0.06
"""Where pictures that stand far apart differ by no more than this, all show one scene."""

_GLANCE_PX, _MIN_GLANCE = 8, 0.3
"""Of a thousand frames fewer than five have less in common with the next one."""

_MAX_FAR_PAIRS = 2_000
_PAIRS_PER_BLOCK = 1_000


def find_sequences(fingerprints: np.ndarray) -> np.ndarray:
    """Finds the stretches in a series of pictures. Costs some 50 microseconds for each picture.

    The distance of two pictures is 1 minus their correlation, the best one over small shifts.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2), as `Traits.fingerprint` has them, in the order of the series.

    Returns:
        int64 (n,): for each picture the index of the first one of its stretch, its own where it is in none.
    """
    n = len(fingerprints)
    if n < 2 * FEWEST_FRAMES:
        return np.arange(n)
    far = _distances(fingerprints, _far_pairs(n))
    if np.median(far) < _SAME_SCENE:
        return np.arange(n)
    limit = min(_FARTHEST, _NEARER_BY * float(np.quantile(far, _FAR_QUANTILE)))
    neighbours = _near_pairs(n)
    near = _likely(fingerprints, neighbours)
    near = near[_distances(fingerprints, near) <= limit]
    if len(near) <= _MORE_THAN_CHANCE * float((far <= limit).mean()) * len(neighbours):
        return np.arange(n)
    return _without_short_ones(joined(n, near.tolist()))


def joined(n: int, pairs: Iterable[Sequence[int]]) -> np.ndarray:
    """For each of `n` things the smallest of those that it hangs together with through `pairs`, int64 (n,)."""
    first = list(range(n))

    def root(number: int) -> int:
        while first[number] != number:
            first[number] = first[first[number]]
            number = first[number]
        return number

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return np.array([root(number) for number in range(n)], np.int64)


def _far_pairs(n: int) -> np.ndarray:
    """Pairs that stand at least half of the series apart, int (p, 2): no stretch of less than half holds both."""
    random = np.random.default_rng(n)
    n_pairs = min(_MAX_FAR_PAIRS, n * n // 4)
    one = random.integers(0, n // 2, n_pairs)
    other = one + n // 2 + (random.random(n_pairs) * (n - n // 2 - one)).astype(np.int64)
    return np.stack([one, other], axis=1)


def _near_pairs(n: int) -> np.ndarray:
    """Each picture with those that follow, int (p, 2)."""
    pairs = np.arange(n)[:, None, None] + np.array([(0, lag) for lag in range(1, _N_NEIGHBOURS + 1)])
    flat = pairs.reshape(-1, 2)
    return np.asarray(flat[flat[:, 1] < n])


def _likely(fingerprints: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Those pairs that resemble each other at a glance: most different pictures need no closer look."""
    flat = blurred(blurred(_reduced(fingerprints, _GLANCE_PX))).reshape(len(fingerprints), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-3)
    return np.asarray(pairs[(flat[pairs[:, 0]] * flat[pairs[:, 1]]).sum(axis=1) >= _MIN_GLANCE])


def _reduced(fingerprints: np.ndarray, size_px: int) -> np.ndarray:
    """Means of squares of pixels, float32 (n, size_px, size_px). As products of matrices, they are quick."""
    means = np.repeat(np.eye(size_px, dtype=np.float32), FINGERPRINT_PX // size_px, axis=0) * size_px / FINGERPRINT_PX
    pixels = fingerprints.reshape(-1, FINGERPRINT_PX, FINGERPRINT_PX).astype(np.float32)
    return np.asarray(means.T @ (pixels @ means))


def _distances(fingerprints: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """float32 (p,), 0-2."""
    return np.concatenate(list(_distances_in_blocks(fingerprints, pairs)) or [np.zeros(0, np.float32)])


def _distances_in_blocks(fingerprints: np.ndarray, pairs: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(pairs), _PAIRS_PER_BLOCK):
        some, places = np.unique(pairs[start : start + _PAIRS_PER_BLOCK], return_inverse=True)
        one, other = blurred(_reduced(fingerprints[some], _COARSE_PX))[places.reshape(-1, 2).T]
        yield 1 - np.maximum(_best_correlation(one, other), _best_correlation(other, one))


def _best_correlation(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of the centre of each other picture with the best window of the first one, float32 (p,).

    Both are float32 (p, _COARSE_PX, _COARSE_PX).
    """
    centres = others[:, _MAX_SHIFT_PX:-_MAX_SHIFT_PX, _MAX_SHIFT_PX:-_MAX_SHIFT_PX]
    centres = centres - centres.mean(axis=(1, 2), keepdims=True)
    lengths = np.sqrt(np.square(centres).sum(axis=(1, 2))).clip(1e-3)
    variances = _window_sums(np.square(pictures)) - np.square(_window_sums(pictures)) / _CENTRE_PX**2
    spreads = np.sqrt(variances.clip(1e-6)).astype(np.float32)
    best = np.full(len(pictures), -1, np.float32)
    for down, right in np.ndindex(spreads.shape[1:]):
        window = pictures[:, down : down + _CENTRE_PX, right : right + _CENTRE_PX]
        # The centres have mean 0, so the mean of the window does not matter.
        product = np.einsum("pij,pij->p", window, centres)
        best = np.maximum(best, product / (lengths * spreads[:, down, right]))
    return best


def _window_sums(values: np.ndarray) -> np.ndarray:
    """The sum of each window of _CENTRE_PX each way, float64 (p, n_shifts, n_shifts)."""
    sums = np.pad(values.astype(np.float64), ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)
    far, near = slice(_CENTRE_PX, None), slice(None, -_CENTRE_PX)
    found = sums[:, far, far] - sums[:, near, far] - sums[:, far, near] + sums[:, near, near]
    return np.asarray(found)


def _without_short_ones(first: np.ndarray) -> np.ndarray:
    """Pictures of stretches with fewer than `FEWEST_FRAMES` are in none."""
    sizes = np.bincount(first, minlength=len(first))
    return np.where(sizes[first] >= FEWEST_FRAMES, first, np.arange(len(first)))
