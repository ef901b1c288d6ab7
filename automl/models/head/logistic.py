"""Linear heads by L-BFGS: multinomial logistic regression with a penalty on the weights, as scikit-learn defines it.

The problem is convex, so there is one answer, without a seed, a learning rate or a number of epochs. The models of all
folds and the final one share each pass over the features. All of them start from zero: the model of a fold must not
start from one that has seen the rows which it holds out, since where there are more features than photos, what that one
learned of these rows would stay.
"""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from automl.errors import HeadTooLarge, TrialFailed
from automl.models.head.lbfgs import minimised
from automl.models.head.network import Layer, cross_entropy, softmax
from automl.models.head.settings import Features, HeadSettings, Targets, balanced_weights, smoothed_targets
from automl.models.head.training import Curves, HeadFit, OnStep
from automl.text.messages import search as search_messages

_MOST_BYTES = 3_000_000_000
_LARGEST_GRADIENT = 3e-7  # of the mean loss: probabilities are right to a thousandth, up to this C
_MOST_CURVED = 0.25  # the second derivative of a softmax's loss by a logit
_SAFE_C = 10.0
_EXACT_UP_TO_C = 100.0  # the weaker the penalty, the further a small gradient may be from the minimum
_JITTER = 1e-7  # of the mean square of a row: photos that are the same in all features are told apart by so much
_SMALLEST_JITTER = 1e-30


def fit_logistic(
    features: Features,
    targets: Targets,
    settings: HeadSettings,
    *,
    soft: np.ndarray | None = None,
    on_step: OnStep = lambda: False,
) -> HeadFit:
    """Trains one linear head on every fold of every repeat, and on all rows, at once.

    Args:
        features: the features of the photos.
        targets: their classes and folds.
        settings: its `inverse_regularisation`, `label_smoothing`, `class_weighting` and `mirrored` are used.
        soft: float32 (n_rows, n_models, n_classes), what each model is to answer for each photo, instead of its class
            alone; each sums up to 1. None for the classes.
        on_step: is called after each step. Where it returns True, only a few more steps follow.

    Raises:
        TrialFailed: the features do not fit into memory, or are not numbers.
        HeadTooLarge: see `TrialFailed`, where that is known beforehand.
    """
    n_learned = features.n_rows * (1 + settings.mirrored)
    if (n_bytes := 4 * n_learned * (features.n_features + min(n_learned, features.n_features))) > _MOST_BYTES:
        raise HeadTooLarge(search_messages.HEAD_TOO_WIDE.format(n_gigabytes=n_bytes / 1e9))
    try:
        with threadpool_limits(1, "blas"):
            return _fitted(features, targets, settings, soft, on_step)
    except MemoryError:
        raise TrialFailed(search_messages.NO_MEMORY_FOR_HEAD) from None


def _fitted(
    features: Features, targets: Targets, settings: HeadSettings, soft: np.ndarray | None, on_step: OnStep
) -> HeadFit:
    rows = np.arange(features.n_rows)
    x = features.take(rows)
    if settings.mirrored:
        x = np.concatenate([x, features.take_mirrored(rows)])
    if not np.isfinite(x).all():
        raise TrialFailed(search_messages.TRAINING_DIVERGED)
    span = _Span.of(x)
    regression = _regression_of(span.inputs, targets, settings, soft=soft, common=features.common)
    kernels, biases = regression.solve(on_step)
    return _head_fit(span, kernels, biases, targets)


def _regression_of(
    x: np.ndarray, targets: Targets, settings: HeadSettings, *, soft: np.ndarray | None, common: float
) -> "Regression":
    """The models of all folds, and the final one last. x: float32, the rows once for each view of the photos."""
    n_views = 1 + settings.mirrored
    learned = targets.learned.astype(np.float64) / n_views
    if settings.class_weighting == "balanced":
        learned *= balanced_weights(targets.labels, targets.n_classes)[targets.labels, None]
    wanted = smoothed_targets(targets.n_classes, settings.label_smoothing)[targets.labels] if soft is None else soft
    return Regression(
        x,
        np.concatenate([wanted] * n_views),
        learned=np.tile(learned, (n_views, 1)),
        strengths=np.full(targets.n_models, settings.inverse_regularisation * common**-2),
    )


def _head_fit(span: "_Span", kernels: np.ndarray, biases: np.ndarray, targets: Targets) -> HeadFit:
    """kernels: float64 (n_inputs, n_models, n_classes). biases: (n_models, n_classes)."""
    n_rows, shape = len(targets.labels), (-1, *biases.shape)
    logits = (span.inputs[:n_rows] @ _flat(kernels)).reshape(shape) + biases
    held_out = np.full((targets.n_repeats, n_rows, targets.n_classes), np.nan, np.float32)
    scored = np.flatnonzero(targets.scored)
    own = np.take_along_axis(logits[scored], targets.own_model[scored][:, :, None], axis=1)
    held_out[:, scored] = own.transpose(1, 0, 2)
    labels = targets.labels[scored]
    losses = cross_entropy(own, np.repeat(labels[:, None], targets.n_repeats, axis=1))
    on_features = span.on_features(_flat(kernels)).reshape(shape)
    layers: list[Layer] = [
        (on_features[:, model].astype(np.float32), biases[model].astype(np.float32)) for model in range(len(biases))
    ]
    return HeadFit(
        layers=(layers[-1],),
        fold_layers=tuple((layer,) for layer in layers[: targets.n_models - 1]),
        held_out_logits=held_out,
        accuracy=float((own.argmax(axis=2) == labels[:, None]).mean()) if len(scored) else 0.0,
        loss=float(losses.mean()) if len(scored) else 0.0,
        best_epoch=0,
        curves=Curves(),
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """The features, rotated into the span of the photos where these are fewer.

    The penalty is the same for all directions, so the answer is too, and each pass is several times cheaper. That is
    not so for Adam, whose steps depend on the axes, and dropout drops axes: they see the features.

    Attributes:
        inputs: float32 (n_rows, n_features), or (n_rows, n_rows) where the features are rotated.
        features: float32 (n_rows, n_features).
        factor: float64 (n_rows, n_rows), lower triangle: that of the products of the rows; None for no rotation.
    """

    inputs: np.ndarray
    features: np.ndarray
    factor: np.ndarray | None = None

    @classmethod
    def of(cls, x: np.ndarray) -> "_Span":
        """x: float32 (n_rows, n_features)."""
        n_rows, n_features = x.shape
        if n_rows >= n_features:
            return cls(x, x)
        products = np.zeros((n_rows, n_rows))
        for start in range(0, n_features, n_rows):
            part = x[:, start : start + n_rows].astype(np.float64)
            products += part @ part.T
        products.flat[:: n_rows + 1] += max(_JITTER * float(products.trace()) / n_rows, _SMALLEST_JITTER)
        factor = np.linalg.cholesky(products)
        return cls(factor.astype(np.float32), x, factor)

    def on_features(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel (n_features, n) that does to the features what `kernel` (n_inputs, n) does to the inputs."""
        if self.factor is None:
            return kernel
        return np.asarray(self.features.T @ np.linalg.solve(self.factor.T, kernel).astype(np.float32))


class Regression:
    """The sum of a mean loss and a penalty, of each of several models on the same rows.

    Args:
        x: float32 (n_rows, n_inputs).
        wanted: float32 (n_rows, n_classes), the target of each row; (n_rows, n_models, n_classes) where each model has
            its own.
        learned: float (n_rows, n_models), how much each row counts for each model.
        strengths: float (n_models,), scikit-learn's C: by which the sum of the losses is multiplied before half of the
            squared weights is added.
    """

    def __init__(self, x: np.ndarray, wanted: np.ndarray, *, learned: np.ndarray, strengths: np.ndarray) -> None:
        total = learned.sum(axis=0)
        # Two classes have two opposite kernels here and one in scikit-learn, which is penalised half as much for them.
        halves = 2 if wanted.shape[-1] == 2 else 1
        self._x, self._wanted = x, wanted if wanted.ndim == 3 else wanted[:, None]
        self._share = (learned / total)[:, :, None].astype(np.float32)
        self._penalty = (halves / (strengths * total))[:, None]
        self._safe_penalty = halves / (_SAFE_C * total)
        self._largest_gradient = _LARGEST_GRADIENT * np.minimum(1.0, (_EXACT_UP_TO_C / strengths) ** 0.5)

    def solve(self, on_step: OnStep = lambda: False) -> tuple[np.ndarray, np.ndarray]:
        """Kernels, float64 (n_inputs, n_models, n_classes), and biases, (n_models, n_classes)."""
        n_models, n_classes = len(self._penalty), self._wanted.shape[2]
        weights = minimised(
            self._loss_and_gradient,
            np.zeros((n_models, (self._x.shape[1] + 1) * n_classes)),
            largest_gradient=self._largest_gradient,
            on_step=on_step,
            scales=self._scales(),
        )
        return self._divided(weights)

    def _scales(self) -> np.ndarray:
        """(n_models, (n_inputs + 1) * n_classes): the inverse of a bound of each weight's second derivative.

        Steps are scaled as for a strength of 10 at most: with more, directions of little variance would come first.
        """
        bends = _MOST_CURVED * (np.square(self._x).T @ self._share[:, :, 0]).astype(np.float64)
        bends += np.maximum(self._penalty[:, 0], self._safe_penalty)
        with_bias = np.concatenate([bends, np.full((1, bends.shape[1]), _MOST_CURVED)])
        return np.repeat(1 / with_bias.T, self._wanted.shape[2], axis=1)

    def _divided(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Kernels and biases as `solve` returns them. weights: (n_models, (n_inputs + 1) * n_classes)."""
        parts = weights.reshape(len(weights), -1, self._wanted.shape[2]).transpose(1, 0, 2)
        return parts[:-1], parts[-1]

    def _loss_and_gradient(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The loss of each model, (n_models,), and its derivatives in the shape of `weights`."""
        kernels, biases = self._divided(weights)
        logits = (self._x @ _flat(kernels).astype(np.float32)).reshape(len(self._x), *biases.shape)
        logits += biases.astype(np.float32)
        error, log_of_sum = softmax(logits)
        losses = log_of_sum - np.einsum("rmc,rmc->rm", logits, np.broadcast_to(self._wanted, logits.shape))
        error -= self._wanted
        error *= self._share
        gradient = np.empty((self._x.shape[1] + 1, *biases.shape))
        np.multiply(self._penalty, kernels, out=gradient[:-1])
        gradient[:-1] += (self._x.T @ _flat(error)).reshape(kernels.shape)
        gradient[-1] = error.sum(axis=0, dtype=np.float64)
        loss = np.einsum("rm,rmo->m", losses, self._share, dtype=np.float64)
        loss += 0.5 * self._penalty[:, 0] * np.einsum("imc,imc->m", kernels, kernels)
        return loss, gradient.transpose(1, 0, 2).reshape(weights.shape)


def _flat(values: np.ndarray) -> np.ndarray:
    """(n, n_models, n_classes) as the matrix (n, n_models * n_classes)."""
    return values.reshape(len(values), -1)
