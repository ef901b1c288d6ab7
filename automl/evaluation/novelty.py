"""How far a photo is from all that a model learned from, and from which distance on it looks like nothing of that.

The distance is Mahalanobis' (Lee et al., 2018, arXiv:1807.03888) in the pooled features of the frozen networks, each
tap divided by its norm. There are more features than photos, so the covariance is shrunk, and known along its widest
directions only: that keeps the model small, and recognised more than all directions did (docs/benchmarks.md).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

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
_FEW_DIRECTIONS = 4  # of so many times as many photos, finding these few directions is several times quicker than all


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
    products = _products(units)
    for fold in np.unique(fold_of):
        held_out = asked[fold_of == fold]
        distances[fold_of == fold] = _distances(products, np.flatnonzero(folds != fold), held_out, rank, units.shape[1])
    threshold = threshold_of(distances)
    shape = _Shape.of(units, products, rank)
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
class _Widest:
    """The directions in which photos vary most, in their inner products: there are more features than photos.

    Attributes:
        vectors: float64 (n_photos, rank), each of length 1; times the centred photos they give the directions.
        lengths: float64 (rank,), of these directions.
        discounts: float64 (rank,), see `_Shape`.
        weight: see `_Shape`.
    """

    vectors: np.ndarray
    lengths: np.ndarray
    discounts: np.ndarray
    weight: float

    @classmethod
    def of(cls, centred: np.ndarray, rank: int, width: int) -> "_Widest":
        """centred: float64 (n_photos, n_photos), inner products of photos whose mean is 0. width: of the features."""
        n_free = max(1, len(centred) - 1)
        squares, vectors = _largest(centred, rank)
        squares = np.maximum(squares / n_free, _SMALLEST_SQUARE)
        rest = _SHRINKAGE * max(float(centred.trace()) / n_free, _SMALLEST_SQUARE) / width
        discounts = 1 / rest - 1 / ((1 - _SHRINKAGE) * squares + rest)
        return cls(vectors, np.sqrt(squares * n_free), discounts, 1 / rest)


def _largest(products: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues and their vectors: (rank,) and (n_photos, rank), fewer where there are fewer photos."""
    from scipy.sparse.linalg import ArpackError, eigsh

    n = len(products)
    # With matrices this small, threads only wait for each other, and far longer where other work uses the processors.
    with threadpool_limits(1, "blas"):
        if n > _FEW_DIRECTIONS * rank:
            with suppress(ArpackError):  # such as of photos that are all alike
                squares, vectors = eigsh(products, k=rank, which="LA", v0=np.random.default_rng(0).normal(size=n))
                return squares, vectors
        squares, vectors = np.linalg.eigh(products)
        return squares[-rank:], vectors[:, -rank:]


def _products(units: np.ndarray) -> np.ndarray:
    """float64 (n_photos, n_photos): inner products of the photos, their mean taken away."""
    centred = units - units.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.asarray(centred @ centred.T, np.float64)


def _distances(products: np.ndarray, learned: np.ndarray, asked: np.ndarray, rank: int, width: int) -> np.ndarray:
    """float (len(asked),): how far some photos are from others, by their inner products alone.

    Args:
        products: see `_products`.
        learned: int, the photos that are learned from.
        asked: int, further photos.
        rank: the number of directions.
        width: the number of features.
    """
    inner, beside = products[np.ix_(learned, learned)], products[np.ix_(asked, learned)]
    means, mean = inner.mean(axis=0), inner.mean()
    widest = _Widest.of(inner - means - means[:, None] + mean, rank, width)
    squares = products[asked, asked] - 2 * beside.mean(axis=1) + mean
    along = (beside - beside.mean(axis=1, keepdims=True) - means + mean) @ widest.vectors / widest.lengths
    return np.asarray(np.sqrt(np.maximum(widest.weight * squares - np.square(along) @ widest.discounts, 0)))


@dataclass(frozen=True, slots=True)
class _Shape:
    """Mean and shrunk covariance: d² = weight * |x - mean|² - |(x - mean) @ directions|²."""

    mean: np.ndarray
    directions: np.ndarray
    weight: float

    @classmethod
    def of(cls, units: np.ndarray, products: np.ndarray, rank: int) -> "_Shape":
        mean = units.mean(axis=0, dtype=np.float64).astype(np.float32)
        widest = _Widest.of(products, rank, units.shape[1])
        along = (units - mean).T @ widest.vectors.astype(np.float32)
        along /= np.maximum(np.linalg.norm(along, axis=0), _SMALLEST_SQUARE)
        return cls(mean, (along * np.sqrt(widest.discounts)).astype(np.float32), widest.weight)

    def as_distance(self, taps: Sequence[str], widths: Sequence[int], threshold: float) -> FeatureDistance:
        return FeatureDistance(
            taps=tuple(taps),
            widths=tuple(widths),
            mean=self.mean,
            directions=(self.directions / threshold).astype(np.float32),
            weight=self.weight / threshold**2,
        )
