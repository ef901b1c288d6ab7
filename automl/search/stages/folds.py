"""Which photos a fine-tuning learns from, and which it is scored on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from automl.models.head.settings import Targets

_FEWEST_HELD_OUT = 150  # with fewer photos, luck decides which of two models looks better
_MOST_HELD_OUT = 2_000


@dataclass(frozen=True, slots=True)
class Fold:
    """One model of a cross-validation.

    Attributes:
        repeat: number of the division of the photos into folds, from 0.
        number: of the fold that the model does not learn from, from 0.
    """

    repeat: int
    number: int


class FineTuningFolds:
    """The folds that a fine-tuning trains.

    Attributes:
        n_photos: all photos.
        compared: the folds of the first repeat by which it is compared with others: as many as are needed to tell two
            models apart.
        answers_all: whether every photo must be answered for before a model may be delivered.
        others: the folds that must be trained, too, for that: all of them, of all repeats; else none.

    Args:
        answers_all: see the attribute.
    """

    def __init__(self, targets: Targets, *, answers_all: bool = False) -> None:
        self._fold_of = targets.folds
        self.answers_all = answers_all
        self._most_held_out = len(targets.folds) if answers_all else _MOST_HELD_OUT
        self.n_photos, self.n_repeats = len(targets.folds), targets.n_repeats
        n_compared = _n_needed(self._fold_of[:, 0], targets.n_folds)
        self.compared = tuple(Fold(0, number) for number in range(n_compared))
        every = [Fold(repeat, number) for repeat in range(self.n_repeats) for number in range(targets.n_folds)]
        self.others = tuple(fold for fold in every if fold not in self.compared) if answers_all else ()

    def __len__(self) -> int:
        return len(self.compared) + len(self.others)

    @property
    def n_trainings(self) -> int:
        """Trainings of one fine-tuning: where all folds are needed, the model learns from every photo, too."""
        return len(self) + (1 if self.answers_all else 0)

    def __iter__(self) -> Iterator[Fold]:
        return iter((*self.compared, *self.others))

    def learnt(self, fold: Fold) -> np.ndarray:
        """int (n,): rows that the model of this fold learns from."""
        return np.flatnonzero(self._fold_of[:, fold.repeat] != fold.number)

    def held_out(self, fold: Fold) -> np.ndarray:
        """int (n,): rows that it is scored on; of very many photos a part."""
        return _some(np.flatnonzero(self._fold_of[:, fold.repeat] == fold.number), self._most_held_out)

    @property
    def n_learnt(self) -> int:
        """Number of photos that the model of the first fold learns from."""
        return len(self.learnt(self.compared[0]))

    @property
    def n_held_out(self) -> int:
        """Number of photos that the model of the first fold is scored on."""
        return len(self.held_out(self.compared[0]))


def _n_needed(fold_of: np.ndarray, n_folds: int) -> int:
    counts = [int((fold_of == fold).sum()) for fold in range(n_folds)]
    n = 1
    while n < len(counts) and sum(counts[:n]) < _FEWEST_HELD_OUT:
        n += 1
    return n


def _some(rows: np.ndarray, n: int) -> np.ndarray:
    """At most `n` of the rows, evenly spaced, because rows of one class lie side by side."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(int)]
