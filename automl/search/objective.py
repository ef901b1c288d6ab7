"""What the search makes as high as possible, within which limits, and which trials are the best of their size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from automl.records import Goal, RunSettings, Stage, TrialRecord, TrialState
from automl.text.numbers import latency_in_words, percent, size_in_words

_UNBALANCED_RATIO = 3
_BYTES_PER_MB = 1_000_000


class HasCost(Protocol):
    """A model, or a record of one, whose size and speed are known."""

    @property
    def n_bytes(self) -> int: ...

    @property
    def latency_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Objective:
    """One figure to maximise under limits of the delivered model.

    Attributes:
        goal: the figure.
        max_model_bytes: most bytes of the model file; None for no limit.
        max_latency_s: most seconds for one photo on this machine's CPU; None for no limit.
    """

    goal: Goal = Goal.ACCURACY
    max_model_bytes: float | None = None
    max_latency_s: float | None = None

    @property
    def has_limits(self) -> bool:
        return self.max_model_bytes is not None or self.max_latency_s is not None

    def score(self, labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> float:
        """The goal's value, 0-1; balanced accuracy is the mean recall of those classes that are there.

        Args:
            labels, predicted: int (n_images,), 0 <= class < `n_classes`; not empty.
        """
        right = labels == predicted
        if self.goal is Goal.ACCURACY:
            return float(right.mean())
        n_images = np.bincount(labels, minlength=n_classes)
        n_right = np.bincount(labels[right], minlength=n_classes)
        is_there = n_images > 0
        return float((n_right[is_there] / n_images[is_there]).mean())

    def allows(self, model: HasCost) -> bool:
        """Whether a model of this size and speed may be delivered."""
        return bool(self.allows_each(np.array(model.n_bytes), np.array(model.latency_s)))

    def allows_each(self, n_bytes: np.ndarray, latency_s: np.ndarray) -> np.ndarray:
        """bool, the shape of both: the same for many models at once."""
        most_bytes = np.inf if self.max_model_bytes is None else self.max_model_bytes
        most_s = np.inf if self.max_latency_s is None else self.max_latency_s
        return np.asarray((n_bytes <= most_bytes) & (latency_s <= most_s))


def choose_goal(labels: np.ndarray) -> Goal:
    """Balanced accuracy where the largest class has at least three times the photos of the smallest.

    Args:
        labels: int (n_images,), not empty; a class without photos does not count.
    """
    n_images = np.bincount(labels)
    n_images = n_images[n_images > 0]
    is_unbalanced = n_images.max() >= _UNBALANCED_RATIO * n_images.min()
    return Goal.BALANCED_ACCURACY if is_unbalanced else Goal.ACCURACY


def objective_of(settings: RunSettings, labels: np.ndarray) -> Objective:
    """The user's goal and limits; a goal that was left open is chosen by the data."""
    return Objective(
        goal=settings.goal or choose_goal(labels),
        max_model_bytes=None if settings.max_model_mb is None else settings.max_model_mb * _BYTES_PER_MB,
        max_latency_s=None if settings.max_latency_ms is None else settings.max_latency_ms / 1000,
    )


def pareto_front(points: Sequence[TrialRecord], preferred: int | None = None) -> list[TrialRecord]:
    """The heads that no other one beats in score, size and latency at once; smallest model first.

    Heads that were taught by others are among them.
    Values that read the same in a table count as equal: a model that is a few kilobytes smaller and much worse is no
    alternative. Only complete trials of known size count, and an unknown latency counts as the slowest. Trials of other
    stages are left out, because their scores speak of other photos. Of equal trials the one with the number `preferred`
    stays, else the smallest, then the earliest.
    """
    heads = [point for point in points if point.stage in (Stage.HEADS, Stage.DISTILLATION)]
    known = [point for point in heads if point.state is TrialState.COMPLETE and point.score is not None]
    front: list[TrialRecord] = []
    for point in sorted(known, key=lambda one: (one.number != preferred, one.n_bytes, one.number)):
        if point.n_bytes > 0 and not any(_is_as_good(kept, point) for kept in front):
            front = [kept for kept in front if not _is_as_good(point, kept)] + [point]
    return sorted(front, key=lambda one: (one.n_bytes, one.number))


def _is_as_good(one: TrialRecord, other: TrialRecord) -> bool:
    """Whether it is at least as good in everything, in the figures as people read them."""
    return (
        _is_at_most(other.score or 0.0, one.score or 0.0, percent)
        and _is_at_most(one.n_bytes, other.n_bytes, size_in_words)
        and _is_at_most(_latency_s(one), _latency_s(other), latency_in_words)
    )


def _is_at_most(value: float, limit: float, words: Callable[[float], str]) -> bool:
    return value <= limit or words(value) == words(limit)


def _latency_s(point: TrialRecord) -> float:
    return point.latency_s or float("inf")
