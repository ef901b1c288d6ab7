"""The whole search: plan, stage 1, stage 2, and the mean of the best, under one clock."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from automl.errors import BadSetting, RunFailed
from automl.models.weights.cache import InstalledWeights
from automl.records import Goal, RunState, Stage, TrialRecord
from automl.search.best_models import BestModels
from automl.search.block import Block
from automl.search.budget import SearchOver
from automl.search.candidate import Branch, Candidate
from automl.search.context import SearchContext
from automl.search.costs import ModelCosts
from automl.search.ensemble import weighted_mean
from automl.search.expectations import PRIORS, Expectations
from automl.search.frozen import FrozenFeatures
from automl.search.objective import Objective
from automl.search.plan import INPUT_SIZES_PX, FeaturePlan, largest_size_px, make_plan, plan_of
from automl.search.scoring import common_rows
from automl.search.selection import AskedPhotos, SelectedModel, TrialAnswers, select
from automl.search.space import backbone_names
from automl.search.stages.distillation import DistillationStage, Distilled
from automl.search.stages.fine_tuning import FineTuneStage
from automl.search.stages.heads import HeadsStage
from automl.search.trials import BestModelPacker, Trials
from automl.text.durations import duration_in_words
from automl.text.messages import search as search_messages
from automl.text.numbers import latency_in_words, percent, size_in_words

_STAGE_1_SHARES = (0.5, 0.2)
"""Of what is left once the features are there, of a short search; of a long one less. The second share is taken where
fine-tuning fits beside it only: what needs no search has been tried by then."""
_MUCH_S = 100.0
_EARLY_S = 5.0
_FINE_TUNING_SHARE_OF_TRIALS = 0.2
_ERRORS_OF_A_FINE_TUNING = 1.0
"""By how many standard errors a fine-tuning must lower the loss of the heads to join them: fewer than a head, since it
is one of a few and not of a hundred (`bench.single_network`)."""


def planned_features(context: SearchContext, features: FrozenFeatures, costs: ModelCosts) -> FeaturePlan:
    """Which features to compute in the time that is left now; a backbone must keep the limits at the smallest size."""
    computed = features.computed()
    plan_within = partial(
        make_plan,
        {name: features.seconds_per_image(name) for name in features.backbones},
        expectations=Expectations(priors=PRIORS),
        n_images=context.n_photos,
        max_image_size_px=largest_size_px(
            context.settings.max_image_size_px,
            detail_px=features.detail_px,
            backbones=features.backbones,
            has_clock=context.budget.has_clock,
        ),
        computed=computed,
        is_allowed=costs.is_allowed,
    )
    plan = plan_within(search_s=max(0.0, context.budget.search_left_s))
    if context.budget.has_clock and not computed.issuperset(plan.blocks):
        # Something must be computed, so the photos must be decoded first.
        plan = plan_within(search_s=max(0.0, context.budget.search_left_s - features.decode_seconds()))
    return plan


class Search:
    """Finds the best model of one run.

    Attributes:
        trials: everything that was tried.

    Args:
        features: of the photos that are learned from.
        weights: the pretrained ones, by backbone.
        packer: packs the best model while the search goes on.
        scratch: a folder that may be deleted once the best model is exported.
        earlier: trials of an attempt at the run that was broken off.
    """

    def __init__(
        self,
        context: SearchContext,
        *,
        features: FrozenFeatures,
        weights: Mapping[str, InstalledWeights],
        packer: BestModelPacker,
        scratch: Path,
        earlier: Sequence[TrialRecord] = (),
    ) -> None:
        self._context, self._settings = context, context.settings
        self._budget, self._observer = context.budget, context.observer
        self._features = features
        self.trials = Trials(context, packer=packer, earlier=earlier)
        self._chosen_from: Sequence[Candidate] = ()
        self._chosen: Candidate | None = None
        self._costs = ModelCosts(features, objective=context.objective, n_classes=context.targets.n_classes)
        self._heads = HeadsStage(
            context, features=features, trials=self.trials, costs=self._costs, scratch=scratch / "heads"
        )
        self._distillation = DistillationStage(
            context,
            features=features,
            trials=self.trials,
            costs=self._costs,
            space=lambda: self._heads.space,
            expectations=self._heads.expectations,
        )
        self._fine_tuning = FineTuneStage(
            context,
            features=features,
            weights=weights,
            trials=self.trials,
            costs=self._costs,
            scratch=scratch / "fine-tuning",
        )

    def prepare(self) -> FeaturePlan:
        """Times the backbones and plans the features. Nothing else should keep the machine busy meanwhile.

        Raises:
            BadSetting: no model can meet the user's limits on size and latency.
        """
        self._observer.activity(search_messages.MEASURING)
        self._require_a_model()
        if self._settings.goal is None and self._context.objective.goal is Goal.BALANCED_ACCURACY:
            self._observer.note(search_messages.BALANCED_ACCURACY_CHOSEN)
        if self._settings.fine_tuning and self._settings.head_layers:
            self._observer.note(search_messages.NO_FINE_TUNING_WITH_HIDDEN_LAYERS)
        return self._continued(planned_features(self._context, self._features, self._costs))

    def look_first(self, plan: FeaturePlan) -> bool:
        """Computes the features of the first trial before it is made, so that the pipeline may learn from them.

        A continued run takes those of the very first trial of all, so that it learns the same.

        Returns:
            Whether there are such features.

        Raises:
            BadImage, DiskFull, RunFailed: there will be no model.
        """
        heads = [record for record in self.trials.earlier if record.stage is Stage.HEADS]
        known = [Block(backbone_names(heads[0].params)[0], heads[0].image_size_px)] if heads else []
        blocks = known or [block for block in plan.blocks if not block.mirrored]
        with suppress(SearchOver):
            self._read_photos([*known, *plan.blocks])
            return any(self._heads.look(block) for block in blocks)
        return False

    def run(self, plan: FeaturePlan, load_tensorflow: Callable[[], None]) -> Candidate:
        """Searches until the time is up, the trial limit is reached, the user says stop or nothing more is gained.

        Args:
            plan: what `prepare` has returned.
            load_tensorflow: called when the first model is there and TensorFlow may be needed soon.

        Raises:
            RunFailed: not one trial gave a model.
        """
        self._observer.space(Stage.HEADS, self._heads.space)
        with suppress(SearchOver):
            self._read_photos(plan.blocks)
        self._observer.state(RunState.SEARCHING)
        with suppress(SearchOver):
            self._heads.restore()
            self._heads.first_features(plan, self._head_trials(fine_tunes=self._fine_tunes))
            self._features.release_extractors()
            load_tensorflow()
            self._search(plan)
        self._require_best()
        best = self._delivered(plan)
        if reason := self._why_not_fine_tuned():
            self._observer.note(reason)
        self._observer.note(self._why_it_ended())
        self._features.release_pixels(INPUT_SIZES_PX)  # fine-tuning may take other sizes than the plan's
        return best

    def answers_to_every_photo(self, *candidates: Candidate) -> TrialAnswers:
        """The held-out answers that the delivered model was chosen by; those of `candidates` where some are named.

        Only of a run without a test set.
        """
        return self.trials.answered.answers(candidates or self._chosen_from, self._costs)

    @property
    def asked_photos(self) -> AskedPhotos:
        """What those answers are about."""
        return self.trials.answered.photos

    @property
    def distilled(self) -> Distilled | None:
        """What came of teaching a small model; None where none was taught."""
        return self._distillation.distilled

    @property
    def objective(self) -> Objective:
        return self._context.objective

    def is_chosen(self, candidate: Candidate) -> bool:
        """Whether it is the model that the selection by these answers chose."""
        return self._chosen is not None and candidate.is_same_model(self._chosen)

    def _delivered(self, plan: FeaturePlan) -> Candidate:
        """The model of the whole selection: what the heads' answers to every photo say, then a fine-tuned network."""
        started_s = self._budget.elapsed_s
        answered, objective = self.trials.answered, self._context.objective
        self._chosen_from = answered.of_one_size(plan.main_px, objective)
        heads = best = self._mean_of(
            self._chosen_from, select(self.answers_to_every_photo(), answered.photos, objective)
        )
        if not self._context.tests_every_photo:
            best = self._joined_by_fine_tuning(heads)
            self._note_what_fine_tuning_gained(best, heads)
        self._chosen = best
        if best.parts:
            self._observer.note(search_messages.CHOSE_MEAN.format(n=len(best.parts)))
            self.trials.record_ensemble(best, started_s=started_s)
        return best

    def _joined_by_fine_tuning(self, heads: Candidate) -> Candidate:
        """The mean with the best fine-tuning, by the photos that it was asked about: its folds are not all of them.

        A mean shows all of its parts the same square, so only a fine-tuning of that input size may join.
        """
        tuned = [one for one in self._fine_tuning.tuned if one.image_size_px == heads.image_size_px]
        if not tuned:
            return heads
        answers, photos = self.trials.answered.common(heads, tuned, self._costs)
        chosen = select(answers, photos, self._context.objective, errors=_ERRORS_OF_A_FINE_TUNING)
        return self._mean_of([heads, *tuned], chosen)

    def _mean_of(self, candidates: Sequence[Candidate], selection: SelectedModel) -> Candidate:
        by_number = {one.number: one for one in candidates}
        numbers, shares = zip(*selection.weights, strict=True)
        parts = [by_number[number] for number in numbers]
        if len(parts) == 1:
            return parts[0]
        number = len(self.trials.records)
        return weighted_mean(parts, shares, number=number, scorer=self._context.scorer, costs=self._costs)

    def _read_photos(self, blocks: Sequence[Block]) -> None:
        # The first model needs the photos, unless an earlier run has left their features.
        is_needed = not self._features.is_computed(blocks[0])
        self._features.decode(blocks, self._context.progress(search_messages.READING_PHOTOS, is_needed=is_needed))

    def _continued(self, plan: FeaturePlan) -> FeaturePlan:
        """The plan of a continued run: the blocks that its earlier trials used, and what the new plan adds to them."""
        heads = [r for r in self.trials.earlier if r.stage is Stage.HEADS and r.score is not None]
        if not heads or not self._budget.has_clock:  # without a clock the new plan is that of the first attempt
            return plan
        return plan_of(self.trials.earlier, max(heads, key=lambda record: record.score or 0.0)).extended(plan)

    def _search(self, plan: FeaturePlan) -> None:
        elapsed_s = self._budget.elapsed_s
        left_s = self._budget.search_left_s - self._distillation.reserved_s(plan)
        n_heads, until_s = self._head_trials(fine_tunes=False), elapsed_s + left_s
        for share in _STAGE_1_SHARES:
            for_heads_s = share * min(left_s, math.sqrt(_MUCH_S * left_s))
            if self._may_fine_tune(left_s - for_heads_s):
                n_heads = self._head_trials(fine_tunes=True)
                until_s = elapsed_s + for_heads_s
                break
        self._heads.search(plan, n_heads, until_s)
        self._observer.space(Stage.DISTILLATION, self._heads.space)
        if self._distillation.has_limits:
            self._distillation.run(plan)
        self._fine_tune(plan)
        if not self._distillation.has_limits:
            self._distillation.run(plan)
        if self._budget.has_clock:
            self._search_on(plan)

    def _search_on(self, plan: FeaturePlan) -> None:
        """What the other stages leave of the time, however little, may still find a better head."""
        if not self.trials.is_at_limit and not self._heads.why_it_ended:
            self._heads.search(plan, self._settings.max_trials, math.inf)

    def _fine_tune(self, plan: FeaturePlan) -> None:
        # Stage 1 may have ended early, so there may be time now that was not foreseen.
        is_over = self.trials.is_at_limit or self._models.is_perfect
        if is_over or not self._may_fine_tune(self._budget.search_left_s):
            return
        self._observer.space(Stage.FINE_TUNING, self._fine_tuning.space)
        try:
            self._fine_tuning.run(plan)
        finally:
            with suppress(SearchOver):
                self._fine_tuning.refit()
        if not self._budget.has_clock:  # with one, what is left is for teaching first
            self._search_on(plan)

    def _head_trials(self, *, fine_tunes: bool) -> int | None:
        """How many of a limit of trials stage 1 may use, with or without a fine-tuning that follows."""
        limit = self._settings.max_trials
        if limit is None:
            return None
        kept = round(limit * _FINE_TUNING_SHARE_OF_TRIALS) if fine_tunes else 0
        return limit - kept - self._distillation.trials_of(limit)

    def _may_fine_tune(self, seconds: float) -> bool:
        return self._fine_tunes and self._fine_tuning.is_affordable(seconds)

    @property
    def _fine_tunes(self) -> bool:
        return self._settings.fine_tuning and not self._settings.head_layers

    def _require_a_model(self) -> None:
        smallest = INPUT_SIZES_PX[0]
        if any(self._costs.is_allowed([name], smallest) for name in self._features.backbones):
            return
        costs = [self._costs.of([Branch(name, smallest)], head_bytes=0) for name in self._features.backbones]
        smallest_bytes, quickest_s = min(cost.n_bytes for cost in costs), min(cost.latency_s for cost in costs)
        raise BadSetting(
            search_messages.NO_MODEL_WITHIN_LIMITS.format(
                smallest=size_in_words(smallest_bytes), quickest=latency_in_words(quickest_s)
            )
        )

    def _note_what_fine_tuning_gained(self, best: Candidate, head: Candidate) -> None:
        """A fine-tuning is scored on fewer photos than a head, so both are compared on those photos."""
        if not best.is_tuned:
            return
        rows = common_rows(best, head)
        mine, other = (self._context.scorer.score(one.held_out_logits[: len(rows)], rows)[0] for one in (best, head))
        if mine <= other:  # it made the answers surer, not more of them right
            return
        self._observer.note(
            search_messages.FINE_TUNING_PAID_OFF.format(
                n=int(rows.any(axis=0).sum()), mine=percent(mine), other=percent(other)
            )
        )

    def _why_not_fine_tuned(self) -> str:
        """A sentence; empty where a network was fine-tuned, or where the user has ended that and knows why."""
        was_tried = any(record.stage is Stage.FINE_TUNING for record in self.trials.records)
        if was_tried or not self._fine_tunes or self._budget.stopped_by_user:
            return ""
        if self._models.is_perfect:
            return search_messages.NOTHING_TO_GAIN_BY_FINE_TUNING
        if self.trials.is_at_limit:
            return search_messages.NO_TRIES_TO_FINE_TUNE
        shortest_s = self._fine_tuning.shortest_s()
        if math.isinf(shortest_s):
            return search_messages.NO_NETWORK_TO_FINE_TUNE
        return search_messages.NO_TIME_TO_FINE_TUNE.format(needed=duration_in_words(10 * math.ceil(shortest_s / 10)))

    def _why_it_ended(self) -> str:
        if self._budget.stopped_by_user:
            return search_messages.STOPPED_BY_HAND
        if self._settings.max_trials is not None and self.trials.is_at_limit:
            return search_messages.TRIAL_LIMIT.format(n=self._settings.max_trials)
        reasons = [reason for reason in (self._heads.why_it_ended, self._fine_tuning.why_it_ended) if reason]
        if self._budget.search_left_s > _EARLY_S and reasons:
            return search_messages.ENDED_EARLY.format(reasons="; ".join(reasons))
        return search_messages.TIME_USED

    def _require_best(self) -> None:
        """Raises RunFailed where nothing gave a model; says so where none keeps the limits."""
        best = self._models.best
        if best is None:
            messages = {record.message for record in self.trials.records if record.message}
            if not messages:
                raise RunFailed(search_messages.NO_MODEL_NO_TRIAL)
            raise RunFailed(search_messages.NO_MODEL.format(reasons="; ".join(sorted(messages))))
        if not self._context.objective.allows(best):
            self._observer.note(search_messages.NOT_WITHIN_LIMITS)

    @property
    def _models(self) -> BestModels:
        return self.trials.models
