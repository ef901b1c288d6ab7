"""Which photos a fine-tuning learns from, and which it is scored on."""

from collections.abc import Iterator

import numpy as np

from automl.models.head.settings import Targets

_FEWEST_HELD_OUT = 150  # with fewer photos, luck decides which of two models looks better
_MOST_HELD_OUT = 2_000


class FineTuningFolds:
    """The folds that a fine-tuning trains, of the first repeat: as many as are needed to tell two models apart.

    Attributes:
        n_photos: all photos.
        numbers: of the folds that are trained, from 0.
    """

    def __init__(self, targets: Targets) -> None:
        self._fold_of = targets.folds[:, 0]
        self.n_photos = len(self._fold_of)
        self.numbers = tuple(range(_n_needed(self._fold_of, targets.n_folds)))

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def learnt(self, fold: int) -> np.ndarray:
        """int (n,): rows that the model of this fold learns from."""
        return np.flatnonzero(self._fold_of != fold)

    def held_out(self, fold: int) -> np.ndarray:
        """int (n,): rows that it is scored on; of very many photos a part."""
        return _some(np.flatnonzero(self._fold_of == fold), _MOST_HELD_OUT)

    @property
    def n_learnt(self) -> int:
        """Number of photos that the model of the first fold learns from."""
        return len(self.learnt(0))

    @property
    def n_held_out(self) -> int:
        """Number of photos that the model of the first fold is scored on."""
        return len(self.held_out(0))


def _n_needed(fold_of: np.ndarray, n_folds: int) -> int:
    counts = [int((fold_of == fold).sum()) for fold in range(n_folds)]
    n = 1
    while n < len(counts) and sum(counts[:n]) < _FEWEST_HELD_OUT:
        n += 1
    return n


def _some(rows: np.ndarray, n: int) -> np.ndarray:
    """At most `n` of the rows, evenly spaced, because rows of one class lie side by side."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(int)]
