"""The best models so far, of all trials and for what builds on them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from automl.records import Stage, TrialRecord
from automl.search.candidate import Candidate
from automl.search.scoring import Scorer

MOST_AVERAGED_PHOTOS = 100
"""To learn from: of 75 photos the mean of the good heads was up to a point better, of 120 not (`bench.steadied`)."""

_NOTHING_TO_GAIN_LOSS = 0.02
_MOST_GOOD_HEADS = 40
_HeadTrial = TypeVar("_HeadTrial", Candidate, TrialRecord)


class BestModels:
    """Compares each model with those before it and keeps the best.

    Attributes:
        best: the best of all; None before the first model.
        best_head: the best of stage 1, which trains heads on frozen features.
        good_heads: the best linear heads on any backbones, best first, for a mean of them; empty where there are many
            photos. They lack `fold_layers`, which only fine-tuning needs.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.best: Candidate | None = None
        self.best_head: Candidate | None = None
        self.good_heads: list[Candidate] = []
        self._starts: dict[str, Candidate] = {}

    @property
    def starts(self) -> list[Candidate]:
        """The best linear head on each single backbone, from which fine-tuning starts."""
        return list(self._starts.values())

    @property
    def averages_heads(self) -> bool:
        """Whether there are so few photos that the best head becomes a mean."""
        return len(self._scorer.targets.labels) <= MOST_AVERAGED_PHOTOS

    @property
    def is_perfect(self) -> bool:
        """Whether every validation photo is right and surely so: then nothing can be gained."""
        head = self.best_head  # the score of a fine-tuning may speak of few photos
        return head is not None and head.score >= 1.0 and head.loss < _NOTHING_TO_GAIN_LOSS

    def offer(self, candidate: Candidate) -> bool:
        """Takes a new model. True where the goal became really higher, and not only the model smaller."""
        if candidate.stage is Stage.HEADS:
            self._offer_start(candidate)
            self._offer_good_head(candidate)
            if not self._scorer.is_better(candidate, self.best_head):
                # On the few photos of a fine-tuning it may be luckier than the best head, but it is a worse head.
                return False
            self.best_head = candidate
        before = self.best
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

    def replace_best_head(self, mean: Candidate) -> None:
        """Takes the mean that the best head has become, which keeps its trial's number.

        Where that head is the best of all models, the mean takes its place whatever its score.
        """
        is_delivered = self.best is not None and self.best.number == mean.number
        if is_delivered or self._scorer.is_better(mean, self.best):
            self.best = mean
        self.best_head = mean

    def _offer_start(self, candidate: Candidate) -> None:
        (head,) = candidate.heads
        if len(head.branches) > 1 or len(head.layers) > 1:
            return
        backbone = head.branches[0].backbone
        if self._scorer.is_better(candidate, self._starts.get(backbone)):
            self._starts[backbone] = candidate

    def _offer_good_head(self, candidate: Candidate) -> None:
        is_linear = all(len(head.layers) == 1 for head in candidate.heads)
        if is_linear and self.averages_heads:
            self.good_heads = best_head_trials([*self.good_heads, replace(candidate, fold_layers=())])


def best_head_trials(heads: Sequence[_HeadTrial]) -> list[_HeadTrial]:
    """The best ones, best first, no more than a mean is chosen from.

    The order depends only on what a model and its record have in common, so that a run which is continued from records
    chooses the same heads.
    """
    order = sorted(heads, key=lambda head: (-round(head.score or 0.0, 9), head.n_bytes, head.number))
    return order[:_MOST_GOOD_HEADS]
