"""The photos that a model learned from and that look most like a given one, for a person who asks why it went wrong.

Likeness is the cosine of standardised features, as in `look_alikes`.
"""

from dataclasses import dataclass

import numpy as np

_ROWS = 1024


@dataclass(frozen=True, slots=True)
class FeatureMoments:
    """How the features of some photos vary, float32 (n_features,) each.

    Attributes:
        mean: the mean of each feature.
        deviation: its standard deviation.
    """

    mean: np.ndarray
    deviation: np.ndarray


def nearest(pool_features: np.ndarray, query_features: np.ndarray, k: int) -> np.ndarray:
    """int (n_queries, min(k, n_pool)): rows of the pool, the most alike first; of equals, the earlier row.

    The pool is read block by block, so it may be memory-mapped and larger than memory.

    Args:
        pool_features: float (n_pool, n_features), pooled and raw, of the photos that are searched.
        query_features: float (n_queries, n_features), of the same layers, of the photos that are compared with them.
        k: the number of rows for each query.

    Raises:
        ValueError: k is not positive, or the features are of different layers.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}.")
    if pool_features.shape[1] != query_features.shape[1]:
        raise ValueError(f"{query_features.shape[1]} features cannot be compared with {pool_features.shape[1]}.")
    n_pool, n_queries = len(pool_features), len(query_features)
    found = np.zeros((n_queries, min(k, n_pool)), np.intp)
    if not found.size:
        return found
    of_pool = moments(pool_features)
    for start in range(0, n_queries, _ROWS):
        queries = directions(query_features[start : start + _ROWS], of_pool)
        found[start : start + _ROWS] = _nearest_of_block(pool_features, queries, of_pool=of_pool, k=found.shape[1])
    return found


def _nearest_of_block(pool_features: np.ndarray, queries: np.ndarray, *, of_pool: FeatureMoments, k: int) -> np.ndarray:
    """int (len(queries), k): the nearest rows of the pool. queries: float32, directions."""
    rows, likeness = np.empty((len(queries), 0), np.intp), np.empty((len(queries), 0), np.float32)
    for start in range(0, len(pool_features), _ROWS):
        block = directions(pool_features[start : start + _ROWS], of_pool)
        numbers = np.broadcast_to(np.arange(start, start + len(block)), (len(queries), len(block)))
        rows, likeness = np.hstack([rows, numbers]), np.hstack([likeness, queries @ block.T])
        rows, likeness = _first(rows, likeness, k)
    return rows


def _first(rows: np.ndarray, likeness: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k columns of each row with the greatest likeness, in that order, the earlier one of equals first.

    `likeness` is overwritten. k is small, so searching for the greatest k times is quicker than sorting.
    """
    k = min(k, likeness.shape[1])
    every_row = np.arange(len(likeness))
    best_rows, best = np.empty((len(likeness), k), np.intp), np.empty((len(likeness), k), np.float32)
    for place in range(k):
        column = likeness.argmax(axis=1)
        best_rows[:, place], best[:, place] = rows[every_row, column], likeness[every_row, column]
        likeness[every_row, column] = -np.inf
    return best_rows, best


def moments(features: np.ndarray) -> FeatureMoments:
    """How features vary. features: float (n, n_features), may be memory-mapped."""
    total = np.zeros(features.shape[1])
    for start in range(0, len(features), _ROWS):
        total += features[start : start + _ROWS].sum(axis=0, dtype=np.float64)
    mean, squares = total / len(features), np.zeros(features.shape[1])
    for start in range(0, len(features), _ROWS):
        squares += np.square(features[start : start + _ROWS] - mean).sum(axis=0)
    return FeatureMoments(mean.astype(np.float32), np.sqrt(squares / len(features)).astype(np.float32))


def directions(features: np.ndarray, of_pool: FeatureMoments) -> np.ndarray:
    """Standardised features of unit length, float32 (n, n_features): what all photos share makes no two of them alike.

    Args:
        features: float (n, n_features).
        of_pool: how the features of all photos vary.
    """
    values = (np.asarray(features, np.float32) - of_pool.mean) / (of_pool.deviation + 1e-3)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6))
