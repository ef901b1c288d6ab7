"""One trial while it trains: what its training is given, and what may end it early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import structlog

from automl.errors import HeadTooLarge
from automl.models.head.training import OnEpoch, OnStep
from automl.records import Stage, TrialRecord, TrialState
from automl.search.budget import SearchOver
from automl.search.candidate import Candidate
from automl.search.context import SearchContext
from automl.search.space import Params
from automl.text.messages import search as search_messages

if TYPE_CHECKING:
    from automl.search.pruner import Watched

_log = structlog.stdlib.get_logger(__name__)
_FIRST_TRIAL_SHARE = 0.2


class TrialPruned(Exception):
    """Not an error: the trial was losing, or took too long. `message` says which, for the record."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrial:
    """A trial before it begins.

    Attributes:
        stage: which part of the search it belongs to.
        params: the values that the tuner chose; empty for an ensemble.
        backbones: that the model runs.
        image_size_px: side of the square picture that they take.
        epochs: the most that the tuner allows; None where it leaves that open.
        parts: numbers of the trials that it averages, of an ensemble.
    """

    stage: Stage
    params: Params
    backbones: tuple[str, ...]
    image_size_px: int
    epochs: int | None = None
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialControls:
    """What a training is given by the trial that it belongs to.

    Attributes:
        number: of the trial.
        seed: for everything random.
        on_epoch: to be called after each epoch with its number, from 1, and the held-out logits so far, float32
            (n_repeats, n_rows, n_classes); what it raises ends the training.
        on_step: to be called after each batch; True asks for the model as it is now, and what it raises ends the
            training.
    """

    number: int
    seed: int
    on_epoch: OnEpoch
    on_step: OnStep


Train = Callable[[TrialControls], Candidate]
"""Trains the model of a trial."""

TrainTogether = Callable[[Sequence[TrialControls]], Sequence[Candidate | Exception]]
"""Trains the models of some trials; for each its model, or what ended it without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnd:
    """How a trial has ended.

    Attributes:
        state: complete, pruned or failed.
        candidate: its model; None unless it is complete.
        message: why it was pruned or failed.
    """

    state: TrialState
    candidate: Candidate | None = None
    message: str = ""


class RunningTrial:
    """One trial under the clock and the pruner.

    Args:
        planned: what to train.
        number: of the trial.
        started_s: when it began, in seconds on the run's clock.
        watched: the pruner's view of it. None for the very first trial: it must give a model, so neither clock nor
            pruner may end it, and it need not wait for the import of Optuna.
        max_s: seconds after which it is given up.
    """

    def __init__(
        self,
        context: SearchContext,
        planned: PlannedTrial,
        *,
        number: int,
        started_s: float,
        watched: Watched | None,
        max_s: float,
    ) -> None:
        self._context = context
        self._budget = context.budget
        self._planned = planned
        self._number = number
        self._watched = watched
        self._max_s = max_s
        self._started_s = started_s

    @property
    def controls(self) -> TrialControls:
        seed = self._context.settings.seed + self._number
        return TrialControls(number=self._number, seed=seed, on_epoch=self._on_epoch, on_step=self._on_step)

    def end(self, outcome: Candidate | Exception) -> TrialEnd:
        """Ends the trial. A search that ended before it is no failure of the trial, but then there is no model."""
        end = self._end_of(outcome)
        if self._watched is not None:
            score = end.candidate.score if end.candidate else None
            self._watched.finish(score, pruned=end.state is TrialState.PRUNED)
        return end

    def record(self, end: TrialEnd, *, place: int = 0, n_of_pass: int = 1) -> TrialRecord:
        """The record of the trial, with its share of the seconds of a pass: the trials of one pass follow each other.

        Args:
            end: how it has ended.
            place: among the trials of its pass.
            n_of_pass: the number of these.
        """
        share_s = self.used_s / n_of_pass
        started_s = self._started_s + place * share_s
        return record_of(self._planned, end, number=self._number, started_s=started_s, now_s=started_s + share_s)

    def _end_of(self, outcome: Candidate | Exception) -> TrialEnd:
        if isinstance(outcome, Candidate):
            return TrialEnd(state=TrialState.COMPLETE, candidate=outcome)
        if isinstance(outcome, TrialPruned | HeadTooLarge):
            return TrialEnd(state=TrialState.PRUNED, message=outcome.message)
        if not isinstance(outcome, SearchOver):
            _log.warning("trial failed", number=self._number, params=self._planned.params, exc_info=outcome)
        return TrialEnd(state=TrialState.FAILED, message=f"{type(outcome).__name__}: {outcome}")

    def _on_epoch(self, epoch: int, logits: np.ndarray) -> None:
        if self._watched is None:
            return
        self._check_time()
        score, loss = self._context.scorer.score(logits)
        if self._planned.stage is Stage.FINE_TUNING:  # a head trains too fast for its epochs to be followed
            self._context.observer.epoch(epoch, score, loss)
        if self._watched.report(epoch, score):
            raise TrialPruned(search_messages.BEHIND_OTHERS.format(n=epoch))

    def _on_step(self) -> bool:
        if self._watched is None:
            longest_s = _FIRST_TRIAL_SHARE * self._budget.total_s
            return self._budget.has_clock and self.used_s > longest_s
        self._check_time()
        return False

    def _check_time(self) -> None:
        self._budget.check()
        if self._budget.has_clock and self.used_s > self._max_s:
            raise TrialPruned(search_messages.TOOK_TOO_LONG)

    @property
    def used_s(self) -> float:
        """Seconds since it began, of the whole pass that it belongs to."""
        return self._budget.elapsed_s - self._started_s


def outcomes_of(train: TrainTogether, trials: Sequence[RunningTrial]) -> Sequence[Candidate | Exception]:
    """What came of each trial. Whatever ends a training is the outcome of its trial, and the search goes on."""
    try:
        return train([trial.controls for trial in trials])
    except Exception as error:  # noqa: BLE001 - it has ended all of them
        return [error] * len(trials)


def record_of(planned: PlannedTrial, end: TrialEnd, *, number: int, started_s: float, now_s: float) -> TrialRecord:
    """The record of a trial. Times are seconds on the run's clock."""
    candidate = end.candidate
    return TrialRecord(
        number=number,
        state=end.state,
        backbones=planned.backbones,
        image_size_px=planned.image_size_px,
        params=planned.params,
        score=candidate.score if candidate else None,
        started_s=started_s,
        duration_s=now_s - started_s,
        message=end.message,
        stage=planned.stage,
        n_bytes=candidate.n_bytes if candidate else 0,
        latency_s=candidate.latency_s if candidate else 0.0,
        epochs=planned.epochs,
        parts=planned.parts,
    )
