"""Whether one of two pictures can be computed from the other, judged by their fingerprints.

The second picture must be b = gain * a + offset + a small shift and stretch of a, which is one step of the method of
Lucas and Kanade, "An iterative image registration technique with an application to stereo vision", 1981. What that
leaves unexplained must be little, over all and in the fine detail alone: two portraits share their light, not their
detail. The limits were set on photographs of leaves and insects and their altered copies, of which less than 2 % are
missed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from automl.images.fingerprint import FINGERPRINT_PX

_MIN_EXPLAINED = 0.945
_MIN_DETAIL = 0.72
_DETAIL_NOISE = 1.5
"""Gray values. Less than this is what JPEG does to a smooth picture, not another detail."""

_MAX_SHIFT_PX, _MAX_STRETCH_PX = 0.8, 1.4
"""In pixels of a fingerprint, the stretch at its edges; crops of 2 % a side need half of it."""

_STILL_PX = 0.25
"""Pictures of one size that moved less were taken from the same place, or are one picture."""

_DARKEST, _LIGHTEST = 6, 249
_MIN_UNCLIPPED_SHARE = 0.25
_PAIRS_PER_BLOCK = 50
"""Few, so that all of it stays in the cache of the processor."""

_OFFSET = np.linspace(-1, 1, FINGERPRINT_PX, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPairs:
    """Pairs of pictures that are near copies.

    Attributes:
        pairs: Their indices, int (p, 2).
        scores: How well they match, float (p,), 0-1.
        is_still: Whether they match as they stand, neither mirrored nor shifted nor stretched, bool (p,).
        is_mirrored: Whether the one matches the mirrored other, bool (p,).
    """

    pairs: np.ndarray
    scores: np.ndarray
    is_still: np.ndarray
    is_mirrored: np.ndarray

    def best_first(self) -> "NearPairs":
        """The same pairs, in the order of their scores."""
        return self.chosen(np.argsort(-self.scores, kind="stable"))

    def chosen(self, which: np.ndarray) -> "NearPairs":
        """Those at these positions, or for which this is true."""
        return NearPairs(
            pairs=self.pairs[which],
            scores=self.scores[which],
            is_still=self.is_still[which],
            is_mirrored=self.is_mirrored[which],
        )


def verified_pairs(fingerprints: np.ndarray, candidates: Iterable[tuple[np.ndarray, bool]]) -> NearPairs:
    """The pairs among `candidates` that are near copies.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2).
        candidates: Pairs of indices, int (m, 2), and whether the first of each pair is to be mirrored.
    """
    pairs, scores = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.float32)]
    still, mirrored = [np.zeros(0, bool)], [np.zeros(0, bool)]
    pictures = fingerprints.reshape(-1, FINGERPRINT_PX, FINGERPRINT_PX)
    for found, mirror in candidates:
        for start in range(0, len(found), _PAIRS_PER_BLOCK):
            some = found[start : start + _PAIRS_PER_BLOCK]
            first = pictures[some[:, 0]]
            score, is_still = _resemblance(first[:, :, ::-1] if mirror else first, pictures[some[:, 1]])
            pairs.append(some[score > 0])
            scores.append(score[score > 0])
            still.append(is_still[score > 0] & (not mirror))
            mirrored.append(np.full(len(pairs[-1]), mirror))
    return NearPairs(
        pairs=np.concatenate(pairs),
        scores=np.concatenate(scores),
        is_still=np.concatenate(still),
        is_mirrored=np.concatenate(mirrored),
    )


def _resemblance(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of `b` that `a` explains, float (p,), 0 where they are no copies, and whether it did not move.

    Both are uint8 (p, FINGERPRINT_PX, FINGERPRINT_PX).
    """
    weight = _unclipped(a) & _unclipped(b)
    # In pictures that are mostly pure black or white, just that is what they have in common, so there it counts.
    weight |= weight.mean(axis=(1, 2), keepdims=True) < _MIN_UNCLIPPED_SHARE
    weights = weight.reshape(len(a), -1).astype(np.float32)
    first, (second, gray_values) = _standardised(blurred(a))[0], _standardised(blurred(b))
    terms = _terms(first, second)
    target = second.reshape(len(b), -1)
    weighted = terms * weights[:, None, :]
    # The small number on the diagonal keeps it solvable for a picture that is flat in one direction.
    normal = weighted @ terms.swapaxes(1, 2) + 1e-3 * np.eye(terms.shape[1], dtype=np.float32)
    factors = np.linalg.solve(normal, weighted @ target[:, :, None])
    rest = target - (factors.swapaxes(1, 2) @ terms)[:, 0]

    mean = (weights * target).sum(axis=1) / weights.sum(axis=1)
    explained = 1 - _energy(rest, weights) / _energy(target - mean[:, None], weights).clip(1e-6)
    # A large shift is outside of what one step can find: a good match there is an accident.
    moved = np.abs(factors[:, 2:, 0])
    is_small = (moved[:, :2] <= _MAX_SHIFT_PX).all(axis=1) & (moved[:, 2:] <= _MAX_STRETCH_PX).all(axis=1)
    score = np.where((explained >= _MIN_EXPLAINED) & is_small, explained, 0)
    # The test of the detail is the dearer one, so it is made only where the first was passed.
    likely = np.flatnonzero(score)
    score[likely] *= _has_same_detail(
        rest=rest[likely], target=target[likely], weights=weights[likely], gray_values=gray_values[likely]
    )
    return score, np.asarray((moved <= _STILL_PX).all(axis=1))


def _has_same_detail(
    *, rest: np.ndarray, target: np.ndarray, weights: np.ndarray, gray_values: np.ndarray
) -> np.ndarray:
    """Whether little of the fine detail is left unexplained, bool (p,).

    Args:
        rest: What is unexplained, float32 (p, FINGERPRINT_PX**2).
        target: What was to be explained, of the same shape.
        weights: 0 for values that do not count, of the same shape.
        gray_values: How many gray values a 1 in `rest` and `target` stands for, one for each pair.
    """
    unexplained = _energy(_detail(rest), weights)
    noise = np.square(_DETAIL_NOISE / gray_values.reshape(-1))
    return np.asarray(unexplained <= np.maximum((1 - _MIN_DETAIL) * _energy(_detail(target), weights), noise))


def _terms(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What `b` is made of, float32 (p, 6, FINGERPRINT_PX**2): `a`, a constant, two shifts and two stretches.

    The mean slope of both pictures makes the step exact to second order.
    """
    terms = np.empty((len(a), 6, *a.shape[1:]), np.float32)
    terms[:, 0], terms[:, 1] = a, 1
    terms[:, 3], terms[:, 2] = np.gradient((a + b) / 2, axis=(1, 2))
    np.multiply(terms[:, 2], _OFFSET[None, None, :], out=terms[:, 4])
    np.multiply(terms[:, 3], _OFFSET[None, :, None], out=terms[:, 5])
    return terms.reshape(len(a), 6, -1)


def _unclipped(pictures: np.ndarray) -> np.ndarray:
    """The values that can be compared: brightening cuts off what was light, and darkening what was dark."""
    return np.asarray((pictures > _DARKEST) & (pictures < _LIGHTEST))


def _standardised(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pictures with mean 0 and spread 1, and the spread that each had before."""
    spread = pictures.std(axis=(1, 2), keepdims=True).clip(1e-3)
    return (pictures - pictures.mean(axis=(1, 2), keepdims=True)) / spread, spread


def _energy(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted mean of the squares, float (p,)."""
    return np.asarray((weights * np.square(values)).sum(axis=1) / weights.sum(axis=1))


def _detail(flat: np.ndarray) -> np.ndarray:
    """What blurring three times takes away, (p, FINGERPRINT_PX**2)."""
    pictures = flat.reshape(-1, FINGERPRINT_PX, FINGERPRINT_PX)
    return np.asarray((pictures - blurred(blurred(blurred(pictures)))).reshape(flat.shape))


def blurred(pictures: np.ndarray) -> np.ndarray:
    """The pictures with each value mixed with its neighbours, float32 (n, height, width)."""
    n, height, width = pictures.shape
    rows = (pictures.reshape(-1, width).astype(np.float32) @ _mixing(width).T).reshape(n, height, width)
    return np.asarray(_mixing(height) @ rows)


@cache
def _mixing(n: int) -> np.ndarray:
    """What each of `n` neighbours in a line takes from the others, float32 (n, n)."""
    padded = np.pad(np.eye(n, dtype=np.float32), ((1, 1), (0, 0)), mode="edge")
    return np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4)
