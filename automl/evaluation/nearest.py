"""The photos that a model learned from and that look most like a given one, for a person who asks why it went wrong.

Likeness is the cosine of standardised features, as in `lookalikes`.
"""

import numpy as np

_ROWS = 1024


def nearest(pool_features: np.ndarray, query_features: np.ndarray, k: int) -> np.ndarray:
    """int (n_queries, min(k, n_pool)): rows of the pool, the most alike first; of equals, the earlier row.

    The pool is read block by block, so it may be memory-mapped and larger than memory.
    pool_features: float (n_pool, n_features), pooled and raw. query_features: float (n_queries, n_features), of the
    same layers.

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
    mean, spread = moments(pool_features)
    for start in range(0, n_queries, _ROWS):
        queries = directions(query_features[start : start + _ROWS], mean, spread)
        found[start : start + _ROWS] = _nearest_of_block(pool_features, queries, mean, spread, found.shape[1])
    return found


def _nearest_of_block(
    pool_features: np.ndarray, queries: np.ndarray, mean: np.ndarray, spread: np.ndarray, k: int
) -> np.ndarray:
    """int (len(queries), k). `queries`: float32 directions."""
    rows, likeness = np.empty((len(queries), 0), np.intp), np.empty((len(queries), 0), np.float32)
    for start in range(0, len(pool_features), _ROWS):
        block = directions(pool_features[start : start + _ROWS], mean, spread)
        numbers = np.broadcast_to(np.arange(start, start + len(block)), (len(queries), len(block)))
        rows, likeness = np.hstack([rows, numbers]), np.hstack([likeness, queries @ block.T])
        rows, likeness = _first(rows, likeness, k)
    return rows


def _first(rows: np.ndarray, likeness: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k columns of each row with the greatest likeness, in that order, the earlier one of equals first.

    `likeness` is spoilt. k is small, so looking for the greatest k times is quicker than sorting.
    """
    k = min(k, likeness.shape[1])
    everyone = np.arange(len(likeness))
    best_rows, best = np.empty((len(likeness), k), np.intp), np.empty((len(likeness), k), np.float32)
    for place in range(k):
        column = likeness.argmax(axis=1)
        best_rows[:, place], best[:, place] = rows[everyone, column], likeness[everyone, column]
        likeness[everyone, column] = -np.inf
    return best_rows, best


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 (n_features,): mean and standard deviation."""
    total = np.zeros(features.shape[1])
    for start in range(0, len(features), _ROWS):
        total += features[start : start + _ROWS].sum(axis=0, dtype=np.float64)
    mean, squares = total / len(features), np.zeros(features.shape[1])
    for start in range(0, len(features), _ROWS):
        squares += np.square(features[start : start + _ROWS] - mean).sum(axis=0)
    return mean.astype(np.float32), np.sqrt(squares / len(features)).astype(np.float32)


def directions(features: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """float32 (n, n_features) of unit length: what all photos share says nothing about two of them."""
    values = (np.asarray(features, np.float32) - mean) / (spread + 1e-3)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6))
