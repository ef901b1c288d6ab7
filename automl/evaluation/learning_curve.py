"""What more photos are worth: how often a quick model is right that has learned from some of the photos, and from all.

The quick model is a ridge regression on the features of one backbone. It is asked about the photos that a fold holds
out, as the models of the search are, after it has learned from a quarter, half and all of the others.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from automl.records.learning_curve import CurvePoint

MAX_PHOTOS = 2_000
"""For more, the equations of all folds would take more than a second or two of the run's time."""

SHARES = (0.25, 0.5, 1.0)
_RIDGE = 0.1  # of the mean square of a row
_ANSWERS, _MOST_DRAWS = 1_000, 8


def learning_curve(
    features: np.ndarray, labels: np.ndarray, *, folds: np.ndarray, groups: Sequence[str], seed: int
) -> tuple[CurvePoint, ...]:
    """One point for each of `SHARES`; none of more than `MAX_PHOTOS` photos, or where none is held out.

    Args:
        features: float (n, n_features), pooled and raw.
        labels: int (n,), the classes of the photos.
        folds: int (n,), the fold that holds each photo out, from 0; -1 where none does.
        groups: of each photo; photos of one group are learned from together or not at all.
        seed: draws the photos of the smaller shares.
    """
    asked = np.flatnonzero(folds >= 0)
    if not len(asked) or len(features) > MAX_PHOTOS:
        return ()
    kernel = _kernel(features)
    n_draws = int(np.clip(_ANSWERS // len(asked), 1, _MOST_DRAWS))
    right = np.zeros((len(SHARES), len(labels)))
    n_learned = np.zeros(len(SHARES))
    for draw in range(n_draws):
        order = _order(labels, groups, np.random.default_rng((seed, draw)))
        for number, share in enumerate(SHARES):
            for learned, held_out in _folds(folds, labels, order, share):
                answers = _answers(kernel, labels, learned, held_out)
                right[number, held_out] += (answers == labels[held_out]) / n_draws
                n_learned[number] += len(learned) / n_draws
    return tuple(_points(right[:, asked], n_learned / len(np.unique(folds[asked]))))


def _kernel(features: np.ndarray) -> np.ndarray:
    """float32 (n, n): products of the centred rows, of which each has the length 1 before."""
    rows = np.asarray(features, np.float32)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    rows -= rows.mean(axis=0)
    products: np.ndarray = rows @ rows.T
    return products


def _order(labels: np.ndarray, groups: Sequence[str], random: np.random.Generator) -> np.ndarray:
    """int (n,): the place of each photo among those of its class, whole groups in random order."""
    names = np.unique(np.asarray(groups), return_inverse=True)[1]
    drawn = np.lexsort((random.permutation(names.max() + 1)[names], labels))
    order = np.empty(len(labels), int)
    for label in np.unique(labels):
        rows = drawn[labels[drawn] == label]
        order[rows] = np.arange(len(rows))
    return order


def _folds(
    folds: np.ndarray, labels: np.ndarray, order: np.ndarray, share: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each fold the rows that are learned from, at least one of each class, and those that it holds out."""
    for fold in np.unique(folds[folds >= 0]):
        others = np.flatnonzero(folds != fold)
        kept = []
        for label in np.unique(labels[others]):
            rows = others[labels[others] == label]
            kept.append(rows[np.argsort(order[rows])][: max(1, round(share * len(rows)))])
        yield np.concatenate(kept), np.flatnonzero(folds == fold)


def _answers(kernel: np.ndarray, labels: np.ndarray, learned: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """int (n_held_out,): the class that a ridge regression on `learned` names."""
    targets = np.eye(labels.max() + 1, dtype=np.float32)[labels[learned]]
    mean = targets.mean(axis=0)
    inner = kernel[np.ix_(learned, learned)]
    inner.flat[:: len(learned) + 1] += _RIDGE * np.trace(kernel) / len(kernel)
    weights = np.linalg.solve(inner, targets - mean)
    named: np.ndarray = (kernel[np.ix_(held_out, learned)] @ weights + mean).argmax(axis=1)
    return named


def _points(right: np.ndarray, n_learned: np.ndarray) -> Iterator[CurvePoint]:
    """right: float (n_shares, n_asked), how often each photo was named rightly."""
    for number, row in enumerate(right):
        gains = row - right[max(0, number - 1)]
        yield CurvePoint(
            n_learned=float(n_learned[number]),
            right=float(row.mean()),
            gain=float(gains.mean()),
            gain_error=float(gains.std() / np.sqrt(len(gains))),
        )
