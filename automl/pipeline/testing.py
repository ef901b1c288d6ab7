"""The score of the delivered model: on the test photos or, without any, by the held-out answers to all photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.evaluation.bias_corrected import bias_corrected
from automl.evaluation.every_photo import score_every_photo, typical_repeat
from automl.evaluation.score import TestScore
from automl.records import ImageRecord, SplitPlan
from automl.search.candidate import Candidate
from automl.search.search import Search


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of the test.

    Attributes:
        images: the photos that were asked about.
        score: of the delivered model.
        first: of the first model that was found; None where it was not tested.
        folds: int (n_pool,), the folds of the pool whose models answered, each for the photos that it had not seen, -1
            for a photo that is not tested; None for a test set.
    """

    images: Sequence[ImageRecord]
    score: TestScore
    first: TestScore | None
    folds: np.ndarray | None = None


class EveryPhotoTest:
    """Tests models by the answers of their like that had not seen the photo.

    Args:
        pool: all photos.
        plan: says which fold holds each of them out.
        classes: the class names in the order of the logits.
        search: that the models come from.
        seed: of the bootstrap.
    """

    def __init__(
        self, pool: Sequence[ImageRecord], plan: SplitPlan, *, classes: Sequence[str], search: Search, seed: int
    ) -> None:
        self._rows = np.array(plan.tested_rows)
        self._images = [pool[row] for row in self._rows.tolist()]
        self._folds = np.array(plan.folds)
        self._classes, self._search, self._seed = classes, search, seed

    def run(self, winner: Candidate, first: Candidate | None) -> Tested:
        """Scores the delivered model, and the first one that was found where it is given."""
        asked = self._search.asked_photos
        repeat = typical_repeat(winner.held_out_logits[:, self._rows], asked.labels)
        return Tested(
            self._images,
            self._score(winner, repeat, is_alone=not self._search.is_chosen(winner)),
            None if first is None else self._score(first, repeat, is_alone=True),
            self._folds[:, repeat],
        )

    def _score(self, candidate: Candidate, repeat: int, *, is_alone: bool) -> TestScore:
        """is_alone: whether it did not come out of the selection, which has nothing to do with its score then."""
        answers = self._search.answers_to_every_photo(*([candidate] if is_alone else []))
        corrected = bias_corrected(answers, self._search.asked_photos, self._search.objective, seed=self._seed)
        logits = candidate.held_out_logits[repeat, self._rows]
        return score_every_photo(logits, self._images, classes=self._classes, corrected=corrected)
