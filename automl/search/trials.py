"""The book of a run's trials: runs each one, records what became of it, and knows the best model so far."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import structlog

from automl.backbone_table import BACKBONES
from automl.errors import HeadTooLarge
from automl.images.pixels import OnProgress
from automl.models.head.settings import Targets
from automl.records import RunSettings, Stage, TrialRecord, TrialState
from automl.search.budget import Budget, SearchOver
from automl.search.candidate import Candidate, has_higher_goal, is_better, is_scored, score_of
from automl.search.objective import Objective
from automl.search.observer import Observer
from automl.search.space import Params

if TYPE_CHECKING:
    from automl.search.pruner import Pruner

_log = structlog.stdlib.get_logger(__name__)
_FAILURES_THAT_RETIRE = 3
_FIRST_TRIAL_SHARE = 0.2
_NOTHING_TO_GAIN_LOSS = 0.02
_MOST_GOOD_HEADS = 40
_Head = TypeVar("_Head", Candidate, TrialRecord)
MOST_AVERAGED_PHOTOS = 100
"""To learn from: of 75 photos the mean of the good heads was up to a point better, of 120 not (`bench.steadied`)."""


def best_heads(heads: Sequence[_Head]) -> list[_Head]:
    """Best first, no more than a mean may be taken of; what a model and its record have, so that both give the same."""
    order = sorted(heads, key=lambda head: (-round(head.score or 0.0, 9), head.n_bytes, head.number))
    return order[:_MOST_GOOD_HEADS]


class TrialPruned(Exception):
    """Not an error: the trial was losing, or took too long. `message`: which of it, for the record."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Ending(Protocol):
    """What is done with the best model while the search goes on; the pipeline does it."""

    def after_trial(self, best: Candidate) -> None:
        """Packs the best model from time to time, and foresees how long the end will take."""
        ...

    def expect_fine_tuned(self) -> None:
        """From now on the best model may have tuned weights, which take longer to pack."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One trial before it has ended. `epochs`: the most that it may have, where the tuner chose that."""

    stage: Stage
    params: Params
    backbones: tuple[str, ...]
    image_size_px: int
    epochs: int | None = None


OnEpoch = Callable[[int, np.ndarray], None]
"""Epoch from 1, and the held-out logits so far (n_repeats, n_rows, n_classes); raises to end the trial."""

OnStep = Callable[[], bool]
"""Called after each batch: True asks for what there is; raises to end the trial."""

Train = Callable[[int, int, OnEpoch, OnStep], Candidate]
"""Trains a candidate of this number with this seed."""


class TrialBook:
    """What was tried. `records`: all trials, those of an earlier attempt at the run first.

    `best`: the best model so far. `best_head`: that of stage 1. `starts`: the best linear heads on single backbones,
    from which fine-tuning starts. `good_heads`: the best linear heads on whatever backbones, best first, without what
    only fine-tuning needs; of few photos only. `retired`: backbones that are tried no more.
    """

    def __init__(
        self,
        targets: Targets,
        objective: Objective,
        settings: RunSettings,
        budget: Budget,
        observer: Observer,
        ending: Ending,
        earlier: Sequence[TrialRecord] = (),
    ) -> None:
        self.targets, self.objective, self.settings, self.budget = targets, objective, settings, budget
        self.observer = observer
        self._ending = ending
        self._pruners: dict[tuple[Stage, int], Pruner] = {}
        self._failures: Counter[str] = Counter()
        self._longest_s: dict[Stage, float] = {}
        self.records: list[TrialRecord] = list(earlier)
        self._n_earlier = len(earlier)
        self.best: Candidate | None = None
        self.best_head: Candidate | None = None
        self._starts: dict[str, Candidate] = {}
        self.good_heads: list[Candidate] = []
        self.retired: set[str] = set()
        for record in earlier:
            self._count_failures(record, is_told=False)
        self.last_gain = 0  # number of trials when the best model last became better

    @property
    def starts(self) -> list[Candidate]:
        return list(self._starts.values())

    @property
    def averages_heads(self) -> bool:
        """Whether there are so few photos that the best head becomes a mean."""
        return len(self.targets.labels) <= MOST_AVERAGED_PHOTOS

    @property
    def n_trials(self) -> int:
        """Trainings; a blend of what is trained is none."""
        return sum(record.stage is not Stage.BLEND for record in self.records)

    @property
    def is_at_limit(self) -> bool:
        limit = self.settings.max_trials
        return limit is not None and self.n_trials >= limit

    @property
    def is_perfect(self) -> bool:
        """Every validation photo is right and surely so: nothing can be gained."""
        head = self.best_head  # a fine-tuning's score may speak of few photos
        return head is not None and head.score >= 1.0 and head.loss < _NOTHING_TO_GAIN_LOSS

    def longest_s(self, stage: Stage) -> float:
        """How long a trial of this stage may take, from those so far; 0 before the first."""
        return self._longest_s.get(stage, 0.0)

    def run(self, attempt: Attempt, train: Train, max_epochs: int, max_s: float = math.inf) -> TrialRecord:
        """Trains, records and tells one trial. As long as there is no model, no clock and no limit ends a trial.

        `max_epochs`: its fidelity: the pruner compares it with trials of the same. `max_s`: a longer one is given up.
        """
        is_first = self.best is None
        if not is_first and self.is_at_limit:
            raise SearchOver
        number, started_s = len(self.records), self.budget.elapsed_s
        # The first one must give a model, so nobody needs to watch it, nor to wait for Optuna's import.
        watched = None if is_first else self._pruner(attempt.stage, max_epochs).watch()
        self.observer.trying(self._record(attempt, number, started_s, None, TrialState.RUNNING, ""))
        candidate, state, message = None, TrialState.COMPLETE, ""

        def on_epoch(epoch: int, logits: np.ndarray) -> None:
            if watched is None:
                return
            self._check(started_s, max_s)
            score, loss = score_of(logits, self.targets, self.objective, is_scored(logits))
            if attempt.stage is Stage.FINE_TUNING:  # a head is trained before anybody could look
                self.observer.epoch(epoch, score, loss)
            if watched.report(epoch, score):
                raise TrialPruned(f"Given up after {epoch} epochs: it was behind the others.")

        def on_step() -> bool:
            if is_first:
                share = _FIRST_TRIAL_SHARE * self.budget.total_s
                return self.budget.has_clock and self.budget.elapsed_s - started_s > share
            self._check(started_s, max_s)
            return False

        try:
            candidate = train(number, self.settings.seed + number, on_epoch, on_step)
        except SearchOver:
            if watched is not None:
                watched.finish(None, pruned=False)
            raise
        except (TrialPruned, HeadTooLarge) as pruned:
            state, message = TrialState.PRUNED, pruned.message
        except Exception as error:  # noqa: BLE001 - whatever one trial meets is recorded, and the search goes on
            _log.warning("trial failed", number=number, params=attempt.params, exc_info=True)
            state, message = TrialState.FAILED, f"{type(error).__name__}: {error}"
        if watched is not None:
            watched.finish(candidate.score if candidate else None, pruned=state is TrialState.PRUNED)
        record = self._record(attempt, number, started_s, candidate, state, message)
        self.take(record, candidate)
        return record

    def add_blend(self, candidate: Candidate, started_s: float) -> None:
        """Records a blend, which needs no training."""
        attempt = Attempt(Stage.BLEND, candidate.params, candidate.backbones, candidate.image_size_px)
        number = len(self.records)
        self.take(self._record(attempt, number, started_s, candidate, TrialState.COMPLETE, ""), candidate)

    def restore(self, candidate: Candidate) -> None:
        """Takes a model whose trial an earlier attempt has recorded, and whose weights were lost with it."""
        self._offer(candidate)
        assert self.best is not None
        self._ending.after_trial(self.best)

    def replace(self, again: Candidate) -> None:
        """`again`: the same trial's model, trained once more on more photos."""
        if self.best is not None and self.best.number == again.number:
            self.best = again
            self._ending.after_trial(again)

    def steady(self, again: Candidate) -> None:
        """`again`: the best head's trial, averaged with others; whatever its score, it is what is delivered of it."""
        is_delivered = self.best is not None and self.best.number == again.number
        if is_delivered or is_better(again, self.best, self.targets, self.objective):
            self.best = again
        self.best_head = again

    def take(self, record: TrialRecord, candidate: Candidate | None) -> None:
        self.records.append(record)
        self._count_failures(record)
        if candidate is not None:
            self._offer(candidate)
        if len(self.records) > self._n_earlier + 1:  # the first one pays for what is loaded on first use
            longest_s = self._longest_s.get(record.stage, 0.0)
            self._longest_s[record.stage] = max(0.9 * longest_s, record.duration_s)
        self.observer.trial(record, self.best)
        if self.best is not None:
            self._ending.after_trial(self.best)

    def expect_fine_tuned(self) -> None:
        self._ending.expect_fine_tuned()
        if self.best is not None:
            self._ending.after_trial(self.best)  # it foresees a longer end from now on

    def _offer(self, candidate: Candidate) -> None:
        if candidate.stage is Stage.HEADS:
            self._offer_start(candidate)
            self._keep_head(candidate)
            if not is_better(candidate, self.best_head, self.targets, self.objective):
                return  # it may be luckier on the few photos of a fine-tuning, but it is a worse head
            self.best_head = candidate
        if is_better(candidate, self.best, self.targets, self.objective):
            if self.best is None or has_higher_goal(candidate, self.best, self.targets, self.objective):
                self.last_gain = len(self.records)
            self.best = candidate

    def _offer_start(self, candidate: Candidate) -> None:
        (member,) = candidate.members
        if len(member.branches) > 1 or len(member.layers) > 1:
            return
        known = self._starts.get(member.branches[0].backbone)
        if is_better(candidate, known, self.targets, self.objective):
            self._starts[member.branches[0].backbone] = candidate

    def _keep_head(self, candidate: Candidate) -> None:
        is_linear = all(len(member.layers) == 1 for member in candidate.members)
        if not is_linear or not self.averages_heads:
            return
        self.good_heads = best_heads([*self.good_heads, replace(candidate, fold_layers=())])

    def _check(self, started_s: float, max_s: float) -> None:
        self.budget.check()
        if self.budget.has_clock and self.budget.elapsed_s - started_s > max_s:
            raise TrialPruned("It took too long for the time that there is.")

    def _pruner(self, stage: Stage, max_epochs: int) -> "Pruner":
        from automl.search.pruner import Pruner

        key = (stage, max_epochs)
        if key not in self._pruners:
            self._pruners[key] = Pruner(self.settings.pruner, max_epochs)
        return self._pruners[key]

    def _record(
        self,
        attempt: Attempt,
        number: int,
        started_s: float,
        candidate: Candidate | None,
        state: TrialState,
        message: str,
    ) -> TrialRecord:
        return TrialRecord(
            number=number,
            state=state,
            backbones=attempt.backbones,
            image_size_px=attempt.image_size_px,
            params=attempt.params,
            score=candidate.score if candidate else None,
            started_s=started_s,
            duration_s=self.budget.elapsed_s - started_s,
            message=message,
            stage=attempt.stage,
            n_bytes=candidate.n_bytes if candidate else 0,
            latency_s=candidate.latency_s if candidate else 0.0,
            epochs=attempt.epochs,
        )

    def progress(self, text: str, is_needed: bool = True) -> OnProgress:
        """Tells of a piece of work; it ends with the search unless there is no model without it."""

        def report(done: int, total: int) -> None:
            if not is_needed:
                self.budget.check()
            self.observer.activity(text, done / max(1, total))

        return report

    def retire(self, backbone: str, reason: str, is_told: bool = True) -> None:
        """Tries this backbone no more."""
        self.retired.add(backbone)
        if not is_told:
            return
        self.observer.note(f"{BACKBONES[backbone].title} was given up: {reason}.")

    def _count_failures(self, record: TrialRecord, is_told: bool = True) -> None:
        for name in record.backbones:
            if record.state is not TrialState.FAILED:
                self._failures[name] = 0
                continue
            self._failures[name] += 1
            if self._failures[name] >= _FAILURES_THAT_RETIRE and name not in self.retired:
                self.retire(name, f"{_FAILURES_THAT_RETIRE} failed tries in a row ({record.message})", is_told)
