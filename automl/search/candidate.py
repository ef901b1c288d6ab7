"""A model that could be delivered, and how two of them are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.models.head.network import Layers, cross_entropy
from automl.models.head.settings import Targets
from automl.models.head.training import Curves
from automl.records import Stage
from automl.search.objective import Objective
from automl.search.space import LAST_TAP, Params


@dataclass(frozen=True, slots=True)
class Branch:
    """One backbone of a model. `image_size_px`: what it sees. `tuned`: its weights file, None for the pretrained ones.

    `name`: of its layers in the delivered model.
    """

    backbone: str
    image_size_px: int
    tuned: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.backbone}_{self.image_size_px}" + ("_tuned" if self.tuned else "")


@dataclass(frozen=True, slots=True)
class Member:
    """A head on one or more branches. `layers`: act on the raw pooled taps, branch after branch."""

    branches: tuple[Branch, ...]
    taps: str
    layers: Layers

    def used_taps(self, n_taps: int) -> Sequence[int]:
        return [n_taps - 1] if self.taps == LAST_TAP else range(n_taps)

    @property
    def n_bytes(self) -> int:
        return sum(array.nbytes for layer in self.layers for array in layer)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The probabilities are the softmax of the sum of its members' logits.

    `number`, `stage`, `params`: of the trial that made it. `image_size_px`: side of the picture that it takes.
    `held_out_logits`: float32 (n_repeats, n_rows, n_classes), NaN where no model that had not seen the row scored it.
    `score`, `loss`: of those rows. `fold_layers`: of a linear head, see `HeadFit`, on raw features. `n_bytes`:
    size of the model file. `latency_s`: one photo on this machine's CPU.
    """

    number: int
    stage: Stage
    params: Params
    members: tuple[Member, ...]
    image_size_px: int
    held_out_logits: np.ndarray
    score: float
    loss: float
    n_bytes: int
    latency_s: float
    best_epoch: int
    curves: Curves
    fold_layers: tuple[Layers, ...] = ()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Each backbone that the model runs, once."""
        return tuple(dict.fromkeys(branch for member in self.members for branch in member.branches))

    @property
    def backbones(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(branch.backbone for branch in self.branches))

    @property
    def taps(self) -> str:
        """ "several" if any part of the model looks at several layers."""
        return max(member.taps for member in self.members)

    @property
    def n_scored(self) -> int:
        """Photos that the score speaks of."""
        return int(is_scored(self.held_out_logits).any(axis=0).sum())


def is_scored(logits: np.ndarray) -> np.ndarray:
    """bool (n_repeats, n_rows)."""
    return np.asarray(~np.isnan(logits[:, :, 0]))


def score_of(logits: np.ndarray, targets: Targets, objective: Objective, rows: np.ndarray) -> tuple[float, float]:
    """The goal's value and the loss in nats of the answers that `rows`, bool (n_repeats, n_rows), names.

    The goal is averaged over the repeats: it is that of one model, not that of a committee.
    """
    scores, weights, losses = [], [], []
    for answers, chosen in zip(logits, rows, strict=True):
        if not chosen.any():
            continue
        labels, own = targets.labels[chosen], answers[chosen].astype(np.float64)
        scores.append(objective.score(labels, own.argmax(axis=1), targets.n_classes))
        weights.append(len(labels))
        losses.append(float(cross_entropy(own, labels).mean()))
    if not weights:
        return 0.0, float("inf")
    return float(np.average(scores, weights=weights)), float(np.average(losses, weights=weights))


def is_better(mine: Candidate, other: Candidate | None, targets: Targets, objective: Objective) -> bool:
    """Compares two models on the answers that both have given: the same photos, the same folds.

    What keeps the user's limits beats what does not. The higher goal wins; a tie goes to the smaller model, then to
    the lower loss.
    """
    if other is None:
        return True
    allowed = objective.is_allowed(mine.n_bytes, mine.latency_s), objective.is_allowed(other.n_bytes, other.latency_s)
    if allowed[0] != allowed[1]:
        return allowed[0]
    return _rank(mine, other, targets, objective) > _rank(other, mine, targets, objective)


def has_higher_goal(mine: Candidate, other: Candidate, targets: Targets, objective: Objective) -> bool:
    """Whether the goal is really higher, on the answers that both have given, and `mine` is not only smaller."""
    return bool(_rank(mine, other, targets, objective)[0] > _rank(other, mine, targets, objective)[0])


def common_rows(one: Candidate, other: Candidate) -> np.ndarray:
    """bool (n_repeats, n_rows): answers that both have given, in the repeats that both have been through."""
    n = min(len(one.held_out_logits), len(other.held_out_logits))  # fine-tuning answers in the first repeat only
    return np.asarray(is_scored(one.held_out_logits[:n]) & is_scored(other.held_out_logits[:n]))


def _rank(one: Candidate, other: Candidate, targets: Targets, objective: Objective) -> tuple[Any, ...]:
    common = common_rows(one, other)
    score, loss = score_of(one.held_out_logits[: len(common)], targets, objective, common)
    return round(score, 9), -one.n_bytes, -loss
