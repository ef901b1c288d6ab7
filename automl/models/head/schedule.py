"""The learning rate of a training: its schedule, its fall where the loss stops falling, and the number of epochs."""

import math

import numpy as np

EPOCHS_OF_1000_ROWS = 60
"""Epochs of a training on 1,000 rows or fewer, which is the longest one."""

_FEWEST_EPOCHS = 15
_PLATEAU_FACTOR, _PLATEAU_SHARE = 0.3, 0.5


def max_epochs(n_rows: int) -> int:
    """The number of epochs that a training on `n_rows` rows may have.

    An epoch of a large set has more steps, so fewer epochs are enough.
    """
    return int(max(_FEWEST_EPOCHS, EPOCHS_OF_1000_ROWS * min(1.0, math.sqrt(1000 / max(1, n_rows)))))


def fixed_epochs(most: int) -> tuple[int, ...]:
    """Numbers of epochs to choose from, the default first, where no held-out photo may end a training.

    most: epochs of the longest one.
    """
    return tuple(dict.fromkeys(max(1, most // share) for share in (2, 4, 1)))


def schedule_factor(name: str, progress: np.ndarray) -> np.ndarray:
    """The learning rate as a share of its peak, 0-1, in the shape of `progress`.

    Args:
        name: one of `records.LR_SCHEDULES`. "reduce_on_plateau" is constant here: `Plateau` is what lowers it.
        progress: which share of the training is over: 0 at the first step, 1 at the last.

    Raises:
        ValueError: no schedule has this name.
    """
    match name:
        case "constant" | "reduce_on_plateau":
            return np.ones_like(progress)
        case "cosine":
            return np.asarray(0.5 * (1 + np.cos(np.pi * progress)))
        case "one_cycle":
            rise = np.clip(progress / 0.3, 0, 1)
            fall = np.clip((progress - 0.3) / 0.7, 0, 1)
            return np.where(progress < 0.3, 0.04 + 0.96 * rise, 0.5 * (1 + np.cos(np.pi * fall)))
        case "exponential":
            return np.asarray(np.exp(progress * math.log(0.01)))
    raise ValueError(f"unknown learning-rate schedule {name!r}")


class Plateau:
    """Lowers the learning rate of the schedule "reduce_on_plateau"; has no effect on every other schedule.

    Args:
        schedule: the name of the schedule.
        patience: the patience of early stopping, in epochs. The rate falls after half of it without an improvement,
            so that there is time to profit from the lower rate before the training ends.

    Attributes:
        factor: by which the learning rate is multiplied at present.
    """

    def __init__(self, schedule: str, patience: int) -> None:
        self.factor = 1.0
        self._is_used = schedule == "reduce_on_plateau"
        self._wait = max(1, round(patience * _PLATEAU_SHARE))
        self._waited = 0

    def after_epoch(self, improved: bool) -> None:
        """Counts an epoch. `improved`: whether its validation loss was the lowest so far."""
        self._waited = 0 if improved else self._waited + 1
        if self._is_used and self._waited >= self._wait:
            self.factor *= _PLATEAU_FACTOR
            self._waited = 0


class LearningRate:
    """The learning rate at every step of a training.

    Args:
        schedule: one of `records.LR_SCHEDULES`.
        peak: the highest learning rate.
        steps_per_epoch: the number of batches of an epoch.
        max_epochs: the number of epochs that the schedule is stretched over; early stopping may end it sooner.
        patience: see `Plateau`.
    """

    def __init__(self, *, schedule: str, peak: float, steps_per_epoch: int, max_epochs: int, patience: int) -> None:
        self._schedule = schedule
        self._peak = peak
        self._steps_per_epoch = steps_per_epoch
        self._n_steps = max_epochs * steps_per_epoch
        self._plateau = Plateau(schedule, patience)

    def epoch(self, epoch: int) -> np.ndarray:
        """float32 (steps_per_epoch,): the rate of each step of `epoch`, which is counted from 0."""
        steps = epoch * self._steps_per_epoch + np.arange(self._steps_per_epoch)
        shape = schedule_factor(self._schedule, steps / max(1, self._n_steps - 1))
        return np.asarray(self._peak * self._plateau.factor * shape, dtype=np.float32)

    def after_epoch(self, improved: bool) -> None:
        """Counts an epoch; see `Plateau.after_epoch`."""
        self._plateau.after_epoch(improved)
