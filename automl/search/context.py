"""What everything in a search works with."""

from dataclasses import dataclass

import numpy as np

from automl.images.pixels import OnProgress
from automl.models.head.settings import Targets
from automl.records import Aspect, RunSettings
from automl.search.budget import Budget
from automl.search.objective import Objective
from automl.search.observer import Observer
from automl.search.scoring import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchContext:
    """One search: its photos, what it is to find, and its time.

    Attributes:
        targets: labels and folds of the photos.
        objective: the goal and the limits of size and speed.
        settings: what the user asked for.
        budget: the clock of the run.
        observer: follows what happens.
        groups: int (n_rows,), photos that are copies or frames of each other share a number.
        tests_every_photo: whether there is no test set, so that the score comes from the held-out answers of the
            search: then no training may end early on them, and only a model with all answers may be delivered.
        aspects: the one way in which all photos become square, where several were compared; else none.
    """

    targets: Targets
    objective: Objective
    settings: RunSettings
    budget: Budget
    observer: Observer
    groups: np.ndarray
    tests_every_photo: bool = False
    aspects: tuple[Aspect, ...] = ()

    @property
    def n_photos(self) -> int:
        return len(self.targets.labels)

    @property
    def scorer(self) -> Scorer:
        return Scorer(self.targets, self.objective)

    def progress(self, text: str, *, is_needed: bool = True) -> OnProgress:
        """Reports the progress of a piece of work, which `text` names.

        The work ends with the search (`SearchOver`), unless it is needed: then there is no model without it.
        """

        def report(done: int, total: int) -> None:
            if not is_needed:
                self.budget.check()
            self.observer.activity(text, done / max(1, total))

        return report
