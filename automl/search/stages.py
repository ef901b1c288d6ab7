"""The search: frozen features first, cheapest first, then heads on them until the clock says stop."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from automl.errors import RunFailed
from automl.models.backbones import BACKBONES
from automl.records import RunSettings, RunState, TrialRecord, TrialState
from automl.search.budget import Budget, SearchOver
from automl.search.frozen import FrozenFeatures
from automl.search.observer import Observer
from automl.search.plan import INPUT_SIZES_PX, FeaturePlan, block_seconds, make_plan, plan_of
from automl.search.space import LAST_TAP, SEVERAL_TAPS, Params, backbone_names, head_space
from automl.search.trial import Candidate, Targets, run_head_trial
from automl.search.tuner import Tuner, make_tuner

_log = structlog.get_logger()
_FIRST_FAILURES_THAT_END_A_RUN = 3

AfterTrial = Callable[[Candidate], None]
"""Takes the best candidate so far, after each trial."""


class HeadSearch:
    """Stage 1. `run` returns the best candidate; `records` says what was tried, `space` in which space.

    `scratch`: a folder that may be deleted afterwards.
    """

    def __init__(
        self,
        features: FrozenFeatures,
        targets: Targets,
        settings: RunSettings,
        budget: Budget,
        observer: Observer,
        scratch: Path,
        after_trial: AfterTrial,
        earlier: Sequence[TrialRecord] = (),
    ) -> None:
        self._features = features
        self._targets = targets
        self._settings = settings
        self._budget = budget
        self._observer = observer
        self._scratch = scratch
        self._after_trial = after_trial
        self._longest_trial_s = 0.0
        self.best: Candidate | None = None
        self.records: list[TrialRecord] = list(earlier)
        self._earlier_best = max(
            (record for record in earlier if record.score is not None),
            key=lambda record: record.score or 0,
            default=None,
        )
        # The same for every attempt at a run, whatever its plan: its trials must lie in one space.
        self.space = head_space(features.backbones, INPUT_SIZES_PX)

    def prepare(self) -> FeaturePlan:
        """Times the backbones and plans the features. Nothing else should keep the machine busy meanwhile."""
        self._observer.activity("Measuring this machine")
        seconds_per_image = {name: self._features.seconds_per_image(name) for name in self._features.backbones}
        if self._earlier_best is not None:
            return plan_of(self.records, self._earlier_best)
        computed = self._features.computed()
        search_s = self._budget.search_left_s - (0.0 if computed else self._features.decode_seconds())
        n_images, largest = len(self._targets.labels), self._settings.max_image_size_px
        return make_plan(seconds_per_image, n_images, max(0.0, search_s), largest, computed)

    def run(self, plan: FeaturePlan) -> Candidate:
        """Searches until the time is up, the trial limit is reached or the user says stop.

        Raises:
            RunFailed: not one trial gave a model.
        """
        self._observer.space(self.space)
        self._features.decode(plan.blocks, self._progress("Reading the photos"))
        self._observer.state(RunState.SEARCHING)
        with suppress(SearchOver):
            self._retrain_earlier_best()
            self._first_features(plan)
            self._search_heads(plan)
        self._observer.note(self._why_it_ended())
        self._features.release_pixels(plan.sizes_px)
        if self.best is None:
            reasons = {record.message for record in self.records if record.message}
            raise RunFailed("No model could be trained: " + ("; ".join(sorted(reasons)) or "no trial was finished."))
        return self.best

    def _retrain_earlier_best(self) -> None:
        """The weights of the best model are gone with the attempt that was broken off; its settings are not."""
        if self._earlier_best is None:
            return
        size = self._earlier_best.image_size_px
        for backbone in self._earlier_best.backbones:
            self._features.compute(backbone, size, self._progress(self._looking(backbone, size)))
        self._trial(dict(self._earlier_best.params), seed=self._settings.seed + self._earlier_best.number)

    def _first_features(self, plan: FeaturePlan) -> None:
        """Computes the planned blocks; tries the expert's settings on each as soon as it is there."""
        for number, (backbone, size) in enumerate(plan.blocks):
            expected_s = block_seconds(self._features.seconds_per_image(backbone), size, len(self._targets.labels))
            is_needed = number == 0  # without it there is no model at all
            if not is_needed and not self._features.is_computed(backbone, size):
                self._budget.check()
                if expected_s > self._budget.search_left_s:
                    self._observer.note(f"{BACKBONES[backbone].title} at {size} px was left out: not enough time.")
                    continue
            self._features.compute(backbone, size, self._progress(self._looking(backbone, size), is_needed))
            available = [name for name, other in plan.blocks[: number + 1] if other == size]
            self._try_defaults(plan, backbone, size)
            if len(available) > 1 and len(available) == sum(other == size for _, other in plan.blocks):
                self._try_defaults(plan, "+".join(self._in_order(available)[:3]), size)

    def _looking(self, backbone: str, size: int) -> str:
        return f"Looking at the photos with {BACKBONES[backbone].title} at {size} px"

    def _in_order(self, backbones: Sequence[str]) -> list[str]:
        """The one order in which fusions name their parts, whatever the order in which they became available."""
        return [name for name in self._features.backbones if name in backbones]

    def _try_defaults(self, plan: FeaturePlan, backbones: str, size: int) -> None:
        for taps in (SEVERAL_TAPS, LAST_TAP)[: 2 if size == plan.blocks[0][1] else 1]:
            params = self.space.defaults(backbones=backbones, taps=taps, image_size_px=size)
            if all(record.params != params for record in self.records):
                self._trial(params)

    def _search_heads(self, plan: FeaturePlan) -> None:
        """Lets the tuner propose, over the features that are really there."""
        available = self._features.available()
        main = plan.blocks[0][1]
        backbones = self._in_order([name for name, size in plan.blocks if size == main and (name, main) in available])
        sizes = [size for size in plan.sizes_px if all((name, size) in available for name in backbones)]
        space = head_space(backbones, sizes)
        tuner = make_tuner(self._settings.tuner, space, self._settings.seed, self._scratch)
        for record in self.records:
            if space.contains(record.params):
                tuner.observe(record.params, record.score)
        while not self._is_at_limit():
            self._budget.check()
            if self._longest_trial_s > self._budget.search_left_s:
                raise SearchOver
            self._propose_and_try(tuner)

    def _propose_and_try(self, tuner: Tuner) -> None:
        params = tuner.propose()
        if params is None:
            raise SearchOver
        self._observer.activity(f"Training with {describe(params)}", self._share_of_time())
        record = self._trial(params)
        tuner.observe(params, record.score)

    def _is_at_limit(self) -> bool:
        limit = self._settings.max_trials
        return limit is not None and len(self.records) >= limit

    def _trial(self, params: Params, seed: int | None = None) -> TrialRecord:
        """Runs, records and tells one trial. As long as there is no model, no clock and no limit ends a trial."""
        is_first = self.best is None
        if not is_first and self._is_at_limit():
            raise SearchOver
        number, started_s = len(self.records), self._budget.elapsed_s
        candidate, message = None, ""
        try:
            candidate = run_head_trial(
                number,
                params,
                self._features,
                self._targets,
                self._settings.seed + number if seed is None else seed,
                (lambda: None) if is_first else self._budget.check,
            )
        except SearchOver:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one trial meets is recorded, and the search goes on
            _log.warning("trial failed", number=number, params=params, exc_info=True)
            message = f"{type(error).__name__}: {error}"
        record = TrialRecord(
            number=number,
            state=TrialState.COMPLETE if candidate else TrialState.FAILED,
            backbones=backbone_names(params),
            image_size_px=int(params["image_size_px"]),
            params=params,
            score=candidate.score if candidate else None,
            started_s=started_s,
            duration_s=self._budget.elapsed_s - started_s,
            message=message,
        )
        self._take(record, candidate)
        return record

    def _take(self, record: TrialRecord, candidate: Candidate | None) -> None:
        self.records.append(record)
        if candidate is not None and candidate.is_better_than(self.best):
            self.best = candidate
        if len(self.records) > 1:  # the first one pays for TensorFlow's start
            self._longest_trial_s = max(0.9 * self._longest_trial_s, record.duration_s)
        self._observer.trial(record, self.best)
        if self.best is not None:
            self._after_trial(self.best)
        latest = self.records[-_FIRST_FAILURES_THAT_END_A_RUN:]  # those of an earlier attempt may have gone well
        if self.best is None and [r.state for r in latest] == [TrialState.FAILED] * _FIRST_FAILURES_THAT_END_A_RUN:
            raise SearchOver

    def _progress(self, text: str, is_needed: bool = True) -> Callable[[int, int], None]:
        def report(done: int, total: int) -> None:
            if not is_needed:
                self._budget.check()
            self._observer.activity(text, done / max(1, total))

        return report

    def _share_of_time(self) -> float:
        return min(1.0, self._budget.elapsed_s / max(1e-9, self._budget.total_s - self._budget.reserve_s))

    def _why_it_ended(self) -> str:
        if self._budget.stopped_by_user:
            return "The search was stopped by hand; the best model so far was kept."
        if self._is_at_limit():
            return f"The search ended at its limit of {self._settings.max_trials} trials."
        if self._budget.search_left_s <= self._longest_trial_s:
            return "The search used the whole time budget."
        return "The search ended early: every combination had been tried."


def describe(params: Params) -> str:
    """A trial in words: "MobileNetV2 + EfficientNet-Lite0 at 224 px, several layers"."""
    names = " + ".join(BACKBONES[name].title for name in backbone_names(params))
    taps = "several layers" if params["taps"] == SEVERAL_TAPS else "last layer"
    return f"{names} at {params['image_size_px']} px, {taps}"
