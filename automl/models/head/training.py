"""Training of heads on frozen features: the models of all folds and the final model learn at the same time.

A linear head is softmax(features @ kernel + bias); a head with hidden layers has ReLU layers in front. The models of
the folds differ only in the rows that they learn from, so they share each pass over the features. The last model learns
from every row and is the one that is delivered. Early stopping watches the held-out rows of the folds, and the
delivered model is taken at the same epoch.

NumPy does all of it: such a model is too small for TensorFlow's graphs to pay, and the first model of a run need not
wait for TensorFlow's import.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from automl.errors import HeadTooLarge, TrialFailed
from automl.models.head.network import Layers, StackedHeads, cross_entropy, softmax
from automl.models.head.schedule import LearningRate
from automl.models.head.settings import Features, HeadSettings, Targets, balanced_weights, smoothed_targets
from automl.text.messages import search as search_messages

_CHUNK = 2048
_MANY_PARAMETERS = 5_000_000
_MOST_BYTES = 3_000_000_000
_ARRAYS_A_PARAMETER = 6  # kernel, gradient, AdamW's three, and the best so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The learning curves of a training: one value an epoch. Empty for a model that was not trained in epochs.

    Attributes:
        train_loss: the mean loss of the training rows, in nats.
        train_accuracy: the share of the training rows that was classified correctly, 0-1.
        validation_loss: the mean loss of the held-out rows of all folds together, in nats.
        validation_accuracy: the share of these held-out rows that was classified correctly, 0-1.
    """

    train_loss: tuple[float, ...] = ()
    train_accuracy: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()

    @classmethod
    def of_epochs(cls, epochs: Sequence[tuple[float, float, float, float]]) -> "Curves":
        """Makes curves of the four values of each epoch, in the order of the attributes."""
        columns = [tuple(float(epoch[place]) for epoch in epochs) for place in range(4)]
        return cls(
            train_loss=columns[0],
            train_accuracy=columns[1],
            validation_loss=columns[2],
            validation_accuracy=columns[3],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFit:
    """A trained head.

    Attributes:
        layers: the layers of the final model, which learned from every row.
        fold_layers: the layers of the models of all folds, repeat after repeat; each of them has not seen the rows of
            its own fold. Only for linear heads, else empty.
        held_out_logits: float32 (n_repeats, n_rows, n_classes), for each row by the fold that had not seen it; NaN
            where no fold held the row out.
        accuracy: the share of the held-out rows that was classified correctly, 0-1, at `best_epoch`.
        loss: the mean loss of the held-out rows in nats, at `best_epoch`.
        best_epoch: the epoch that the model is taken from, counted from 1; 0 for a model that knows no epochs.
        curves: the learning curves, empty where there are no epochs.
    """

    layers: Layers
    fold_layers: tuple[Layers, ...]
    held_out_logits: np.ndarray
    accuracy: float
    loss: float
    best_epoch: int
    curves: Curves


OnEpoch = Callable[[int, np.ndarray], None]
"""Takes the epoch, counted from 1, and the held-out logits so far; an exception that it raises ends the training."""

OnStep = Callable[[], bool]
"""Is called after each batch. Where it returns True, the training ends and keeps what it has; it may also raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedHead:
    """One head that is trained in a pass with others.

    Attributes:
        settings: how to train it. The heads of a pass agree in `hidden_units` and `optimizer`.
        seed: one seed always gives the same head, whatever else is in the pass, up to the rounding of float32.
        on_epoch: see `fit_head`.
        on_step: see `fit_head`; asked after some dozen batches.
    """

    settings: HeadSettings
    seed: int
    on_epoch: OnEpoch = lambda _epoch, _logits: None
    on_step: OnStep = lambda: False


def fit_head(
    features: Features,
    targets: Targets,
    settings: HeadSettings,
    *,
    seed: int,
    on_epoch: OnEpoch = lambda _epoch, _logits: None,
    on_step: OnStep = lambda: False,
) -> HeadFit:
    """Trains one head on every fold of every repeat, and on all rows, at once.

    Where a batch does not fit into memory, the training begins anew with batches of half the size, and validates half
    as many rows at once.

    Args:
        features: the features of the photos.
        targets: their classes and folds.
        settings: how to train.
        seed: one seed always gives the same head.
        on_epoch: is called after each epoch.
        on_step: is called after each batch.

    Raises:
        TrialFailed: the loss was not a number from the first epoch on, or a single row does not fit into memory.
        HeadTooLarge: its parameters would not fit into memory.
    """
    n_parameters = checked_size(features, targets, settings)
    batch_size = first_batch_size(features.n_rows)
    while True:
        try:
            # Matrices this small gain nothing from a second thread, and where other work keeps the cores busy, threads
            # that wait for each other by spinning make a training ten times slower.
            with threadpool_limits(1 if n_parameters < _MANY_PARAMETERS else None, "blas"):
                return HeadTraining(features, targets, settings, seed=seed, batch_size=batch_size).run(
                    on_epoch, on_step
                )
        except MemoryError:
            if batch_size == 1:
                raise TrialFailed(search_messages.NO_MEMORY_FOR_HEAD) from None
            batch_size //= 2


def checked_size(features: Features, targets: Targets, settings: HeadSettings) -> int:
    """The number of parameters in the first layer of all models, which is by far the largest one.

    Raises:
        HeadTooLarge: see `fit_head`.
    """
    width = (*settings.hidden_units, targets.n_classes)[0]
    n_parameters = features.n_features * width * targets.n_models
    if (n_bytes := 4 * _ARRAYS_A_PARAMETER * n_parameters) > _MOST_BYTES:
        raise HeadTooLarge(search_messages.HEAD_TOO_WIDE.format(n_gigabytes=n_bytes / 1e9))
    return n_parameters


def most_together(features: Features, targets: Targets, settings: HeadSettings) -> int:
    """How many heads like this one fit into memory side by side, at least 1.

    Raises:
        HeadTooLarge: see `fit_head`.
    """
    return max(1, _MOST_BYTES // (4 * _ARRAYS_A_PARAMETER * checked_size(features, targets, settings)))


def first_batch_size(n_rows: int) -> int:
    """The number of rows of a batch where memory suffices."""
    return int(max(1, min(n_rows, np.clip(n_rows // 16, 32, 512))))


@dataclass(frozen=True, slots=True)
class _Best:
    """What is kept of the best epoch so far; the attributes are those of `HeadFit`."""

    layers: Layers
    fold_layers: tuple[Layers, ...]
    held_out_logits: np.ndarray


class HeadTraining:
    """One attempt to train with a given size of batch, in NumPy; a device takes the steps of several at once.

    Attributes:
        network: the models.
        random: draws everything that is random.
        learned: float32 (n_rows, n_models), the weight with which each model learns from each row.
        own_model: int (n_rows, n_repeats), the model that does not learn from the row; `n_models` where all of them do.
        smoothed: float32 (n_classes, n_classes), the target of each class, in its row.
        rate: the learning rate of each step.
        steps_per_epoch: the number of batches of an epoch.
        chunk: the number of rows that are validated at once.
        held_out_logits: float32 (n_repeats, n_rows, n_classes), see `HeadFit`, after the latest epoch.
    """

    def __init__(
        self, features: Features, targets: Targets, settings: HeadSettings, *, seed: int, batch_size: int
    ) -> None:
        self._features, self._targets, self._settings = features, targets, settings
        self._is_cut_short = False
        self.random = np.random.default_rng(seed)
        n_rows, n_classes = features.n_rows, targets.n_classes
        self.chunk = max(1, round(min(_CHUNK, n_rows) * batch_size / first_batch_size(n_rows)))
        self.own_model, self.learned = targets.own_model, targets.learned
        self._class_weights = np.ones(n_classes, dtype=np.float32)
        if settings.class_weighting == "balanced":
            self._class_weights = balanced_weights(targets.labels, n_classes)
            self.learned = self.learned * self._class_weights[targets.labels, None]
        self.smoothed = smoothed_targets(n_classes, settings.label_smoothing)
        self.network = StackedHeads(
            n_features=features.n_features,
            n_classes=n_classes,
            n_models=targets.n_models,
            settings=settings,
            random=self.random,
        )
        self.steps_per_epoch = math.ceil(n_rows / batch_size)
        self.rate = LearningRate(
            schedule=settings.lr_schedule,
            peak=settings.learning_rate,
            steps_per_epoch=self.steps_per_epoch,
            max_epochs=settings.max_epochs,
            patience=settings.patience or settings.max_epochs,
        )
        self.held_out_logits = np.full((targets.n_repeats, n_rows, n_classes), np.nan, dtype=np.float32)
        self._best: _Best | None = None
        self._best_loss, self._best_epoch = math.inf, 0
        self._history: list[tuple[float, float, float, float]] = []

    def run(self, on_epoch: OnEpoch, on_step: OnStep) -> HeadFit:
        """Trains until early stopping, `on_step` or the last epoch ends it."""
        for epoch in range(self._settings.max_epochs):
            goes_on = self._epoch(epoch, on_step)
            on_epoch(epoch + 1, self.held_out_logits)
            if not goes_on:
                break
        return self.result()

    def _epoch(self, epoch: int, on_step: OnStep) -> bool:
        """Trains one epoch, counted from 0, and validates. Returns whether another one should follow."""
        with np.errstate(over="ignore", invalid="ignore"):  # a training that diverges is recognised by its loss
            train_loss, train_accuracy = self._pass_over_rows(epoch, on_step)
            held_out = self._validate()
        return self.take_epoch(epoch, (train_loss, train_accuracy), held_out)

    def take_epoch(self, epoch: int, train: tuple[float, float], held_out: tuple[float, float]) -> bool:
        """Takes the loss and the accuracy of training and of the held-out rows after `epoch`, counted from 0.

        Returns whether another one should follow.
        """
        loss = held_out[0]
        self._history.append((*train, *held_out))
        # A fixed number of epochs looks at no held-out row, not even to lower the learning rate.
        watched = train[0] if self._settings.patience is None else loss
        improved = watched < self._best_loss
        if improved or (self._settings.patience is None and math.isfinite(loss)):
            self._keep(epoch)
        self._best_loss = min(self._best_loss, watched)
        self.rate.after_epoch(improved)
        return self._goes_on(epoch, loss)

    def _pass_over_rows(self, epoch: int, on_step: OnStep) -> tuple[float, float]:
        """Learns from every row once, in random order. Returns the mean loss and accuracy of training."""
        order = self.random.permutation(self._features.n_rows)
        sums = np.zeros(3)
        for rows, rate in zip(np.array_split(order, self.steps_per_epoch), self.rate.epoch(epoch), strict=True):
            sums += self._step(rows, float(rate))
            self._is_cut_short = on_step()
            if self._is_cut_short:
                break
        return sums[0] / sums[2], sums[1] / sums[2]

    def _keep(self, epoch: int) -> None:
        targets = self._targets
        n_folds = 0 if self._settings.hidden_units else targets.n_models - 1
        self._best = _Best(
            self.network.layers_of(targets.n_models - 1),
            tuple(self.network.layers_of(fold) for fold in range(n_folds)),
            self.held_out_logits.copy(),
        )
        self._best_epoch = epoch

    def _goes_on(self, epoch: int, loss: float) -> bool:
        if self._is_cut_short or not math.isfinite(loss):
            return False
        patience = self._settings.patience
        return patience is None or epoch - self._best_epoch < patience

    def _step(self, rows: np.ndarray, rate: float) -> np.ndarray:
        """Learns from one batch.

        Returns the sums of the loss, of the correct answers and of the weights, over the rows and the models that learn
        from them.
        """
        x = self._batch(rows)
        logits = self.network.forward(x, self.random)
        labels, learned = self._targets.labels[rows], self.learned[rows]
        probabilities, log_of_sum = softmax(logits)
        right = logits.argmax(axis=2) == labels[:, None]
        loss = log_of_sum - np.take_along_axis(logits, labels[:, None, None], axis=2)[:, :, 0]
        sums = np.array([(loss * learned).sum(), (right * learned).sum(), learned.sum()])
        # From here on the array holds the derivative of the mean loss by the logits, which is all that is needed of it.
        probabilities -= self.smoothed[labels][:, None, :]
        probabilities *= (learned / np.maximum(learned.sum(axis=0), 1e-6))[:, :, None]
        self.network.backward(x, probabilities, rate)
        return sums

    def _batch(self, rows: np.ndarray) -> np.ndarray:
        """The features of some rows; with `mirrored`, those of the mirrored photo for half of them at random."""
        x = self._features.take(rows)
        if self._settings.mirrored:
            mirrored = self.random.random(len(rows)) < 0.5
            x[mirrored] = self._features.take_mirrored(rows[mirrored])
        return x

    def _validate(self) -> tuple[float, float]:
        """Loss and accuracy of the held-out rows, by the model that did not learn from them.

        Where the classes are weighted in training they are here too, or early stopping would end the training while it
        still improves on rare classes.
        """
        targets = self._targets
        sums = np.zeros(4)
        for start in range(0, self._features.n_rows, self.chunk):
            rows = np.arange(start, min(start + self.chunk, self._features.n_rows))
            rows = rows[targets.scored[rows]]
            if not len(rows):
                continue
            logits = self.network.logits(self._features.take(rows))
            sums += self.take_held_out(rows, np.take_along_axis(logits, self.own_model[rows][:, :, None], axis=1))
        return mean_of(sums)

    def take_held_out(self, rows: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Takes the logits of some held-out rows, float32 (n, n_repeats, n_classes), by the models that do not know
        them.

        Returns the sums of the loss, of its weights, of the right answers and of all answers.
        """
        n_repeats, labels = self._targets.n_repeats, self._targets.labels[rows]
        self.held_out_logits[:, rows] = own.transpose(1, 0, 2)
        losses = cross_entropy(own, np.repeat(labels[:, None], n_repeats, axis=1))
        weights = self._class_weights[labels]
        loss, weight = float((losses * weights[:, None]).sum()), float(weights.sum()) * n_repeats
        return np.array([loss, weight, (own.argmax(axis=2) == labels[:, None]).sum(), len(rows) * n_repeats])

    def result(self) -> HeadFit:
        if self._best is None:
            raise TrialFailed(search_messages.TRAINING_DIVERGED)
        curves = Curves.of_epochs(self._history)
        return HeadFit(
            layers=self._best.layers,
            fold_layers=self._best.fold_layers,
            held_out_logits=self._best.held_out_logits,
            accuracy=curves.validation_accuracy[self._best_epoch],
            loss=curves.validation_loss[self._best_epoch],
            best_epoch=self._best_epoch + 1,
            curves=curves,
        )


def mean_of(sums: np.ndarray) -> tuple[float, float]:
    """Loss and accuracy; `sums` as `HeadTraining.take_held_out` returns them."""
    loss, weight, right, n = sums.tolist()
    return loss / max(weight, 1e-9), right / max(n, 1.0)
