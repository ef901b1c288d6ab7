"""Copies among the photos of a camera that stands still, found by what each photo has for itself.

All of those photos resemble each other, so likeness tells nothing. But what is left of a fingerprint once the common
scene is taken away, the noise of the sensor, is a shot's own, and is there again in its copies: resized, saved again,
brightened and mirrored ones. In the means of many pixels it is small, but it survives any compression.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from automl.images.fingerprint import FINGERPRINT_PX

_N_ROUNDS = 4
_SAMPLED_STEP = 5
"""Every fifth value is enough for a median, which is dear."""

_OUTLIER = 3.0
"""Multiples of the usual rest: what differs by more is a passer-by or a lamp, which other shots may have, too."""

_STILL_PX = 0.25
"""In pixels of a fingerprint. A picture that moved by more is a crop, whose noise is at other places."""

_PRODUCTS_PER_BLOCK = 8_000_000
_PICTURES_PER_BLOCK = 1000
_N_SAMPLED = 400
_MARGIN = 0.4
_MIN_OF_BEST = 0.6
"""Of the best score of either. Brightening, too, leaves a trace, but less of it than a shot has for itself."""

_MAX_COPIES = 20
"""A picture that has more in common with more others shares a light with them, not a shot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """What is known of the pictures of a scene.

    Attributes:
        fixed: Those that show it from the same place, int (m,); the others are crops.
        pairs: Pairs that are one shot, int (p, 2) with the smaller index first.
    """

    fixed: np.ndarray
    pairs: np.ndarray


def shots_of_scene(pictures: np.ndarray, sizes: np.ndarray) -> Shots:
    """Finds the copies among the shots of one scene.

    Args:
        pictures: float32 (n, FINGERPRINT_PX**2), gray values, none of them mirrored.
        sizes: int (n, 2), pixels of the decoded pictures each way.
    """
    own, is_still = _own_parts(pictures)
    fixed = np.flatnonzero(is_still)
    pairs = _one_shot(own[fixed], sizes[fixed]) if len(fixed) else np.zeros((0, 2), np.int64)
    return Shots(fixed=fixed, pairs=fixed[pairs])


def _one_shot(own: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The pairs that are one shot, int (p, 2)."""
    spread = _spread_of_products(own)
    parts = list(_alike(own / spread[:, None], own, spread))
    found, scores = np.concatenate([pairs for pairs, _ in parts]), np.concatenate([scores for _, scores in parts])
    # Resizing leaves a trace in all that it makes, so one picture of each pair must have the camera's own size.
    counts = _is_usual(sizes)[found].any(axis=1)
    found, scores = found[counts], scores[counts]
    n_copies, best = np.bincount(found.ravel(), minlength=len(own)), np.zeros(len(own), np.float32)
    np.maximum.at(best, found, scores[:, None])
    is_copy = (n_copies[found] <= _MAX_COPIES).all(axis=1) & (scores >= _MIN_OF_BEST * best[found].min(axis=1))
    return np.asarray(found[is_copy])


def _is_usual(sizes: np.ndarray) -> np.ndarray:
    """Which have the most common size, bool (n,)."""
    _, which, counts = np.unique(sizes, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(which.reshape(-1) == counts.argmax())


def _alike(scaled: np.ndarray, own: np.ndarray, spread: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs that have far more in common than chance explains, int (p, 2), and by how many spreads, float32 (p,)."""
    n = len(own)
    # So that chance joins about few pictures to another one, whatever their number.
    limit = math.sqrt(2 * math.log(50 * n)) + _MARGIN
    n_rows = max(1, _PRODUCTS_PER_BLOCK // n)
    for start in range(0, n, n_rows):
        alike = scaled[start : start + n_rows] @ own[start:].T
        alike[:, : len(alike)][np.tri(len(alike), dtype=bool)] = 0
        i, j = np.nonzero(alike > limit)
        scores = alike[i, j] * np.minimum(1, spread[start + i] / spread[start + j])
        yield start + np.stack([i, j], axis=1)[scores > limit], scores[scores > limit]


def _spread_of_products(own: np.ndarray) -> np.ndarray:
    """The spread of the correlations of each picture with others that are no copies, float32 (n,)."""
    sample = own[np.linspace(0, len(own) - 1, min(len(own), _N_SAMPLED)).astype(int)]
    # The median, since a few of them are copies; that of a normal distribution is 0.6745 of its spread.
    return np.asarray(np.median(np.abs(own @ sample.T), axis=1) / 0.6745).clip(1 / FINGERPRINT_PX)


def _own_parts(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each has beside the scene, float32 (n, FINGERPRINT_PX**2) of length 1, and whether it did not move."""
    values = pictures - pictures.mean(axis=1, keepdims=True)
    values /= values.std(axis=1, keepdims=True).clip(1e-3)
    terms = _terms(values.mean(axis=0))
    solution = np.linalg.pinv(terms, rcond=1e-3)
    is_still = np.empty(len(values), bool)
    for start in range(0, len(values), _PICTURES_PER_BLOCK):
        block = slice(start, start + _PICTURES_PER_BLOCK)
        values[block], is_still[block] = _rest(values[block], terms, solution)
    values -= values.mean(axis=0)
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-6), is_still


def _rest(values: np.ndarray, terms: np.ndarray, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the terms do not explain, 0 where it is an outlier, and whether they say that the picture did not move."""
    filled = values
    for _ in range(_N_ROUNDS):
        factors = filled @ solution
        expected = factors @ terms
        rest = values - expected
        usual = np.median(np.abs(rest[:, ::_SAMPLED_STEP]), axis=1, keepdims=True) / 0.6745
        is_usual = np.abs(rest) < _OUTLIER * usual
        # Where somebody walks by, the scene is what was expected: then he does not count in the next round.
        filled = np.where(is_usual, values, expected)
    is_still = np.abs(factors[:, -4:]) <= _STILL_PX * np.abs(factors[:, :1])
    return rest * is_usual, np.asarray(is_still.all(axis=1))


def _terms(scene: np.ndarray) -> np.ndarray:
    """What a shot of a scene is made of, float32 (10, FINGERPRINT_PX**2).

    They are the scene, a constant, light that falls off to one side, blur each way, and two shifts and two stretches.
    """
    grid = scene.reshape(FINGERPRINT_PX, FINGERPRINT_PX)
    place = np.linspace(-1, 1, FINGERPRINT_PX, dtype=np.float32)
    down, right = np.gradient(grid)
    blur_down, blur_right = np.gradient(down, axis=0), np.gradient(right, axis=1)
    x, y = place[None, :], place[:, None]
    terms = [grid, np.ones_like(grid), x * grid, y * grid, blur_right, blur_down, right, down, x * right, y * down]
    return np.stack(terms).reshape(len(terms), -1)
