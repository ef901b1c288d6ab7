"""The whole search: plan, stage 1, stage 2, and the mean of the best, under one clock."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from automl.errors import BadSetting, RunFailed
from automl.models.head.settings import Targets
from automl.models.weights.cache import InstalledWeights
from automl.records import Goal, RunSettings, RunState, Stage, TrialRecord
from automl.search.budget import Budget, SearchOver
from automl.search.candidate import Branch, Candidate, common_rows, score_of
from automl.search.frozen import FrozenFeatures
from automl.search.objective import objective_of
from automl.search.observer import Observer
from automl.search.plan import INPUT_SIZES_PX, FeaturePlan, make_plan, plan_of
from automl.search.stages.fine_tuning import FineTuneStage
from automl.search.stages.heads import HeadsStage
from automl.search.trials import Ending, TrialBook
from automl.text.names import latency_in_words, percent, size_in_words

_STAGE_1_SHARE = 0.5  # of what is left once the features are there, of a short search; of a long one less
_MUCH_S = 300.0
_EARLY_S = 5.0
_FINE_TUNING_SHARE_OF_TRIALS = 0.2


class Search:
    """`run` returns the best candidate; `book` has everything that was tried.

    `scratch`: a folder that may be deleted once the best candidate is exported.
    """

    def __init__(
        self,
        features: FrozenFeatures,
        weights: Mapping[str, InstalledWeights],
        targets: Targets,
        settings: RunSettings,
        budget: Budget,
        observer: Observer,
        ending: Ending,
        scratch: Path,
        earlier: Sequence[TrialRecord] = (),
    ) -> None:
        self._features, self._settings = features, settings
        self._budget, self._observer = budget, observer
        self._earlier = tuple(earlier)
        objective = objective_of(settings, targets.labels)
        self.book = TrialBook(targets, objective, settings, budget, observer, ending, earlier)
        self._heads = HeadsStage(features, self.book, scratch / "heads")
        self._fine_tuning = FineTuneStage(features, weights, self.book, self._heads, scratch / "fine-tuning")

    def prepare(self) -> FeaturePlan:
        """Times the backbones and plans the features. Nothing else should keep the machine busy meanwhile.

        Raises:
            BadSetting: no model can keep the user's limits of size and latency.
        """
        self._observer.activity("Measuring this machine")
        self._require_a_model()
        if self._settings.goal is None and self.book.objective.goal is Goal.BALANCED_ACCURACY:
            self._observer.note(
                "The classes differ in size by three times or more, so models are compared by balanced accuracy: "
                "every class counts the same, however few photos it has."
            )
        if self._settings.fine_tuning and self._settings.head_layers:
            self._observer.note("Fine-tuning starts from heads without hidden layers, so it is left out here.")
        seconds_per_image = {name: self._features.seconds_per_image(name) for name in self._features.backbones}
        heads = [r for r in self._earlier if r.stage is Stage.HEADS and r.score is not None]
        computed = self._features.computed()
        search_s = max(0.0, self._budget.search_left_s)
        n_images, largest = len(self.book.targets.labels), self._settings.max_image_size_px
        limits = largest, computed, self._heads.is_allowed
        plan = make_plan(seconds_per_image, n_images, search_s, *limits)
        if self._budget.has_clock and not computed.issuperset(plan.blocks):
            search_s = max(0.0, self._budget.search_left_s - self._features.decode_seconds())
            plan = make_plan(seconds_per_image, n_images, search_s, *limits)
        if not heads or not self._budget.has_clock:  # without a clock it is the plan of the first attempt
            return plan
        return plan_of(self._earlier, max(heads, key=lambda record: record.score or 0.0)).extended(plan)

    def run(self, plan: FeaturePlan, load_tensorflow: Callable[[], None]) -> Candidate:
        """Searches until the time is up, the trial limit is reached, the user says stop or nothing more is gained.

        `load_tensorflow`: called when the first model is there and TensorFlow may be needed soon.

        Raises:
            RunFailed: not one trial gave a model.
        """
        book = self.book
        self._observer.space(Stage.HEADS, self._heads.space)
        # The first model needs the photos, unless an earlier run has looked at them.
        is_needed = not self._features.is_computed(plan.blocks[0])
        with suppress(SearchOver):
            self._features.decode(plan.blocks, book.progress("Reading the photos", is_needed))
        self._observer.state(RunState.SEARCHING)
        with suppress(SearchOver):
            self._heads.restore(self._earlier)
            self._heads.first_features(plan, self._head_trials())
            self._features.release_extractors()
            load_tensorflow()
            self._search(plan)
        self._heads.steady()
        self._fine_tuning.blend()
        self._tell_of_fine_tuning()
        self._observer.note(self._why_it_ended())
        self._features.release_pixels(INPUT_SIZES_PX)  # fine-tuning may see other sizes than the plan's
        if book.best is None:
            messages = {record.message for record in book.records if record.message}
            raise RunFailed("No model could be trained: " + ("; ".join(sorted(messages)) or "no trial was finished."))
        if not book.objective.is_allowed(book.best.n_bytes, book.best.latency_s):
            self._observer.note(
                "No model that was tried meets the limits on size and latency; this is the best of them."
            )
        return book.best

    def _search(self, plan: FeaturePlan) -> None:
        left_s, elapsed_s = self._budget.search_left_s, self._budget.elapsed_s
        limit = n_heads = self._settings.max_trials
        until_s = math.inf
        for_heads_s = _STAGE_1_SHARE * min(left_s, math.sqrt(_MUCH_S * left_s))
        if self._may_fine_tune(left_s - for_heads_s):
            n_heads = self._head_trials()
            until_s = elapsed_s + for_heads_s
        self._heads.search(plan, n_heads, until_s)
        # Stage 1 may have ended early, so there may be time now that was not foreseen.
        is_over = self.book.is_at_limit or self.book.is_perfect
        if is_over or not self._may_fine_tune(self._budget.search_left_s):
            return
        self._observer.space(Stage.FINE_TUNING, self._fine_tuning.space)
        try:
            self._fine_tuning.run(plan, self._earlier)
        finally:
            with suppress(SearchOver):
                self._fine_tuning.refit(plan)
        if not self.book.is_at_limit and not self._heads.why_it_ended:
            # Whatever fine-tuning leaves of the time, however little, may still find a better head.
            self._heads.search(plan, limit, math.inf)

    def _head_trials(self) -> int | None:
        """The share of a trial limit that stage 1 may use where fine-tuning follows."""
        limit = self._settings.max_trials
        if limit is None or not self._fine_tunes:
            return limit
        return limit - round(limit * _FINE_TUNING_SHARE_OF_TRIALS)

    def _may_fine_tune(self, seconds: float) -> bool:
        return self._fine_tunes and self._fine_tuning.is_affordable(seconds)

    @property
    def _fine_tunes(self) -> bool:
        return self._settings.fine_tuning and not self._settings.head_layers

    def _require_a_model(self) -> None:
        smallest = INPUT_SIZES_PX[0]
        if any(self._heads.is_allowed([name], smallest) for name in self._features.backbones):
            return
        costs = [self._heads.cost([Branch(name, smallest)], 0) for name in self._features.backbones]
        n_bytes, latency_s = min(cost[0] for cost in costs), min(cost[1] for cost in costs)
        raise BadSetting(
            "No model meets these limits. The smallest one has about "
            f"{size_in_words(n_bytes)}, and the quickest needs about {latency_in_words(latency_s)} for a photo here."
        )

    def _tell_of_fine_tuning(self) -> None:
        """Its score is that of fewer photos than a head's, so it says on which ones they were compared."""
        best, head = self.book.best, self.book.best_head
        if best is None or head is None or best.stage is Stage.HEADS:
            return
        rows = common_rows(best, head)
        mine, other = (
            score_of(one.held_out_logits[: len(rows)], self.book.targets, self.book.objective, rows)[0]
            for one in (best, head)
        )
        if mine <= other:  # it won as the smaller model of two that are as good
            return
        self._observer.note(
            f"Fine-tuning paid off: {percent(mine)} against {percent(other)} without it, both on the same "
            f"{rows.any(axis=0).sum():,} validation photos."
        )

    def _why_it_ended(self) -> str:
        if self._budget.stopped_by_user:
            return "The search was stopped by hand; the best model so far was kept."
        if self.book.is_at_limit:
            return f"The search ended at its limit of {self._settings.max_trials} trials."
        reasons = [reason for reason in (self._heads.why_it_ended, self._fine_tuning.why_it_ended) if reason]
        if self._budget.search_left_s > _EARLY_S and reasons:
            return f"The search ended early: {'; '.join(reasons)}."
        return "The search used the whole time budget."
