"""How candidates are scored on held-out photos, and how two of them are compared."""

from dataclasses import dataclass

import numpy as np

from automl.models.head.network import cross_entropy
from automl.models.head.settings import Targets
from automl.search.candidate import Candidate, is_scored
from automl.search.objective import Objective


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

    def _rank(self, one: Candidate, other: Candidate) -> tuple[float, int, float]:
        common = common_rows(one, other)
        score, loss = self.score(one.held_out_logits[: len(common)], common)
        return round(score, 9), -one.n_bytes, -loss


def common_rows(one: Candidate, other: Candidate) -> np.ndarray:
    """bool (n_repeats, n_rows): answers that both have given, in the repeats that both have been through."""
    n = min(len(one.held_out_logits), len(other.held_out_logits))  # fine-tuning answers in the first repeat only
    return np.asarray(is_scored(one.held_out_logits[:n]) & is_scored(other.held_out_logits[:n]))
