"""The parts of a fine-tuning that need no network: its learning rate, its best epoch, the order of the photos."""

import math

import numpy as np

from automl.models.head.network import cross_entropy
from automl.models.head.schedule import Plateau, schedule_factor
from automl.models.head.settings import balanced_weights
from automl.models.head.training import Curves


class Progress:
    """The learning rate, the learning curves, and which epoch has been the best one.

    Args:
        learning_rate: the peak of the learning rate.
        warmup: the share of the training in which the rate rises from zero, 0-1.
        lr_schedule: one of `records.LR_SCHEDULES`, for what comes after the warm-up.
        patience: the training is over after this many epochs without a lower held-out loss; None where that loss may
            decide nothing, so that the last epoch is always the best one.
        has_held_out: whether there are held-out photos; without them the last epoch is always the best one.
    """

    def __init__(
        self, *, learning_rate: float, warmup: float, lr_schedule: str, patience: int | None, has_held_out: bool = True
    ) -> None:
        self._learning_rate, self._warmup, self._lr_schedule = learning_rate, warmup, lr_schedule
        self._patience, self._has_held_out = patience, has_held_out
        self._history: list[tuple[float, float, float, float]] = []
        self._best_loss, self._best_epoch = math.inf, 0
        self._plateau = Plateau(lr_schedule, patience or 1)

    @property
    def curves(self) -> Curves:
        """The learning curves so far."""
        return Curves.of_epochs(self._history)

    def rate(self, done: float) -> float:
        """The learning rate at the moment when the share `done` of the training is over, 0-1."""
        warmup = self._warmup
        rise = min(1.0, (done + 1e-3) / warmup) if warmup > 0 else 1.0
        after = max(0.0, (done - warmup) / max(1e-9, 1 - warmup))
        factor = float(schedule_factor(self._lr_schedule, np.array([after]))[0])
        return self._learning_rate * rise * self._plateau.factor * factor

    def add(self, epoch: int, train: tuple[float, float], held_out: tuple[float, float]) -> bool:
        """Takes the loss and the accuracy of the training photos and of the held-out photos after `epoch`.

        Returns whether the epoch is the best one so far.
        """
        self._history.append((*train, *held_out))
        loss, _ = held_out
        improved = self._patience is None or not self._has_held_out or loss < self._best_loss
        if improved:
            self._best_loss, self._best_epoch = loss, epoch
        self._plateau.after_epoch(improved)
        return improved

    def is_over(self, epoch: int) -> bool:
        """Whether early stopping ends the training after `epoch`."""
        return self._patience is not None and epoch - self._best_epoch >= self._patience


class ShuffledRows:
    """An endless random order of rows, in which every row comes once before any comes again.

    Attributes:
        n: the number of rows.
    """

    def __init__(self, rows: np.ndarray, random: np.random.Generator) -> None:
        self.n = len(rows)
        self._rows, self._random = rows, random
        self._waiting = rows[:0]

    def take(self, n: int) -> np.ndarray:
        """The next `n` rows."""
        while len(self._waiting) < n:
            self._waiting = np.concatenate([self._waiting, self._random.permutation(self._rows)])
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken


def class_weights(one_hot: np.ndarray, weighting: str) -> np.ndarray:
    """float32 (n_classes,): the weight of each class in the loss.

    Args:
        one_hot: (n_photos, n_classes), the classes of the photos.
        weighting: "none" for a weight of 1, or "balanced" for the inverse of the class's share of the photos, with a
            mean of 1 over the photos.
    """
    n_classes = one_hot.shape[1]
    return np.ones(n_classes, np.float32) if weighting == "none" else balanced_weights(one_hot.argmax(1), n_classes)


def loss_and_accuracy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Cross-entropy in nats and accuracy, 0-1; NaN where there are no photos."""
    if not len(labels):
        return math.nan, math.nan
    return float(cross_entropy(logits, labels).mean()), float((logits.argmax(axis=1) == labels).mean())
