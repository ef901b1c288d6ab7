"""Multinomial logistic regressions in the span of a few photos, many at once: for benchmarks that need thousands.

Each learns from its own share of the same photos, with its own strength of regularisation. The minimum is that of
scikit-learn: C times the summed loss plus half of the squared weights, biases left out.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

_MOST_STEPS, _N_REMEMBERED, _MOST_HALVINGS = 100, 6, 12
_TOLERANCE = 3e-4
_SMALLEST_SHARE = 1e-7
_SAFE_C = 10.0
"""Steps are scaled as for this C at most: with more, directions of little variance would be learned first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """Regressions on the same photos.

    Attributes:
        x: float32 (n_rows, n_features + 1), the last column is 1.
        targets: float32 (n_rows, 1, n_classes), one-hot.
        weights: float32 (n_rows, n_models, 1), C where the model learns from the photo, else 0.
        scales: float32 (n_features + 1, n_models, 1), of the first step.
    """

    x: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    scales: np.ndarray

    def loss_and_gradient(self, kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """float32 (n_models,), and the shape of `kernels`: (n_features + 1, n_models, n_classes)."""
        n_features, n_models, n_classes = kernels.shape
        logits = (self.x @ kernels.reshape(n_features, -1)).reshape(-1, n_models, n_classes)
        logits -= logits.max(axis=2, keepdims=True)
        shares = np.exp(logits)
        total = shares.sum(axis=2, keepdims=True)
        losses = np.log(total[..., 0]) - (logits * self.targets).sum(axis=2)
        error = (shares / total - self.targets) * self.weights
        gradient = (self.x.T @ error.reshape(len(self.x), -1)).reshape(kernels.shape)
        gradient[:-1] += kernels[:-1]
        return (losses * self.weights[..., 0]).sum(axis=0) + 0.5 * np.square(kernels[:-1]).sum((0, 2)), gradient


def in_span(gram: np.ndarray, rows: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of photos in the span of the centred `rows`: float32 (len(rows), rank), (len(others), rank).

    Args:
        gram: float (n_photos, n_photos), inner products of the features.
        rows: int, the photos that are learned from.
        others: int, further photos.
    """
    inner = gram[np.ix_(rows, rows)].astype(np.float64)
    means = inner.mean(axis=0)
    variances, axes = np.linalg.eigh(inner - means - means[:, None] + inner.mean())
    kept = variances > _SMALLEST_SHARE * variances[-1]
    axes, deviations = axes[:, kept], np.sqrt(variances[kept])
    beside = gram[np.ix_(others, rows)].astype(np.float64)
    centred = beside - beside.mean(axis=1, keepdims=True) - means + inner.mean()
    return (axes * deviations).astype(np.float32), (centred @ (axes / deviations)).astype(np.float32)


def fit(x: np.ndarray, labels: np.ndarray, learned: np.ndarray, strengths: np.ndarray, n_classes: int) -> np.ndarray:
    """The kernels of all regressions, the bias last: float32 (n_features + 1, n_models, n_classes).

    L-BFGS (Liu and Nocedal, 1989) on all models side by side, each with its own step length.

    Args:
        x: float32 (n_rows, n_features), centred.
        labels: int (n_rows,).
        learned: bool (n_models, n_rows), the photos that each model learns from.
        strengths: float (n_models,), scikit-learn's C.
        n_classes: the number of classes.
    """
    problems = _problems(x, labels, learned, strengths, n_classes)
    kernels = np.zeros((x.shape[1] + 1, len(strengths), n_classes), np.float32)
    loss, gradient = problems.loss_and_gradient(kernels)
    history: deque[_Pair] = deque(maxlen=_N_REMEMBERED)
    scale = np.ones(len(strengths), np.float32)
    first = _norms(gradient, problems.scales)
    for _ in range(_MOST_STEPS):
        direction = _direction(gradient, problems.scales * scale[:, None], history)
        step = _steps(problems, kernels, loss, gradient, direction)
        moved, kernels = step.kernels - kernels, step.kernels
        changed, gradient, loss = step.gradient - gradient, step.gradient, step.loss
        pair = _Pair(moved, changed)
        history.append(pair)
        curvature = _dots(changed * problems.scales, changed)
        scale = np.where(pair.inverse > 0, 1 / np.maximum(pair.inverse * curvature, 1e-20), scale).astype(np.float32)
        if (_norms(gradient, problems.scales) < _TOLERANCE * first).all():
            break
    return kernels


class _Pair:
    """One step of all models and what it changed of their gradients; of a model that did not move, it tells nothing."""

    def __init__(self, moved: np.ndarray, changed: np.ndarray) -> None:
        self.moved, self.changed = moved, changed
        product = _dots(moved, changed)
        self.inverse = np.where(product > 1e-10, 1 / np.maximum(product, 1e-10), 0).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Where a step has led."""

    kernels: np.ndarray
    loss: np.ndarray
    gradient: np.ndarray


def _problems(
    x: np.ndarray, labels: np.ndarray, learned: np.ndarray, strengths: np.ndarray, n_classes: int
) -> Problems:
    with_bias = np.column_stack([x, np.ones(len(x), np.float32)])
    weights = (learned.T * strengths).astype(np.float32)
    safe = np.minimum(1, _SAFE_C / strengths)
    bends = 0.25 * (np.square(with_bias).T @ (weights * safe))
    bends[:-1] += 1
    return Problems(
        x=with_bias,
        targets=np.eye(n_classes, dtype=np.float32)[labels][:, None],
        weights=weights[..., None],
        scales=(safe / bends).astype(np.float32)[..., None],
    )


def _direction(gradient: np.ndarray, scales: np.ndarray, history: deque[_Pair]) -> np.ndarray:
    """The two loops of L-BFGS."""
    direction = gradient.copy()
    shares = []
    for pair in reversed(history):
        share = pair.inverse * _dots(pair.moved, direction)
        direction -= share[:, None] * pair.changed
        shares.append(share)
    direction *= scales
    for pair, share in zip(history, reversed(shares), strict=True):
        direction += (share - pair.inverse * _dots(pair.changed, direction))[:, None] * pair.moved
    return direction


def _steps(
    problems: Problems, kernels: np.ndarray, loss: np.ndarray, gradient: np.ndarray, direction: np.ndarray
) -> _Step:
    """Goes against the direction, half as far where the loss does not fall; a model that finds no way stays."""
    descent = -_dots(direction, gradient)
    length = np.ones(len(loss), np.float32)
    for _ in range(_MOST_HALVINGS):
        tried = kernels - length[:, None] * direction
        found, slope = problems.loss_and_gradient(tried)
        rises = found > loss + 1e-4 * length * descent + 1e-5 * np.abs(loss)
        if not rises.any():
            break
        length = np.where(rises, length / 2, length)
    stays = rises[:, None]
    return _Step(
        kernels=np.where(stays, kernels, tried),
        loss=np.where(rises, loss, found),
        gradient=np.where(stays, gradient, slope),
    )


def _dots(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n_models,): the inner product of each model."""
    return np.asarray(np.einsum("fmc,fmc->m", one, other))


def _norms(gradient: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(_dots(gradient * scales, gradient)))
