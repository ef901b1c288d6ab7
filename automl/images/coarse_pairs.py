"""Pairs of pictures that may be near copies: a coarse fingerprint makes each pair one dot product."""

from collections.abc import Iterator

import numpy as np

from automl.images.fingerprint import FINGERPRINT_PX
from automl.images.resemblance import blurred

_COARSE_PX = FINGERPRINT_PX // 2
_MIN_COARSE = 0.92
_MAX_CANDIDATES = 12
"""The best so many of one picture. A series of copies still hangs together, and a set of look-alikes stays quick."""

_CROWD = 60
"""Where a picture is like more others, a camera has stood still. All of those hang together in any case, so each is
only compared with two of them, and its copies are found by `automl.images.still_camera`."""

_PRODUCTS_PER_BLOCK = 8_000_000
FINGERPRINTS_PER_BLOCK = 2_000


def coarse_fingerprints(fingerprints: np.ndarray) -> np.ndarray:
    """The coarse fingerprints, float32 (n, _COARSE_PX**2): blurred, with mean 0 and length 1."""
    coarse = np.empty((len(fingerprints), _COARSE_PX**2), np.float32)
    for start in range(0, len(fingerprints), FINGERPRINTS_PER_BLOCK):
        block = fingerprints[start : start + FINGERPRINTS_PER_BLOCK].reshape(-1, _COARSE_PX, 2, _COARSE_PX, 2)
        flat = blurred(block.mean(axis=(2, 4), dtype=np.float32)).reshape(len(block), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        coarse[start : start + len(block)] = flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-6)
    return coarse


def mirrored(coarse: np.ndarray) -> np.ndarray:
    return coarse.reshape(-1, _COARSE_PX, _COARSE_PX)[:, :, ::-1].reshape(coarse.shape)


def coarse_pairs(coarse: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Pairs that look alike, int (p, 2) with the smaller index first, and whether the first is to be mirrored."""
    n = len(coarse)
    n_rows = max(1, _PRODUCTS_PER_BLOCK // max(1, n))
    for start in range(0, n, n_rows):
        rows = coarse[start : start + n_rows]
        in_crowd = np.zeros(len(rows), bool)
        for mirror in (False, True):
            # Both have length 1, so the product is the correlation of the two pictures.
            alike = (mirrored(rows) if mirror else rows) @ coarse[start:].T
            alike[:, : len(rows)][np.tri(len(rows), dtype=bool)] = -1
            is_alike = alike >= _MIN_COARSE
            if not in_crowd.all():
                in_crowd |= np.count_nonzero(is_alike, axis=1) > _CROWD
            yield _best_pairs(alike, is_alike, in_crowd) + start, mirror


def _best_pairs(alike: np.ndarray, is_alike: np.ndarray, in_crowd: np.ndarray) -> np.ndarray:
    """The rows and columns, int (p, 2), of the best candidates of each row; of one in a crowd only two."""
    apart, crowded = np.flatnonzero(~in_crowd), np.flatnonzero(in_crowd)
    i, j = np.nonzero(is_alike[apart] if len(crowded) else is_alike)
    i = apart[i]
    best = _best_of_each(i, alike[i, j])
    pairs = [np.stack([i[best], j[best]], axis=1)]
    those = is_alike if len(crowded) == len(alike) else is_alike[crowded]
    last = those.shape[1] - 1 - those[:, ::-1].argmax(axis=1)
    for other in (alike.argmax(axis=1)[crowded], last):
        is_near = is_alike[crowded, other]
        pairs.append(np.stack([crowded[is_near], other[is_near]], axis=1))
    return np.concatenate(pairs)


def _best_of_each(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The positions of the _MAX_CANDIDATES largest values of each row."""
    order = np.lexsort((-values, rows))
    ordered = rows[order]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered, side="left")
    return np.asarray(order[rank < _MAX_CANDIDATES])
