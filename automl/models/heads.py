"""Linear heads on frozen features: one matrix product trains every cross-validation fold and the final model at once.

A head is softmax(features @ kernel + bias). The folds differ only in the rows that they may learn from, so they share
each pass over the features; the last of the models learns from every row and is the one that is delivered. Early
stopping looks at the held-out rows of the folds, and the delivered model is taken at the same epoch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from automl.errors import TrialFailed

_ADAM_BETA_1, _ADAM_BETA_2, _ADAM_EPSILON = 0.9, 0.999, 1e-7
_PLATEAU_FACTOR, _PLATEAU_SHARE = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How to train a head.

    `dropout`: share of the inputs that is dropped, 0-1. `learning_rate`: the schedule's peak, for AdamW.
    `lr_schedule`: one of `search.space.LR_SCHEDULES`. `patience`: epochs without a lower validation loss.
    """

    dropout: float
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    lr_schedule: str
    patience: int
    max_epochs: int = 60


@dataclass(frozen=True, slots=True)
class Curves:
    """One value an epoch; validation is the held-out rows of all folds together. Accuracies are 0-1, losses in nats."""

    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HeadFit:
    """A trained head.

    `kernel`: float32 (n_features, n_classes), `bias`: float32 (n_classes,), of the model that saw every row.
    `held_out_probabilities`: float32 (n_rows, n_classes), each row by the fold that had not seen it, NaN where no
    fold held the row out. `accuracy`, `loss`: over those rows, at `best_epoch` (counted from 1).
    """

    kernel: np.ndarray
    bias: np.ndarray
    held_out_probabilities: np.ndarray
    accuracy: float
    loss: float
    best_epoch: int
    curves: Curves


class LearningRate:
    """The learning rate at every step of a training that may end early."""

    def __init__(self, settings: HeadSettings, steps_per_epoch: int) -> None:
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch
        self._plateau = 1.0
        self._waited = 0

    def epoch(self, epoch: int) -> np.ndarray:
        """float32 (steps_per_epoch,) for `epoch`, counted from 0."""
        total = self._settings.max_epochs * self._steps_per_epoch
        steps = epoch * self._steps_per_epoch + np.arange(self._steps_per_epoch)
        shape = self._shape(steps / max(1, total - 1))
        return np.asarray(self._settings.learning_rate * shape, dtype=np.float32)

    def _shape(self, done: np.ndarray) -> np.ndarray:
        """The schedule as a factor, for `done`: 0 at the first step, 1 at the last."""
        match self._settings.lr_schedule:
            case "constant":
                return np.ones_like(done)
            case "cosine":
                return 0.5 * (1 + np.cos(np.pi * done))
            case "one_cycle":
                rise = np.clip(done / 0.3, 0, 1)
                fall = np.clip((done - 0.3) / 0.7, 0, 1)
                return np.where(done < 0.3, 0.04 + 0.96 * rise, 0.5 * (1 + np.cos(np.pi * fall)))
            case "exponential":
                return np.exp(done * math.log(0.01))
            case "reduce_on_plateau":
                return np.full_like(done, self._plateau)
        raise ValueError(f"unknown learning-rate schedule {self._settings.lr_schedule!r}")

    def after_epoch(self, improved: bool) -> None:
        """Lowers the plateau schedule after half of the patience without an improvement."""
        self._waited = 0 if improved else self._waited + 1
        if self._waited >= max(1, round(self._settings.patience * _PLATEAU_SHARE)):
            self._plateau *= _PLATEAU_FACTOR
            self._waited = 0


def fit_head(
    features: Any,
    labels: np.ndarray,
    folds: np.ndarray,
    n_folds: int,
    n_classes: int,
    settings: HeadSettings,
    seed: int,
    on_epoch: Callable[[], None] = lambda: None,
) -> HeadFit:
    """Trains one head on every fold, and on all rows, at once.

    Args:
        features: float32 (n_rows, n_features), an array or a TensorFlow tensor, of about unit norm a row.
        labels: int (n_rows,), 0 <= label < n_classes.
        folds: int (n_rows,), the fold that holds the row out, or -1 for rows that are always learnt from.
        n_folds: number of folds; 1 is a plain hold-out.
        on_epoch: called after each epoch; an exception that it raises ends the training.

    Raises:
        TrialFailed: the loss was not a number from the first epoch on.
    """
    fit = _Fit(features, labels, folds, n_folds, n_classes, settings, seed)
    for epoch in range(settings.max_epochs):
        if not fit.epoch(epoch):
            break
        on_epoch()
    return fit.result()


class _Fit:
    def __init__(
        self,
        features: Any,
        labels: np.ndarray,
        folds: np.ndarray,
        n_folds: int,
        n_classes: int,
        settings: HeadSettings,
        seed: int,
    ) -> None:
        import tensorflow as tf

        self._functions = _functions()
        self._settings = settings
        self._random = np.random.default_rng(seed)
        self._features = tf.convert_to_tensor(features, tf.float32)
        n_rows, n_features = self._features.shape
        self._n_models, self._n_classes = n_folds + 1, n_classes
        held_out = np.eye(n_folds + 1, dtype=np.float32)[folds] * (folds >= 0)[:, None]
        self._held_out = tf.constant(held_out)
        self._learnt = tf.constant(1 - held_out)
        self._labels = tf.constant(labels, tf.int32)
        one_hot = np.eye(n_classes, dtype=np.float32)[labels]
        smoothing = settings.label_smoothing
        self._targets = tf.constant(one_hot * (1 - smoothing) + smoothing / n_classes)
        self._n_rows = int(n_rows)
        self._batch_size = max(1, min(self._n_rows, int(np.clip(self._n_rows // 16, 32, 512))))
        self._steps_per_epoch = math.ceil(self._n_rows / self._batch_size)
        self._rate = LearningRate(settings, self._steps_per_epoch)
        width = self._n_models * n_classes
        kernel, bias = tf.zeros((n_features, width)), tf.zeros((width,))
        zeros = (tf.zeros_like(kernel), tf.zeros_like(bias))
        self._state = (kernel, bias, *zeros, *zeros, tf.constant(0.0))
        self._best = (kernel, bias)
        self._best_loss, self._best_epoch = math.inf, 0
        self._history: list[tuple[float, ...]] = []

    def epoch(self, epoch: int) -> bool:
        """One pass over the rows; False when early stopping says enough."""
        import tensorflow as tf

        settings = self._settings
        order = self._random.permutation(self._n_rows)
        padded = np.resize(order, self._steps_per_epoch * self._batch_size)
        self._state = self._functions.train(
            self._features,
            self._targets,
            self._learnt,
            tf.constant(padded.reshape(self._steps_per_epoch, self._batch_size), tf.int32),
            tf.constant(self._rate.epoch(epoch)),
            tf.constant(settings.weight_decay, tf.float32),
            tf.constant(settings.dropout, tf.float32),
            tf.constant(self._random.integers(0, 2**31 - 1, 2), tf.int32),
            *self._state,
        )
        metrics = self._functions.measure(
            self._features, self._labels, self._learnt, self._held_out, self._state[0], self._state[1]
        )
        train_loss, train_accuracy, loss, accuracy = (float(value) for value in metrics)
        self._history.append((train_loss, train_accuracy, loss, accuracy))
        improved = loss < self._best_loss
        if improved:
            self._best, self._best_loss, self._best_epoch = self._state[:2], loss, epoch
        self._rate.after_epoch(improved)
        return math.isfinite(loss) and epoch - self._best_epoch < settings.patience

    def result(self) -> HeadFit:
        if not math.isfinite(self._best_loss):
            raise TrialFailed("The training diverged: its loss is not a number.")
        kernel, bias = (value.numpy() for value in self._best)
        logits = (self._features @ kernel + bias).numpy().reshape(self._n_rows, self._n_models, self._n_classes)
        held_out = self._held_out.numpy()
        own = logits[np.arange(self._n_rows), held_out.argmax(axis=1)]
        own = np.exp(own - own.max(axis=1, keepdims=True))
        probabilities = own / own.sum(axis=1, keepdims=True)
        probabilities[held_out.sum(axis=1) == 0] = np.nan
        last = slice((self._n_models - 1) * self._n_classes, None)
        curves = Curves(*(tuple(column) for column in zip(*self._history, strict=True)))
        return HeadFit(
            kernel=kernel[:, last],
            bias=bias[last],
            held_out_probabilities=probabilities.astype(np.float32),
            accuracy=curves.validation_accuracy[self._best_epoch],
            loss=curves.validation_loss[self._best_epoch],
            best_epoch=self._best_epoch + 1,
            curves=curves,
        )


@dataclass(frozen=True, slots=True)
class _Functions:
    train: Callable[..., Any]
    measure: Callable[..., Any]


@cache
def _functions() -> _Functions:
    """The two TensorFlow graphs, traced once for all shapes: a trial must not pay for a trace of its own."""
    import tensorflow as tf

    def spec(*shape: int | None, dtype: Any = tf.float32) -> Any:
        return tf.TensorSpec(shape, dtype)

    matrix, vector, scalar = spec(None, None), spec(None), spec()

    def step(x: Any, targets: Any, learnt: Any, rate: Any, decay: Any, dropout: Any, seed: Any, state: Any) -> Any:
        kernel, bias, m_kernel, m_bias, v_kernel, v_bias, n_steps = state
        n_models = tf.shape(learnt)[1]
        n_classes = tf.shape(targets)[1]
        if dropout > 0:
            keep = tf.random.stateless_uniform(tf.shape(x), seed) >= dropout
            x = tf.where(keep, x / (1 - dropout), 0.0)
        logits = tf.reshape(x @ kernel + bias, (-1, n_models, n_classes))
        weight = learnt / tf.maximum(tf.reduce_sum(learnt, axis=0, keepdims=True), 1.0)
        error = (tf.nn.softmax(logits) - targets[:, None, :]) * weight[:, :, None]
        error = tf.reshape(error, (-1, n_models * n_classes))
        n_steps += 1.0

        def adam_w(value: Any, gradient: Any, m: Any, v: Any, decay: Any) -> Any:
            m = _ADAM_BETA_1 * m + (1 - _ADAM_BETA_1) * gradient
            v = _ADAM_BETA_2 * v + (1 - _ADAM_BETA_2) * tf.square(gradient)
            m_hat = m / (1 - tf.pow(_ADAM_BETA_1, n_steps))
            v_hat = v / (1 - tf.pow(_ADAM_BETA_2, n_steps))
            return value - rate * (m_hat / (tf.sqrt(v_hat) + _ADAM_EPSILON) + decay * value), m, v

        kernel, m_kernel, v_kernel = adam_w(kernel, tf.matmul(x, error, transpose_a=True), m_kernel, v_kernel, decay)
        bias, m_bias, v_bias = adam_w(bias, tf.reduce_sum(error, axis=0), m_bias, v_bias, 0.0)
        return kernel, bias, m_kernel, m_bias, v_kernel, v_bias, n_steps

    def train(
        features: Any,
        targets: Any,
        learnt: Any,
        order: Any,
        rates: Any,
        decay: Any,
        dropout: Any,
        seed: Any,
        *state: Any,
    ) -> Any:
        for i in tf.range(tf.shape(order)[0]):
            rows = order[i]
            state = step(
                tf.gather(features, rows),
                tf.gather(targets, rows),
                tf.gather(learnt, rows),
                rates[i],
                decay,
                dropout,
                seed + i,
                state,
            )
        return state

    def measure(features: Any, labels: Any, learnt: Any, held_out: Any, kernel: Any, bias: Any) -> Any:
        n_models = tf.shape(learnt)[1]
        logits = tf.reshape(features @ kernel + bias, (tf.shape(features)[0], n_models, -1))
        repeated = tf.repeat(labels[:, None], n_models, axis=1)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=repeated, logits=logits)
        right = tf.cast(tf.equal(tf.argmax(logits, axis=2, output_type=tf.int32), repeated), tf.float32)

        def mean(values: Any, weight: Any) -> Any:
            return tf.reduce_sum(values * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)

        return mean(loss, learnt), mean(right, learnt), mean(loss, held_out), mean(right, held_out)

    state = [matrix, vector, matrix, vector, matrix, vector, scalar]
    step_inputs = [spec(None, None, dtype=tf.int32), vector, scalar, scalar, spec(2, dtype=tf.int32)]
    return _Functions(
        train=tf.function(train, input_signature=[matrix, matrix, matrix, *step_inputs, *state]),
        measure=tf.function(
            measure, input_signature=[matrix, spec(None, dtype=tf.int32), matrix, matrix, matrix, vector]
        ),
    )
