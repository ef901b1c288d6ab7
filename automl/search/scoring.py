"""How candidates are scored on held-out photos, and how two of them are compared."""

from dataclasses import dataclass

import numpy as np

from automl.models.head.network import cross_entropy
from automl.models.head.settings import Targets
from automl.search.candidate import Candidate, is_scored
from automl.search.confidence import best_temperature
from automl.search.objective import Objective
from automl.search.selection import needed_errors

_FEWEST_COMPARED = 2


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores and compares models.

    Attributes:
        targets: labels and folds of the photos.
        objective: the goal and the user's limits.
    """

    targets: Targets
    objective: Objective

    def score(self, logits: np.ndarray, rows: np.ndarray | None = None) -> tuple[float, float]:
        """The goal's value, 0-1, and the loss in nats.

        The goal is averaged over the repeats: it is that of one model, not that of a committee.

        Args:
            logits: float (n_repeats, n_rows, n_classes).
            rows: bool (n_repeats, n_rows), the answers that count; all that are there by default.
        """
        scores, weights, losses = [], [], []
        for answers, chosen in zip(logits, is_scored(logits) if rows is None else rows, strict=True):
            if not chosen.any():
                continue
            labels, own = self.targets.labels[chosen], answers[chosen].astype(np.float64)
            scores.append(self.objective.score(labels, own.argmax(axis=1), self.targets.n_classes))
            weights.append(len(labels))
            losses.append(float(cross_entropy(own, labels).mean()))
        if not weights:
            return 0.0, float("inf")
        return float(np.average(scores, weights=weights)), float(np.average(losses, weights=weights))

    def is_better(self, mine: Candidate, other: Candidate | None) -> bool:
        """Compares two models on the answers that both have given: the same photos in the same folds.

        A model that keeps the user's limits beats one that does not. Then the higher goal wins; a tie goes to the
        smaller model, and between models of one size to the lower loss.
        """
        if other is None:
            return True
        allowed = self.objective.allows(mine), self.objective.allows(other)
        if allowed[0] != allowed[1]:
            return allowed[0]
        return self._rank(mine, other) > self._rank(other, mine)

    def has_higher_goal(self, mine: Candidate, other: Candidate) -> bool:
        """Whether the goal is really higher on the answers that both have given, and `mine` is not only smaller."""
        return self._rank(mine, other)[0] > self._rank(other, mine)[0]

    def is_surely_better(self, mine: Candidate, other: Candidate) -> bool:
        """Whether `mine` beats `other` by more than luck on the answers that both have given.

        Its goal is not lower, and its log loss is lower by several standard errors, as `selection` asks of a trial
        that joins a mean. The log loss of calibrated answers tells two models apart by far fewer photos than the goal.
        """
        if self.has_higher_goal(other, mine):
            return False
        common = common_rows(mine, other)
        gains = self._losses(other.held_out_logits, common) - self._losses(mine.held_out_logits, common)
        if len(gains) < _FEWEST_COMPARED:
            return False
        error = gains.std(ddof=1) / len(gains) ** 0.5
        return bool(gains.mean() > needed_errors(np.array(len(gains))) * error)

    def is_closer(self, mine: np.ndarray, other: np.ndarray) -> bool:
        """Whether the calibrated log loss of `mine` is the lower one, where both have answered.

        Args:
            mine, other: float (n_repeats, n_rows, n_classes), held-out answers, NaN where there is none.
        """
        n = min(len(mine), len(other))
        common = is_scored(mine[:n]) & is_scored(other[:n])
        return bool(self._losses(mine, common).mean() < self._losses(other, common).mean())

    def _losses(self, logits: np.ndarray, common: np.ndarray) -> np.ndarray:
        """float (n_photos,): the calibrated log loss of each photo with answers, its mean over the repeats.

        common: bool (n_repeats, n_rows), the answers that count.
        """
        repeats, rows = np.nonzero(common)
        answers, labels = logits[repeats, rows].astype(np.float64), self.targets.labels[rows]
        n_answers = np.bincount(rows, minlength=len(self.targets.labels))
        temperature = best_temperature(answers, labels, n_photos=float((n_answers > 0).sum()))
        sums = np.bincount(rows, cross_entropy(answers / temperature, labels), minlength=len(n_answers))
        return np.asarray(sums[n_answers > 0] / n_answers[n_answers > 0])

    def _rank(self, one: Candidate, other: Candidate) -> tuple[float, int, float]:
        common = common_rows(one, other)
        score, loss = self.score(one.held_out_logits[: len(common)], common)
        return round(score, 9), -one.n_bytes, -loss


def common_rows(one: Candidate, other: Candidate) -> np.ndarray:
    """bool (n_repeats, n_rows): answers that both have given, in the repeats that both have been through."""
    n = min(len(one.held_out_logits), len(other.held_out_logits))  # fine-tuning answers in the first repeat only
    return np.asarray(is_scored(one.held_out_logits[:n]) & is_scored(other.held_out_logits[:n]))
