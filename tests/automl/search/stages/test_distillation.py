"""Teaching a small model: for real on random features, with a clock that passes on command."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.models.head.settings import Targets
from automl.records import Goal, RunSettings, Sampler, Stage, TrialRecord
from automl.search.best_models import BestModels
from automl.search.block import Block
from automl.search.budget import Budget, SearchOver
from automl.search.candidate import Branch, Candidate
from automl.search.expectations import PRIORS, Expectations
from automl.search.objective import Objective, objective_of
from automl.search.plan import FeaturePlan
from automl.search.scoring import Scorer
from automl.search.soft_answers import SoftAnswers
from automl.search.space import head_space
from automl.search.stages import distillation
from automl.search.stages.distillation import DistillationStage
from tests.automl.search.fakes import (
    LITE0,
    TARGETS,
    V2,
    RecordingObserver,
    RecordingTrials,
    branch_head,
    candidate,
    context_of,
    costs_of,
    head_candidate,
    logits_for,
)
from tests.automl.search.worlds import STEP_S, FakeWorld, SmallFeatures, World

FOUR_FOLDS = Targets(labels=TARGETS.labels, folds=np.arange(40)[:, None] // 2 % 4, n_folds=4, n_classes=2)
PLAN = FeaturePlan((Block(V2, 96),))
SMALL: dict[str, Any] = {"max_model_mb": 12.0}


class Stage4:
    """The stage after a first head on MobileNetV2. `seconds`: what a photo takes."""

    def __init__(
        self, *, budget_s: float | None = 600.0, targets: Targets = FOUR_FOLDS, seconds: float = 0.001, **settings: Any
    ) -> None:
        self.observer = RecordingObserver()
        chosen = RunSettings(budget_s=budget_s, **settings)
        self.features = SmallFeatures(seconds)
        budget = Budget(budget_s, reserve_s=0, clock=self.features.clock)
        objective = objective_of(chosen, targets.labels)
        context = context_of(chosen, budget, objective, targets=targets, observer=self.observer)
        self.trials = RecordingTrials(context)
        self.features.compute(Block(V2, 96), lambda _done, _total: None)
        start = candidate(image_size_px=96, heads=(branch_head(Branch(V2, 96)),), score=0.6, n_bytes=9_000_000)
        self.trials.models.offer(start)
        space = head_space([V2, LITE0, f"{V2}+{LITE0}"], [96, 224])
        self.stage = DistillationStage(
            context,
            features=self.features,
            trials=self.trials,
            costs=costs_of(self.features, objective),
            space=lambda: space,
            expectations=lambda _size: Expectations(priors=PRIORS),
        )

    @property
    def records(self) -> list[TrialRecord]:
        return self.trials.records


def test_a_network_that_is_too_large_teaches_one_that_may_be_delivered() -> None:
    w = Stage4(**SMALL)
    w.stage.run(PLAN)
    (record,) = w.records
    assert record.stage is Stage.DISTILLATION and record.backbones == (V2,) and record.image_size_px == 96
    assert record.params["views"] == "mirrored"
    assert record.params["teacher"] == f"{V2}+{LITE0}"
    assert w.features.computed_blocks[1:] == [Block(V2, 224), Block(LITE0, 224), Block(V2, 96, mirrored=True)]
    assert w.stage.distilled is not None
    assert w.stage.distilled.student.held_out_logits.shape == (1, 40, 2)
    assert w.stage.distilled.direct.number == 0
    assert [one.stage for one in w.trials.answered.candidates] == [Stage.DISTILLATION]  # may be delivered
    assert "learned from the answers" in w.observer.notes[-1] or "Learning from" in w.observer.notes[-1]


def test_an_extra_learns_from_what_is_there_only() -> None:
    w = Stage4()
    w.features.compute(Block(LITE0, 96), lambda _done, _total: None)
    n_computed = len(w.features.computed_blocks)
    w.stage.run(PLAN)
    assert [record.params["teacher"] for record in w.records] == [f"{V2}+{LITE0}"]
    assert len(w.features.computed_blocks) == n_computed


def test_time_is_kept_for_it_only_where_a_small_model_is_wanted() -> None:
    assert Stage4().stage.reserved_s(PLAN) == 0
    reserved_s = Stage4(**SMALL).stage.reserved_s(PLAN)
    assert 0 < reserved_s <= 0.3 * 600
    assert Stage4(**SMALL, budget_s=None, max_trials=9).stage.reserved_s(PLAN) == 0


def test_what_was_kept_is_enough_when_nothing_else_is_left() -> None:
    w = Stage4(**SMALL)
    kept_s = w.stage.reserved_s(PLAN)
    w.features.clock.now += 600 - kept_s
    w.stage.run(PLAN)
    assert [record.stage for record in w.records] == [Stage.DISTILLATION]


def test_it_is_left_out_where_time_is_short() -> None:
    w = Stage4(**SMALL, budget_s=10.0, seconds=0.5)
    assert w.stage.reserved_s(PLAN) == 0
    w.stage.run(PLAN)
    assert w.records == [] and w.stage.distilled is None
    assert w.observer.notes == [
        "No small model was taught by a larger one: there was no time for that, or no network to learn from."
    ]


def test_the_end_of_the_time_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Stage4(**SMALL)

    def late(*_args: Any, on_step: Any, **_more: Any) -> None:
        w.features.clock.now += 600
        on_step()

    monkeypatch.setattr(distillation, "nested_answers", late)
    monkeypatch.setattr(Scorer, "is_closer", lambda *_: True)
    with pytest.raises(SearchOver):
        w.stage.run(PLAN)
    assert w.records == []


def test_what_was_taught_before_the_end_of_the_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Stage4(**SMALL)
    monkeypatch.setattr(distillation, "SEVERAL_TAPS_FROM", 0)  # so there are two students
    taught = distillation.run_head_trials

    def late(planned: Any, **more: Any) -> Any:
        made = taught(planned, **more)
        w.features.clock.now += 600
        return made

    monkeypatch.setattr(distillation, "run_head_trials", late)
    with pytest.raises(SearchOver):
        w.stage.run(PLAN)
    assert [record.stage for record in w.records] == [Stage.DISTILLATION]
    assert w.stage.distilled is not None and w.stage.distilled.student.number == w.records[0].number


@pytest.mark.parametrize(("limit", "n_kept"), [(3, 1), (5, 1), (10, 2), (100, 2)])
def test_of_a_limit_of_trials_it_takes_its_share(limit: int, n_kept: int) -> None:
    assert Stage4(**SMALL, budget_s=None, max_trials=limit).stage.trials_of(limit) == n_kept
    assert Stage4(budget_s=None, max_trials=limit).stage.trials_of(limit) == 0


def test_fine_tuning_keeps_its_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distillation, "SEVERAL_TAPS_FROM", 0)
    w = Stage4(**SMALL, max_trials=5)
    w.stage.run(PLAN)
    assert len(w.records) == 1  # of the two that it could teach


def test_with_too_few_folds_nothing_is_taught() -> None:
    w = Stage4(**SMALL, targets=TARGETS)
    w.stage.run(PLAN)
    assert w.records == [] and w.stage.reserved_s(PLAN) == 0


def test_at_the_limit_of_trials_nothing_is_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecordingTrials, "is_at_limit", True)
    w = Stage4(**SMALL)
    w.stage.run(PLAN)
    assert w.records == []


def test_a_teacher_that_knows_no_better_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scorer, "is_closer", lambda *_: False)
    w = Stage4(**SMALL)
    w.stage.run(PLAN)
    assert w.records == [] and "not closer to the truth" in w.observer.notes[-1]


def test_what_goes_wrong_with_the_teacher_does_not_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(distillation, "held_out_answers", broken)
    w = Stage4(**SMALL)
    w.stage.run(PLAN)
    assert w.records == [] and "did not work (MemoryError)" in w.observer.notes[-1]


@pytest.mark.parametrize(("limits", "is_between"), [(SMALL, True), ({}, False)])
def test_with_limits_it_comes_before_fine_tuning_and_else_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limits: dict[str, Any], is_between: bool
) -> None:
    chosen = RunSettings(budget_s=900.0, goal=Goal.ACCURACY, sampler=Sampler.RANDOM, **limits)
    w = World(
        monkeypatch,
        tmp_path,
        FakeWorld(settings=chosen, heads=lambda *_: 0.7, tuned=lambda *_: 0.8, targets=FOUR_FOLDS),
    )

    def taught(planned: Any, **_more: Any) -> list[Candidate]:
        return [head_candidate(one.trial.number, one.params, w.features, 0.7) for one in planned]

    monkeypatch.setattr(w.features, "joined", lambda _params: None, raising=False)
    monkeypatch.setattr(distillation, "held_out_answers", lambda *_args, **_more: logits_for(0.9))
    monkeypatch.setattr(
        distillation, "nested_answers", lambda *_args, **_more: SoftAnswers(np.zeros((40, 5, 2), np.float32))
    )
    monkeypatch.setattr(distillation, "run_head_trials", taught)
    w.run()
    stages = list(dict.fromkeys(w.stages))
    between = [Stage.DISTILLATION] if is_between else []
    assert stages[: 2 + len(between)] == [Stage.HEADS, *between, Stage.FINE_TUNING]
    assert not is_between or w.search.distilled is not None
    assert w.budget.elapsed_s <= 900 - 20 + STEP_S


def offered(student: dict[str, Any], best: dict[str, Any], objective: Objective = Objective()) -> bool:  # noqa: B008
    """Whether a student takes the place of the best model."""
    models = BestModels(Scorer(TARGETS, objective))
    models.offer(candidate(0, **best))
    models.offer(replace(candidate(1, **student), stage=Stage.DISTILLATION))
    assert models.best is not None
    return models.best.number == 1


def test_a_student_wins_on_evidence_only() -> None:
    assert not offered({"score": 0.825}, {"score": 0.8})  # one photo of 40
    assert offered({"score": 1.0}, {"score": 0.7})
    assert not offered({"score": 0.7}, {"score": 1.0})


def test_a_student_wins_where_nothing_else_keeps_the_limits() -> None:
    within = Objective(max_model_bytes=5e6)
    assert offered({"score": 0.7, "n_bytes": 4_000_000}, {"score": 0.8}, within)
    assert not offered({"score": 1.0, "n_bytes": 9_000_000}, {"score": 0.7, "n_bytes": 4_000_000}, within)
