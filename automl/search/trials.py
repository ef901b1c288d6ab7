"""The trials of a run: each one is run, recorded and reported here."""

import math
import statistics
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from automl.backbone_table import BACKBONES
from automl.records import Stage, TrialRecord, TrialState
from automl.search.best_models import BestModels
from automl.search.budget import SearchOver
from automl.search.candidate import Candidate
from automl.search.context import SearchContext
from automl.search.every_photo import AnsweredTrials
from automl.search.failures import FAILURES_THAT_RETIRE, BackboneFailures
from automl.search.trial_run import (
    PlannedTrial,
    RunningTrial,
    Train,
    TrainTogether,
    TrialEnd,
    outcomes_of,
    record_of,
)
from automl.text.messages import search as search_messages

if TYPE_CHECKING:
    from automl.search.pruner import Pruner, Watched

_LONGEST_FADES = 0.9
_N_USUAL = 15


class BestModelPacker(Protocol):
    """What is done with the best model while the search goes on; the pipeline does it."""

    def after_trial(self, best: Candidate) -> None:
        """Packs the best model from time to time, and foresees how long the end of the run will take."""
        ...

    def expect_fine_tuned(self) -> None:
        """From now on the best model may have fine-tuned weights, which take longer to pack."""
        ...

    def expect_branches(self, n: int) -> None:
        """The delivered model may run so many networks, whatever the best single one runs."""
        ...


class Trials:
    """All trials of a run, and what follows from them for the next ones.

    Attributes:
        earlier: records that a broken-off attempt at the run has left.
        records: of all trials, those of the earlier attempt first.
        models: the best models so far.
        last_gain: number of records when the goal last became higher.
        answered: the models with an answer to every photo that is held out, of which the delivered one is made; heads
            only, taught ones among them, where there is a test set.
    """

    def __init__(self, context: SearchContext, *, packer: BestModelPacker, earlier: Sequence[TrialRecord] = ()) -> None:
        self._context = context
        self._budget = context.budget
        self._packer = packer
        self.earlier = tuple(earlier)
        self.records: list[TrialRecord] = list(earlier)
        self.models = BestModels(context.scorer)
        self.last_gain = 0
        self.answered = AnsweredTrials(context.targets, context.groups, context.objective)
        self._failures = BackboneFailures()
        for record in earlier:
            self._failures.count(record)  # the earlier attempt has said so
        self._longest_s: dict[Stage, float] = {}
        self._last_s: defaultdict[Stage, deque[float]] = defaultdict(lambda: deque(maxlen=_N_USUAL))
        self._pruners: dict[tuple[Stage, int], Pruner] = {}

    @property
    def n_trials(self) -> int:
        """Number of trainings; an ensemble is made of trained models and is none."""
        return sum(record.stage is not Stage.ENSEMBLE for record in self.records)

    @property
    def is_at_limit(self) -> bool:
        limit = self._context.settings.max_trials
        return limit is not None and self.n_trials >= limit

    @property
    def retired(self) -> set[str]:
        """Backbones that are tried no more."""
        return self._failures.retired

    def longest_s(self, stage: Stage) -> float:
        """How long a trial of this stage may take, or a pass of several, from those so far; 0 before the first."""
        return self._longest_s.get(stage, 0.0)

    def usual_s(self, stage: Stage) -> float:
        """How long a trial of this stage takes, or a pass of several: the median of the last ones; 0 before any."""
        last = self._last_s[stage]
        return statistics.median(last) if last else 0.0

    def has_stalled(self, n_trials: int) -> bool:
        """Whether the last `n_trials` trials brought nothing better."""
        return len(self.records) - self.last_gain > n_trials

    def run(self, planned: PlannedTrial, train: Train, *, max_epochs: int, max_s: float = math.inf) -> TrialRecord:
        """Trains, records and reports one trial. As long as there is no model, no clock and no limit ends a trial.

        Args:
            planned: what to train.
            train: trains it.
            max_epochs: the most that it may train for: the pruner compares it with trials of the same number only.
            max_s: seconds after which it is given up.

        Raises:
            SearchOver: the search ends, and the trial with it; it is not recorded.
        """
        (record,) = self.run_together(
            [planned], lambda controls: [train(controls[0])], max_epochs=[max_epochs], max_s=max_s
        )
        return record

    def run_together(
        self, planned: Sequence[PlannedTrial], train: TrainTogether, *, max_epochs: Sequence[int], max_s: float
    ) -> list[TrialRecord]:
        """Trains some trials in one pass, then records and reports them one after another.

        Args:
            planned: what to train.
            train: trains all of them.
            max_epochs: see `run`, of each.
            max_s: seconds after which each of them is given up.

        Raises:
            SearchOver: the search ends. Trials are recorded up to the first one that it has cut off, since the number
                of a trial is the place of its record.
        """
        if self.models.best is not None and self.is_at_limit:
            raise SearchOver
        trials = [
            self._begun(one, place, epochs, max_s)
            for place, (one, epochs) in enumerate(zip(planned, max_epochs, strict=True))
        ]
        self._context.observer.trying(trials[0].record(TrialEnd(state=TrialState.RUNNING)))
        outcomes = outcomes_of(train, trials)
        ends = [trial.end(outcome) for trial, outcome in zip(trials, outcomes, strict=True)]
        pass_s = trials[0].used_s
        records = [
            trial.record(end, place=place, n_of_pass=len(trials))
            for place, (trial, end) in enumerate(zip(trials, ends, strict=True))
        ]
        for record, end, outcome in zip(records, ends, outcomes, strict=True):
            if isinstance(outcome, SearchOver):
                raise outcome
            self.take(record, end.candidate, pass_s=pass_s)
        return records

    def _begun(self, planned: PlannedTrial, place: int, max_epochs: int, max_s: float) -> RunningTrial:
        """place: among the trials of a pass."""
        is_first = self.models.best is None
        return RunningTrial(
            self._context,
            planned,
            number=len(self.records) + place,
            started_s=self._budget.elapsed_s,
            watched=None if is_first else self._watch(planned.stage, max_epochs),
            max_s=max_s,
        )

    def record_ensemble(self, ensemble: Candidate, *, started_s: float) -> None:
        """Records the ensemble that is delivered, whatever the other models are like."""
        planned = PlannedTrial(
            stage=Stage.ENSEMBLE,
            params=ensemble.params,
            backbones=ensemble.backbones,
            image_size_px=ensemble.image_size_px,
            parts=ensemble.parts,
        )
        end = TrialEnd(state=TrialState.COMPLETE, candidate=ensemble)
        number, now_s = len(self.records), self._budget.elapsed_s
        record = record_of(planned, end, number=number, started_s=started_s, now_s=now_s)
        self.records.append(record)
        self.models.best = ensemble
        self._context.observer.trial(record, ensemble)

    def take(self, record: TrialRecord, candidate: Candidate | None, *, pass_s: float | None = None) -> None:
        """Takes a trial that has ended, and its model if it gave one.

        Args:
            pass_s: seconds of the whole pass that it was a part of; None for a trial by itself.
        """
        self.records.append(record)
        for backbone in self._failures.count(record):
            failed = search_messages.BACKBONE_FAILED.format(
                n=FAILURES_THAT_RETIRE, title=BACKBONES[backbone].title, message=record.message
            )
            self._context.observer.note(failed)
        if candidate is not None:
            self._offer(candidate)
        if len(self.records) > len(self.earlier) + 1:  # the first one pays for what is loaded on first use
            longest_s = self._longest_s.get(record.stage, 0.0)
            took_s = record.duration_s if pass_s is None else pass_s
            self._longest_s[record.stage] = max(_LONGEST_FADES * longest_s, took_s)
            self._last_s[record.stage].append(took_s)
        self._context.observer.trial(record, self.models.best)
        self._pack()

    def restore(self, candidate: Candidate) -> None:
        """Takes a model that was trained again: its trial is recorded, but its weights were lost."""
        self._offer(candidate)
        self._pack()

    def replace(self, again: Candidate) -> None:
        """Takes the model of a recorded trial that was trained once more, on more photos."""
        if self.models.replace_best(again):
            self._pack()

    def retire(self, backbone: str, note: str) -> None:
        """Gives a backbone up, which is tried no more. note: says so, and why."""
        self.retired.add(backbone)
        self._context.observer.note(note)

    def expect_fine_tuned(self) -> None:
        """Foresees a longer end of the run from now on: fine-tuned weights take longer to pack."""
        self._packer.expect_fine_tuned()
        self._pack()

    def _offer(self, candidate: Candidate) -> None:
        if self._context.tests_every_photo:
            if not self.answered.offer(candidate):
                return  # it cannot be delivered, however well it does on some photos
        elif candidate.stage is not Stage.FINE_TUNING:  # of those only the best keep their weights
            self.answered.offer(candidate)
        if self.models.offer(candidate):
            self.last_gain = len(self.records)

    def _pack(self) -> None:
        self._packer.expect_branches(self.answered.n_branches)
        if self.models.best is not None:
            self._packer.after_trial(self.models.best)

    def _watch(self, stage: Stage, max_epochs: int) -> "Watched":
        from automl.search.pruner import Pruner

        key = (stage, max_epochs)
        if key not in self._pruners:
            self._pruners[key] = Pruner(self._context.settings.pruner, max_epochs)
        return self._pruners[key].watch()
