"""How far a photo is from all that a model learned from, and from which distance on it looks like nothing of that.

The distance is Mahalanobis' (Lee et al., 2018, arXiv:1807.03888) in the pooled features of the frozen networks, each
tap divided by its norm. There are more features than photos, so the covariance is shrunk, and known along its widest
directions only: that keeps the model small, and recognised more than all directions did (docs/benchmarks.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.serving.predict import FeatureDistance

AIM = 0.03
"""The share of true photos that may be said to be like nothing that was learned."""

FEWEST_PHOTOS = 30
"""With fewer photos, the farthest of them says nothing about the farthest 3 in 100 of others."""

MOST_PHOTOS = 1_000
"""More of them would make the distance no better, and take longer."""

_RANK = 32
_SHRINKAGE = 0.3
_MOST_BYTES = 1_000_000
_SMALLEST_SQUARE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """What was found on photos that were learned from.

    Attributes:
        distance: the distance by all of them, scaled by what was found on those held out.
        held_out: float (n,), the distance of each photo by photos of other folds, 1 for the threshold.
        flagged: bool (n,), whether it is beyond the threshold that photos of other folds alone would have given.
    """

    distance: FeatureDistance
    held_out: np.ndarray
    flagged: np.ndarray


def learn_distance(
    units: np.ndarray, *, taps: Sequence[str], widths: Sequence[int], folds: np.ndarray
) -> Novelty | None:
    """The distance, with a threshold that photos of the same kind pass in all but 3 of 100 cases.

    Args:
        units: float32 (n_photos, n_features), pooled taps side by side, each divided by its norm.
        taps: the names of the layers that pool them.
        widths: the number of features of each.
        folds: int (n_photos,), which photos are held out together; those below 0 are always learned from.

    Returns:
        None where too few photos are held out to say.
    """
    asked = np.flatnonzero(folds >= 0)
    if len(asked) < FEWEST_PHOTOS:
        return None
    rank = min(_RANK, max(1, _MOST_BYTES // (4 * units.shape[1])))
    distances, fold_of = np.empty(len(asked)), folds[asked]
    for fold in np.unique(fold_of):
        learned = units[folds != fold]
        distances[fold_of == fold] = _Shape.of(learned, rank).distances(units[asked[fold_of == fold]])
    threshold = threshold_of(distances)
    shape = _Shape.of(units, rank)
    return Novelty(
        distance=shape.as_distance(taps, widths, threshold),
        held_out=distances / threshold,
        flagged=_cross_fitted(distances, fold_of),
    )


def threshold_of(distances: np.ndarray) -> float:
    """What a further photo exceeds with a probability of 3 %, by conformal prediction; at most the largest.

    distances: float (n,), of photos that were held out.
    """
    place = int(np.ceil((1 - AIM) * (len(distances) + 1))) - 1
    return float(np.sort(distances)[min(place, len(distances) - 1)]) or 1.0


def _cross_fitted(distances: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """bool (n,): which photos are beyond the threshold of other folds; of all photos, where there is one fold."""
    flagged = np.empty(len(distances), bool)
    for fold in np.unique(fold_of):
        others = distances[fold_of != fold]
        flagged[fold_of == fold] = distances[fold_of == fold] > threshold_of(others if len(others) else distances)
    return flagged


@dataclass(frozen=True, slots=True)
class _Shape:
    """Mean and shrunk covariance: d² = weight * |x - mean|² - |(x - mean) @ directions|²."""

    mean: np.ndarray
    directions: np.ndarray
    weight: float

    @classmethod
    def of(cls, units: np.ndarray, rank: int) -> "_Shape":
        mean = units.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = units - mean
        n, width = centred.shape
        # Of fewer photos than features the products of the photos are the smaller matrix.
        squares, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64) / max(1, n - 1))
        squares, vectors = np.maximum(squares[::-1][:rank], _SMALLEST_SQUARE), vectors[:, ::-1][:, :rank]
        along = centred.T @ vectors
        along /= np.maximum(np.linalg.norm(along, axis=0), _SMALLEST_SQUARE)
        total = max(float(np.square(centred, dtype=np.float64).sum()) / max(1, n - 1), _SMALLEST_SQUARE)
        rest = _SHRINKAGE * total / width
        discount = 1 / rest - 1 / ((1 - _SHRINKAGE) * squares + rest)
        return cls(mean, (along * np.sqrt(discount)).astype(np.float32), 1 / rest)

    def distances(self, units: np.ndarray) -> np.ndarray:
        """float (n,) for float32 (n, n_features)."""
        centred = units - self.mean
        squares = self.weight * np.square(centred).sum(axis=1) - np.square(centred @ self.directions).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(squares, 0)))

    def as_distance(self, taps: Sequence[str], widths: Sequence[int], threshold: float) -> FeatureDistance:
        return FeatureDistance(
            taps=tuple(taps),
            widths=tuple(widths),
            mean=self.mean,
            directions=(self.directions / threshold).astype(np.float32),
            weight=self.weight / threshold**2,
        )
