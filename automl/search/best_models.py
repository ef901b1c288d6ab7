"""The best models so far, of all trials and for what builds on them."""

from automl.records import Stage
from automl.search.candidate import Candidate
from automl.search.scoring import Scorer

_NOTHING_TO_GAIN_LOSS = 0.02


class BestModels:
    """Compares each model with those before it and keeps the best.

    Attributes:
        best: the best of all; None before the first model.
        best_head: the best of stage 1, which trains heads on frozen features.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.best: Candidate | None = None
        self.best_head: Candidate | None = None
        self._starts: dict[str, Candidate] = {}

    @property
    def starts(self) -> list[Candidate]:
        """The best linear head on each single backbone, from which fine-tuning starts."""
        return list(self._starts.values())

    @property
    def is_perfect(self) -> bool:
        """Whether every validation photo is right and surely so: then nothing can be gained."""
        head = self.best_head  # the score of a fine-tuning may speak of few photos
        return head is not None and head.score >= 1.0 and head.loss < _NOTHING_TO_GAIN_LOSS

    def offer(self, candidate: Candidate) -> bool:
        """Takes a new model. True where the goal became really higher, and not only the model smaller."""
        if candidate.stage is Stage.HEADS:
            self._offer_start(candidate)
            if not self._scorer.is_better(candidate, self.best_head):
                # On the few photos of a fine-tuning it may be luckier than the best head, but it is a worse head.
                return False
            self.best_head = candidate
        before = self.best
        if candidate.stage is Stage.DISTILLATION and not self._is_proven(candidate):
            return False
        if not self._scorer.is_better(candidate, before):
            return False
        self.best = candidate
        return before is None or self._scorer.has_higher_goal(candidate, before)

    def replace_best(self, again: Candidate) -> bool:
        """Takes the model of a known trial, trained once more on more photos; True where it is the best one."""
        if self.best is None or self.best.number != again.number:
            return False
        self.best = again
        return True

    def _is_proven(self, student: Candidate) -> bool:
        """Whether a model that another one has taught may take the place of the best one, which was trained directly.

        It needs evidence beyond a few lucky photos, unless nothing else keeps the user's limits.
        """
        best, objective = self.best, self._scorer.objective
        return best is None or not objective.allows(best) or self._scorer.is_surely_better(student, best)

    def _offer_start(self, candidate: Candidate) -> None:
        (head,) = candidate.heads
        if len(head.branches) > 1 or len(head.layers) > 1:
            return
        backbone = head.branches[0].backbone
        if self._scorer.is_better(candidate, self._starts.get(backbone)):
            self._starts[backbone] = candidate
