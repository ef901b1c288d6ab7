"""Stretches of pictures that were taken one after the other: the frames of a video, a burst, a turntable.

Given pictures in some likely order, likeness decides. A neighbour belongs to the same stretch where it is far more
like this picture than pictures are that stand half of the series apart. So nothing is found in a series of different
things, however they are numbered, and nothing in the photos of a fixed camera, which are all alike.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np

from automl.images.fingerprint import FINGERPRINT_PX
from automl.images.resemblance import blurred

FEWEST_FRAMES = 3
"""Two pictures that are alike are near copies or an accident; three in a row are a stretch."""

_COARSE_PX = FINGERPRINT_PX // 2
_MAX_SHIFT_PX = 2
"""In pixels of `_COARSE_PX`: how far the picture may move from one frame to the next."""

_CENTRE_PX = _COARSE_PX - 2 * _MAX_SHIFT_PX
_TURN_DEGREES = 15
"""The usual step of a turntable. Smaller steps are found as shifts, those of 10 to 20 degrees as this turn."""

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

_NEXT_ARE_NEAR = 0.9
"""So many of the pictures of a stretch are near the next one. Where things are only alike, it is a matter of chance."""

_GLANCE_PX, _MIN_GLANCE = 8, 0.3
"""Of a thousand frames fewer than five have less in common with the next one."""

_MAX_FAR_PAIRS = 2_000
_PAIRS_PER_BLOCK = 1_000


def find_sequences(fingerprints: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Finds the stretches in a series of pictures. Costs some 50 microseconds for each picture.

    The distance of two pictures is 1 minus their correlation, the best one over small shifts and a turn.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2), as `Traits.fingerprint` has them, in the order of the series.
        others: Those of some pictures of other things, uint8 (m, FINGERPRINT_PX**2). Where most of the series is one
            stretch, its own pictures do not tell how far apart different scenes are.

    Returns:
        int64 (n,): for each picture the index of the first one of its stretch, its own where it is in none.
    """
    n = len(fingerprints)
    if n < 2 * FEWEST_FRAMES:
        return np.arange(n)
    pairs = _likely(fingerprints, near_pairs(n))
    near = _Measured(pairs, _distances(fingerprints, pairs))
    far = _Measured(far_pairs(n), _distances(fingerprints, far_pairs(n)))
    found = [] if np.median(far.distances) < _SAME_SCENE else [_pairs_unlike_far_ones(n, near, far)]
    may_be_most = 2 * len(near.within(_FARTHEST)) >= _NEXT_ARE_NEAR * (n - 1)
    if may_be_most and others is not None and len(others) >= FEWEST_FRAMES:
        found.append(_pairs_unlike_others(n, near, far, limit=_limit(_distances_across(fingerprints, others))))
    return without_short_ones(joined(n, chain.from_iterable(pairs.tolist() for pairs in found)))


@dataclass(frozen=True, slots=True)
class _Measured:
    """Pairs of pictures.

    Attributes:
        pairs: int (p, 2).
        distances: float32 (p,).
    """

    pairs: np.ndarray
    distances: np.ndarray

    def within(self, limit: float) -> np.ndarray:
        """Those pairs that are no farther apart, int (k, 2)."""
        return np.asarray(self.pairs[self.distances <= limit])


def _limit(distances: np.ndarray) -> float:
    """What neighbours in a stretch keep where pictures of different things are at such distances."""
    return min(_FARTHEST, _NEARER_BY * float(np.quantile(distances, _FAR_QUANTILE)))


def _pairs_unlike_far_ones(n: int, near: _Measured, far: _Measured) -> np.ndarray:
    """The neighbours that are nearer than pictures that stand far apart; none where these are near as often."""
    limit = _limit(far.distances)
    found = near.within(limit)
    is_chance = len(found) <= _MORE_THAN_CHANCE * float((far.distances <= limit).mean()) * len(near_pairs(n))
    return found[:0] if is_chance else found


def _pairs_unlike_others(n: int, near: _Measured, far: _Measured, *, limit: float) -> np.ndarray:
    """The neighbours that are nearer than pictures of other things, if they make a stretch of half the series.

    None where it is the things that are alike: then some neighbours in a stretch are not near, and some pictures of
    different stretches are.
    """
    found = near.within(limit)
    first = joined(n, found.tolist())
    one, other = first[far.pairs].T
    apart = far.distances[one != other]
    is_chance = len(apart) and _MORE_THAN_CHANCE * float((apart <= limit).mean()) * len(near_pairs(n)) >= len(found)
    n_next, n_next_near = (first[1:] == first[:-1]).sum(), (found[:, 1] - found[:, 0] == 1).sum()
    if 2 * np.bincount(first).max() < n or is_chance or n_next_near < _NEXT_ARE_NEAR * n_next:
        return found[:0]
    return found


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


def far_pairs(n: int) -> np.ndarray:
    """Pairs that stand at least half of the series apart, int (p, 2): no stretch of less than half holds both."""
    random = np.random.default_rng(n)
    n_pairs = min(_MAX_FAR_PAIRS, n * n // 4)
    one = random.integers(0, n // 2, n_pairs)
    other = one + n // 2 + (random.random(n_pairs) * (n - n // 2 - one)).astype(np.int64)
    return np.stack([one, other], axis=1)


def near_pairs(n: int) -> np.ndarray:
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


def _distances_across(fingerprints: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of random pictures from other ones, float32 (p,)."""
    random, n = np.random.default_rng(len(fingerprints)), len(fingerprints)
    n_pairs = min(_MAX_FAR_PAIRS, n * len(others))
    pairs = np.stack([random.integers(0, n, n_pairs), n + random.integers(0, len(others), n_pairs)], axis=1)
    return _distances(np.concatenate([fingerprints, others]), pairs)


def _distances_in_blocks(fingerprints: np.ndarray, pairs: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(pairs), _PAIRS_PER_BLOCK):
        some, places = np.unique(pairs[start : start + _PAIRS_PER_BLOCK], return_inverse=True)
        pictures = blurred(_reduced(fingerprints[some], _COARSE_PX))
        one, other = pictures[places.reshape(-1, 2).T]
        shifted = np.maximum(_best_correlation(one, other), _best_correlation(other, one))
        yield 1 - np.maximum(shifted, _correlation_if_turned(pictures, places.reshape(-1, 2)))


def _correlation_if_turned(pictures: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Of the one, turned by `_TURN_DEGREES` to the left or to the right, with the other, float32 (p,).

    Only the disc in the middle is compared, which shows the same however a picture is turned.
    """
    flat = pictures.reshape(len(pictures), -1)
    still = _standardised(flat[:, _disc()])
    turned = [_standardised(flat @ _turn(degrees)) for degrees in (_TURN_DEGREES, -_TURN_DEGREES)]
    one, other = pairs.T
    return np.asarray(np.max([(side[one] * still[other]).sum(axis=1) for side in turned], axis=0))


def _standardised(rows: np.ndarray) -> np.ndarray:
    """Each row with a mean of 0 and a length of 1."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-3))


@cache
def _disc() -> np.ndarray:
    """The places of the pixels of the largest disc that fits, int (k,)."""
    down, right = np.indices((_COARSE_PX, _COARSE_PX)) - (_COARSE_PX - 1) / 2
    return np.flatnonzero(down**2 + right**2 <= (_COARSE_PX / 2 - 1) ** 2)


@cache
def _turn(degrees: float) -> np.ndarray:
    """The bilinear weights of all pixels for each pixel of the disc of the turned picture, (_COARSE_PX**2, k)."""
    down, right = np.array(np.unravel_index(_disc(), (_COARSE_PX, _COARSE_PX))) - (_COARSE_PX - 1) / 2
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    places = np.arange(_COARSE_PX) - (_COARSE_PX - 1) / 2
    rows = (1 - np.abs(places[:, None] - (sine * right + cosine * down))).clip(0)
    columns = (1 - np.abs(places[:, None] - (cosine * right - sine * down))).clip(0)
    return np.asarray((rows[:, None] * columns[None]).reshape(_COARSE_PX**2, -1), np.float32)


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


def without_short_ones(first: np.ndarray) -> np.ndarray:
    """Pictures of stretches with fewer than `FEWEST_FRAMES` are in none."""
    sizes = np.bincount(first, minlength=len(first))
    return np.where(sizes[first] >= FEWEST_FRAMES, first, np.arange(len(first)))
