"""Stage 2: fine-tuning from the best heads, as far as it is foreseen to end in time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from automl.models.device import has_gpu
from automl.models.weights.cache import InstalledWeights
from automl.records import LR_SCHEDULES, Stage, TrialRecord
from automl.search.budget import SearchOver
from automl.search.candidate import Candidate
from automl.search.context import SearchContext
from automl.search.costs import ModelCosts
from automl.search.description import describe
from automl.search.frozen import FrozenFeatures
from automl.search.plan import FeaturePlan
from automl.search.space import PLATEAU, Params, SearchSpace
from automl.search.stages.fine_tuning_space import fine_tune_space
from automl.search.stages.fine_tuning_times import FineTuningKind, FineTuningTimes
from automl.search.stages.fine_tuning_trial import FEWEST_EPOCHS, FineTuningTrainer, PlannedFineTuning
from automl.search.stages.folds import FineTuningFolds
from automl.search.trial_run import PlannedTrial, TrialControls
from automl.search.trials import Trials
from automl.search.tuners.making import make_tuner
from automl.search.tuners.tuner import History, Proposal, Tuner
from automl.text.messages import search as search_messages

PATIENCE_TRIALS = 12
"""Trials without a better one after which fine-tuning has found what it can find."""

SIZES_PX = (96, 128, 160, 192, 224)
BATCH_SIZE, GPU_BATCH_SIZE = 16, 64
N_EPOCHS = 12
_USUAL_PX = 160
_EXPERT_DEPTHS = (2, 0)  # of the tails, 2 gained the most for its time on beans and hymenoptera


class FineTuneStage:
    """Fine-tunes single backbones.

    Attributes:
        space: that every trial lies in, the same for every attempt at a run.
        tuned: the fine-tuned models whose weights are still there.
        why_it_ended: a part of a sentence; empty where time or limit ended it.

    Args:
        features: the decoded photos, and how long the frozen backbones take.
        weights: the pretrained ones, by backbone.
        costs: say which backbones and sizes keep the user's limits.
        scratch: a folder for weights and stored activations.
    """

    def __init__(
        self,
        context: SearchContext,
        *,
        features: FrozenFeatures,
        weights: Mapping[str, InstalledWeights],
        trials: Trials,
        costs: ModelCosts,
        scratch: Path,
    ) -> None:
        self._context, self._settings, self._budget = context, context.settings, context.budget
        self._trials, self._costs, self._scratch = trials, costs, scratch
        batch_size = GPU_BATCH_SIZE if has_gpu() else BATCH_SIZE
        folds = FineTuningFolds(context.targets, answers_all=context.tests_every_photo)
        self._times = FineTuningTimes(features, folds, batch_size=batch_size)
        self._trainer = FineTuningTrainer(
            context,
            features=features,
            weights=weights,
            costs=costs,
            times=self._times,
            folds=folds,
            batch_size=batch_size,
            scratch=scratch,
        )
        self._most_epochs = self._settings.epochs or N_EPOCHS
        largest_px = self._settings.max_image_size_px or SIZES_PX[-1]
        self._sizes = tuple(size for size in SIZES_PX if size <= max(largest_px, SIZES_PX[0]))
        self._planned: dict[int, PlannedFineTuning] = {}
        self.space = self._space(features.backbones, SIZES_PX)
        self.tuned: list[Candidate] = []
        self.why_it_ended = ""

    def is_affordable(self, seconds: float) -> bool:
        """Whether a cheap fine-tuning of a few epochs fits into `seconds`."""
        return not self._budget.has_clock or self.shortest_s() <= seconds

    def shortest_s(self) -> float:
        """Seconds of the cheapest fine-tuning of a few epochs, before one was timed; infinite where there is none."""
        size = min(_USUAL_PX, self._sizes[-1])
        cheap = (FineTuningKind(name, size, depth) for name in self._starts() for depth in _EXPERT_DEPTHS)
        return min((self._times.seconds(kind, FEWEST_EPOCHS + 2) for kind in cheap), default=math.inf)

    def run(self, plan: FeaturePlan) -> None:
        """Trains what an expert would, then what the tuner proposes, until time, limit or patience end it.

        Raises:
            SearchOver: the time is up.
        """
        starts = self._starts()
        if not starts:
            self.why_it_ended = search_messages.NOTHING_TO_FINE_TUNE
            return
        self._trials.expect_fine_tuned()
        history = [
            (Proposal(record.params, record.epochs), record.score)
            for record in self._trials.records
            if record.stage is Stage.FINE_TUNING
        ]
        tuner, n_tried = self._tuner(starts, history), len(history)
        for params in self._first_choices(starts):
            proposal = Proposal(params)
            record = self._try(plan, proposal)
            if record is not None:
                tuner.observe(proposal, record.score)
                n_tried += 1
        self._follow(tuner, plan, n_tried)

    def refit(self) -> None:
        """Trains the best fine-tuning once more on every photo, where there is time: its folds saw a part only."""
        best = self._worth_refitting()
        if best is None or self._refit_s() > self._budget.search_left_s:
            return
        self._context.observer.activity(search_messages.TRAINING_ON_ALL)
        try:
            again = self._trainer.refit(self._planned[best.number], best)
        except SearchOver:
            return
        except Exception as error:  # noqa: BLE001 - as any trial: the model that the folds gave is still there
            self._context.observer.note(search_messages.NOT_TRAINED_ON_ALL.format(error=type(error).__name__))
            return
        self.tuned[[one.number for one in self.tuned].index(best.number)] = again
        self._trials.replace(again)

    def _follow(self, tuner: Tuner, plan: FeaturePlan, n_tried: int) -> None:
        """Tries what the tuner proposes. `n_tried`: number of fine-tunings so far."""
        n_refused = 0
        while n_refused < PATIENCE_TRIALS:
            if self._trials.models.is_perfect:
                self.why_it_ended = search_messages.ALL_RIGHT
                return
            if self._trials.has_stalled(PATIENCE_TRIALS) and n_tried > PATIENCE_TRIALS:
                self.why_it_ended = search_messages.NO_BETTER_FINE_TUNINGS.format(n=PATIENCE_TRIALS)
                return
            self._budget.check()
            proposal = tuner.propose()
            if proposal is None or self._trials.is_at_limit:
                return
            record = self._try(plan, proposal)
            tuner.observe(proposal, record.score if record else None)
            n_tried += record is not None
            n_refused = n_refused + 1 if record is None else 0

    def _try(self, plan: FeaturePlan, proposal: Proposal) -> TrialRecord | None:
        """None where it could not end in time, or may not be delivered; then nothing was started."""
        params, kind = proposal.params, FineTuningKind.of(proposal.params)
        starts = self._starts()
        if kind.backbone not in starts or not self._costs.is_allowed([kind.backbone], kind.image_size_px):
            return None
        epochs = self._epochs_in_time(kind, proposal.epochs)
        if epochs is None:
            return None
        input_px = max(plan.main_px, kind.image_size_px)
        planned = PlannedFineTuning(
            params=params,
            start=starts[kind.backbone],
            epochs=epochs,
            input_px=input_px,
            rival=self._trials.models.best_head,
        )
        trial = PlannedTrial(
            stage=Stage.FINE_TUNING,
            params=params,
            backbones=(kind.backbone,),
            image_size_px=kind.image_size_px,
            epochs=proposal.epochs,
        )
        self._context.observer.activity(search_messages.FINE_TUNING.format(model=describe(params)))
        return self._trials.run(trial, partial(self._train, planned), max_epochs=epochs)

    def _starts(self) -> dict[str, Candidate]:
        """The best linear head on each single backbone that may be fine-tuned, the most promising backbone first."""
        candidates = self._trials.models.starts
        starts = {one.backbones[0]: one for one in candidates if one.backbones[0] not in self._trials.retired}
        ordered = sorted(starts, key=lambda name: (-starts[name].score, starts[name].loss))
        return {name: starts[name] for name in ordered if self._costs.is_allowed([name], self._sizes[0])}

    def _first_choices(self, starts: Mapping[str, Candidate]) -> Iterator[Params]:
        """What an earlier attempt found best, whose weights are lost; then the expert's settings, cheap ones first."""
        known = [r for r in self._trials.earlier if r.stage is Stage.FINE_TUNING and r.score is not None]
        if known:
            yield dict(max(known, key=lambda record: record.score or 0.0).params)
        first = next(iter(starts))
        kinds = [FineTuningKind.of(record.params) for record in known]
        tried = {(kind.backbone, kind.depth) for kind in kinds}
        # On many photos the whole network is the cheaper one: its epochs are parts of them.
        for depth in sorted(_EXPERT_DEPTHS, key=lambda depth: self._times.frozen_passes(depth, N_EPOCHS)):
            if (first, depth) not in tried:
                # Asked for one by one: the next one has the time that this one has left.
                size = self._size_in_time(first, depth)
                yield self.space.defaults(backbone=first, depth=depth, ft_image_size_px=size)

    def _size_in_time(self, backbone: str, depth: int) -> int:
        """The usual one, or a smaller one at which half of the epochs can end in time."""
        sizes = [one for one in self._sizes if one <= _USUAL_PX]
        if not self._budget.has_clock:
            return sizes[-1]
        left_s = self._budget.search_left_s

        def half_s(size: int) -> float:
            return self._times.seconds(FineTuningKind(backbone, size, depth), N_EPOCHS // 2)

        return max((size for size in sizes if half_s(size) <= left_s), default=sizes[0])

    def _epochs_in_time(self, kind: FineTuningKind, allowed: int | None) -> int | None:
        """As many as can end in time, at most those that the user or the tuner allows; None for too few."""
        most = min(self._most_epochs, allowed or self._most_epochs)
        if not self._budget.has_clock:
            return most
        left_s = self._budget.search_left_s
        if (refit_s := self._refit_s()) < left_s / 2:
            left_s -= refit_s
        n = max((n for n in range(1, most + 1) if self._times.seconds(kind, n) <= left_s), default=0)
        return n if n >= min(FEWEST_EPOCHS, most) else None

    def _train(self, planned: PlannedFineTuning, trial: TrialControls) -> Candidate:
        candidate = self._trainer.train(planned, trial)
        self._planned[trial.number] = planned
        self.tuned.append(candidate)
        self._forget_losers()
        return candidate

    def _forget_losers(self) -> None:
        """Deletes the weights of all but the best: nothing needs them, and a day's search would fill a disk."""
        kept = self._best, self._trials.models.best, *self._in_selection()
        for loser in [one for one in self.tuned if not any(one is other for other in kept)]:
            self.tuned.remove(loser)
            for branch in loser.branches:
                if branch.tuned is not None:
                    branch.tuned.unlink(missing_ok=True)

    def _in_selection(self) -> list[Candidate]:
        """Those that may still be delivered for their answers to every photo, alone or as a part of a mean."""
        if not self._context.tests_every_photo:
            return []
        return [one for one in self.tuned if self._trials.answered.is_complete(one)]

    @property
    def _best(self) -> Candidate | None:
        return max(self.tuned, key=lambda one: (one.score, -one.loss), default=None)

    def _worth_refitting(self) -> Candidate | None:
        """The best fine-tuning, where its folds left photos out that a last training can add.

        One that has answers to every photo has learned from all of them at once.
        """
        return None if self._context.targets.n_folds == 1 or self._context.tests_every_photo else self._best

    def _refit_s(self) -> float:
        """Predicted seconds of training the best fine-tuning once more on every photo; 0 where there is none."""
        best = self._worth_refitting()
        return 0.0 if best is None else self._times.refit_s(self._planned[best.number].kind, best.best_epoch)

    def _tuner(self, starts: Mapping[str, Candidate], history: History) -> Tuner:
        return make_tuner(
            self._settings.tuner,
            self._settings.sampler,
            space=self._space(list(starts), self._sizes),
            seed=self._settings.seed,
            scratch=self._scratch / "fine-tuning",
            max_epochs=self._most_epochs,
            history=history,
        )

    def _space(self, backbones: Sequence[str], sizes_px: Sequence[int]) -> SearchSpace:
        fixed, every_photo = self._settings.lr_scheduler, self._context.tests_every_photo
        searched = tuple(name for name in LR_SCHEDULES if not every_photo or name != PLATEAU)
        return fine_tune_space(
            backbones,
            sizes_px,
            (fixed,) if fixed else searched,
            may_end_early=not every_photo,
            aspects=self._context.aspects,
        )
