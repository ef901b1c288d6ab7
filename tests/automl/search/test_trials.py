"""Trials are run, recorded and reported; losers are ended, and backbones that fail are given up."""

import numpy as np
import pytest

from automl.errors import HeadTooLarge, TrialFailed
from automl.records import PrunerKind, RunSettings, Stage, TrialRecord, TrialState
from automl.search.budget import Budget, SearchOver
from automl.search.objective import Objective
from automl.search.trial_run import PlannedTrial
from tests.automl.search.fakes import (
    N_ROWS,
    V1,
    V2,
    Clock,
    RecordingTrials,
    branch_head,
    candidate,
    context_of,
    logits_for,
)

HALF = range(N_ROWS // 2)


def trials_of(settings=None, budget=None, objective=None, earlier=()) -> RecordingTrials:
    return RecordingTrials(context_of(settings, budget, objective), earlier)


def planned(*backbones, stage=Stage.HEADS) -> PlannedTrial:
    names = backbones or (V2,)
    return PlannedTrial(stage=stage, params={"backbones": "+".join(names)}, backbones=names, image_size_px=224)


def giving(score, n_epochs=1, **changes):
    """A training that reports `score` after each epoch and gives a candidate with it."""

    def train(trial):
        for epoch in range(1, n_epochs + 1):
            trial.on_epoch(epoch, logits_for(score))
        return candidate(trial.number, score, **changes)

    return train


def failing(message="not enough memory"):
    def train(trial):
        raise TrialFailed(message)

    return train


def test_a_trial_is_recorded_with_what_it_cost_and_reported():
    trials = trials_of()
    record = trials.run(planned(), giving(0.8), max_epochs=10)
    assert trials.records == trials.observer.records == [record]
    assert (record.number, record.state, record.score, record.stage) == (0, TrialState.COMPLETE, 0.8, Stage.HEADS)
    assert (record.n_bytes, record.latency_s, record.image_size_px) == (9_000_000, 0.02, 224)


def test_after_each_trial_the_best_so_far_is_reported_and_packed():
    trials = trials_of()
    for score in (0.5, 0.4, 0.6, 0.7):
        trials.run(planned(), giving(score), max_epochs=10)
    assert [best.number for best in trials.observer.bests] == [0, 0, 2, 3]
    assert [best.number for best in trials.packer.offered] == [0, 0, 2, 3]


def test_numbers_and_seeds_go_on_from_an_earlier_planned():
    earlier = [
        TrialRecord(
            number=n,
            state=TrialState.FAILED,
            backbones=(V2,),
            image_size_px=224,
            params={},
            score=None,
            started_s=0.0,
            duration_s=1.0,
        )
        for n in range(3)
    ]
    seen = []

    def train(trial):
        seen.append((trial.number, trial.seed))
        return candidate(trial.number)

    trials = trials_of(RunSettings(seed=10), earlier=earlier)
    assert trials.run(planned(), train, max_epochs=10).number == 3
    assert seen == [(3, 13)]
    assert trials.n_trials == 4


def test_a_failed_trial_is_recorded_with_its_reason():
    trials = trials_of()
    record = trials.run(planned(), failing(), max_epochs=10)
    assert (record.state, record.message, record.score) == (TrialState.FAILED, "TrialFailed: not enough memory", None)
    assert trials.models.best is None and not trials.packer.offered


def test_any_error_of_a_trial_is_a_failed_trial_and_its_trace_is_logged(log):
    def train(trial):
        raise ZeroDivisionError("oh")

    assert trials_of().run(planned(), train, max_epochs=10).message == "ZeroDivisionError: oh"
    assert [(entry["event"], type(entry["exc_info"])) for entry in log] == [("trial failed", ZeroDivisionError)]


def test_three_failures_in_a_row_retire_a_backbone():
    trials = trials_of()
    for _ in range(3):
        assert not trials.retired
        trials.run(planned(V1), failing(), max_epochs=10)
    assert trials.retired == {V1}
    trials.run(planned(V1), failing(), max_epochs=10)
    assert len(trials.observer.notes) == 1 and "not enough memory" in trials.observer.notes[0]


def test_a_success_in_between_keeps_a_backbone():
    trials = trials_of()
    for train in (failing(), failing(), giving(0.5), failing(), failing()):
        trials.run(planned(), train, max_epochs=10)
    assert not trials.retired


def test_the_failures_of_a_fusion_count_for_each_of_its_backbones():
    trials = trials_of()
    trials.run(planned(V1), failing(), max_epochs=10)
    trials.run(planned(V1, V2), failing(), max_epochs=10)
    trials.run(planned(V2), giving(0.5), max_epochs=10)
    trials.run(planned(V1, V2), failing(), max_epochs=10)
    assert trials.retired == {V1}


def test_a_losing_trial_is_ended_and_is_no_failure():
    trials = trials_of(RunSettings(pruner=PrunerKind.MEDIAN))
    for _ in range(10):
        trials.run(planned(), giving(0.9, n_epochs=20), max_epochs=20)
    for _ in range(3):
        record = trials.run(planned(), giving(0.1, n_epochs=20), max_epochs=20)
        assert (record.state, record.score) == (TrialState.PRUNED, None)
    assert "behind the others" in record.message
    assert not trials.retired and trials.models.best.score == 0.9


@pytest.mark.parametrize("changed", [{"stage": Stage.FINE_TUNING}, {"max_epochs": 19}])
def test_trials_are_compared_with_those_of_their_stage_and_fidelity_only(changed):
    trials = trials_of()
    for _ in range(10):
        trials.run(planned(), giving(0.9, n_epochs=19), max_epochs=20)
    stage, max_epochs = changed.get("stage", Stage.HEADS), changed.get("max_epochs", 20)
    loser = giving(0.1, n_epochs=19, stage=stage)
    assert trials.run(planned(stage=stage), loser, max_epochs=max_epochs).state is TrialState.COMPLETE


def test_without_a_pruner_losers_train_to_their_end():
    trials = trials_of(RunSettings(pruner=PrunerKind.NONE))
    for score in [0.9] * 10 + [0.1]:
        assert trials.run(planned(), giving(score, n_epochs=20), max_epochs=20).state is TrialState.COMPLETE


def test_a_trial_that_takes_too_long_is_given_up_but_not_the_first():
    clock = Clock()
    trials = trials_of(budget=Budget(600, clock=clock))

    def slow(trial):
        clock.now += 11
        trial.on_epoch(1, logits_for(0.5))
        return candidate(trial.number)

    states = [trials.run(planned(), slow, max_epochs=10, max_s=10).state for _ in range(2)]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED]
    assert "too long" in trials.records[1].message


def test_when_time_is_up_a_trial_ends_and_leaves_no_record():
    clock = Clock()
    trials = trials_of(budget=Budget(600, clock=clock))
    trials.run(planned(), giving(0.5), max_epochs=10)
    clock.now += 600
    with pytest.raises(SearchOver):
        trials.run(planned(), giving(0.9), max_epochs=10)
    assert len(trials.records) == 1 and trials.models.best.number == 0


def test_neither_clock_nor_limit_nor_stop_ends_a_trial_as_long_as_there_is_no_model():
    clock = Clock()
    budget = Budget(600, used_s=900, clock=clock)
    budget.stop()
    trials = trials_of(RunSettings(max_trials=1), budget)
    trials.run(planned(), failing(), max_epochs=10)
    assert trials.run(planned(), giving(0.5), max_epochs=10).state is TrialState.COMPLETE


def test_the_trial_limit_counts_trainings_and_no_ensembles():
    trials = trials_of(RunSettings(max_trials=2))
    trials.run(planned(), giving(0.5), max_epochs=10)
    trials.record_ensemble(candidate(1, 0.6, stage=Stage.ENSEMBLE), started_s=0.0)
    assert not trials.is_at_limit
    trials.run(planned(), giving(0.5), max_epochs=10)
    assert trials.is_at_limit and len(trials.records) == 3
    with pytest.raises(SearchOver):
        trials.run(planned(), giving(0.9), max_epochs=10)


def test_a_disallowed_model_is_best_only_until_an_allowed_one_is_there():
    trials = trials_of(objective=Objective(max_model_bytes=10))
    bests = []
    for score, n_bytes in ((0.9, 11), (0.5, 10), (0.99, 12)):
        trials.run(planned(), giving(score, n_bytes=n_bytes), max_epochs=10)
        bests.append(trials.models.best.number)
    assert bests == [0, 1, 1]


def test_a_restored_model_is_known_but_not_recorded_again():
    earlier = [
        TrialRecord(
            number=0,
            state=TrialState.COMPLETE,
            backbones=(V2,),
            image_size_px=224,
            params={},
            score=0.8,
            started_s=0.0,
            duration_s=1.0,
        )
    ]
    trials = trials_of(earlier=earlier)
    trials.restore(candidate(0, 0.8))
    assert trials.records == earlier and not trials.observer.records
    assert trials.models.best.number == trials.models.best_head.number == 0
    assert trials.packer.offered == [trials.models.best] and len(trials.models.starts) == 1


def test_linear_heads_on_single_backbones_are_where_fine_tuning_starts():
    trials = trials_of()
    for score in (0.6, 0.7, 0.65):
        trials.run(planned(), giving(score), max_epochs=10)
    trials.run(planned(), giving(0.9, heads=(branch_head(n_layers=2),)), max_epochs=10)
    fused = branch_head(*branch_head().branches, *branch_head().branches)
    trials.run(planned(V2, V1), giving(0.95, heads=(fused,)), max_epochs=10)
    assert [start.number for start in trials.models.starts] == [1]
    assert trials.models.best_head.number == 4


def test_best_of_stage_1_is_kept_beside_the_best_of_all():
    trials = trials_of()
    trials.run(planned(), giving(0.8), max_epochs=10)
    trials.run(planned(stage=Stage.FINE_TUNING), giving(0.9, stage=Stage.FINE_TUNING), max_epochs=10)
    assert (trials.models.best_head.number, trials.models.best.number) == (0, 1)


def test_a_gain_is_a_higher_goal_on_the_same_photos_and_not_a_smaller_model():
    trials = trials_of()
    trials.run(planned(), giving(0.8), max_epochs=10)
    trials.run(planned(), giving(0.8, n_bytes=1), max_epochs=10)
    assert (trials.models.best.number, trials.last_gain) == (1, 1)
    trials.run(planned(), giving(0.85), max_epochs=10)
    assert trials.last_gain == 3


def test_a_better_answer_on_a_harder_part_is_a_gain():
    trials = trials_of()
    mostly_right = candidate(0, 0.5)  # every mistake lies in the second half
    trials.run(planned(), lambda *_: mostly_right, max_epochs=10)
    harder = [*range(20, 40)]
    trials.run(planned(), giving(0.4, rows=harder), max_epochs=10)
    assert trials.models.best.number == 1 and trials.models.best.score < mostly_right.score
    assert trials.last_gain == 2


@pytest.mark.parametrize(("margin", "perfect"), [(9.0, True), (1.0, False)])
def test_perfect_is_right_and_sure(margin, perfect):
    trials = trials_of()
    trials.run(planned(), giving(1.0, margin=margin), max_epochs=10)
    assert trials.models.is_perfect is perfect


def test_the_longest_trial_is_remembered_by_stage_and_the_first_of_an_attempt_does_not_count():
    clock = Clock()
    earlier = [
        TrialRecord(
            number=0,
            state=TrialState.COMPLETE,
            backbones=(V2,),
            image_size_px=224,
            params={},
            score=0.8,
            started_s=0.0,
            duration_s=1.0,
        )
    ]
    trials = trials_of(budget=Budget(600, clock=clock), earlier=earlier)

    def taking(seconds):
        def train(trial):
            clock.now += seconds
            return candidate(trial.number)

        return train

    longest, usual = [], []
    for seconds in (50, 4, 2, 1):
        trials.run(planned(), taking(seconds), max_epochs=10)
        longest.append(trials.longest_s(Stage.HEADS))
        usual.append(trials.usual_s(Stage.HEADS))
    assert longest == pytest.approx([0, 4, 3.6, 3.24])
    assert usual == pytest.approx([0, 4, 3, 2])
    assert trials.longest_s(Stage.FINE_TUNING) == trials.usual_s(Stage.FINE_TUNING) == 0


def test_trials_of_one_pass_share_its_seconds_and_the_next_pass_is_foreseen_to_take_as_long():
    """Each record with the whole pass would make the search believe that heads cost many times what they do."""
    clock = Clock()
    trials = trials_of(budget=Budget(600, clock=clock))
    trials.run(planned(), giving(0.5), max_epochs=10)
    clock.now += 1

    def train(controls):
        clock.now += 12
        return [giving(0.6)(one) for one in controls]

    began_s = trials._budget.elapsed_s
    records = trials.run_together([planned()] * 4, train, max_epochs=[10] * 4, max_s=60)
    assert [record.duration_s for record in records] == pytest.approx([3] * 4)
    assert [record.started_s - began_s for record in records] == pytest.approx([0, 3, 6, 9])
    assert trials.longest_s(Stage.HEADS) == pytest.approx(12)


def test_training_again_replaces_the_best_only():
    trials = trials_of()
    trials.run(planned(), giving(0.5), max_epochs=10)
    trials.run(planned(), giving(0.8), max_epochs=10)
    again, other = candidate(1, 0.8), candidate(0, 0.99)
    trials.replace(again)
    trials.replace(other)
    assert trials.models.best is again


def test_a_head_that_loses_to_a_head_is_not_best_by_its_luck_on_few_photos():
    trials = trials_of()
    trials.run(planned(), giving(0.9), max_epochs=10)
    few = np.arange(4)
    trials.run(
        planned(stage=Stage.FINE_TUNING), giving(0.95, stage=Stage.FINE_TUNING, rows=few, n_bytes=1), max_epochs=10
    )
    trials.run(planned(), giving(0.6), max_epochs=10)
    assert trials.models.best_head.number == 0
    assert trials.models.best.number != 2


def test_what_does_not_fit_into_memory_is_not_its_backbones_fault():
    def too_large(trial):
        raise HeadTooLarge("12 GB")

    trials = trials_of()
    records = [trials.run(planned(), too_large, max_epochs=10) for _ in range(4)]
    assert {record.state for record in records} == {TrialState.PRUNED}
    assert not trials.retired


def test_a_slow_first_trial_is_asked_for_what_it_has():
    asked, clock = [], Clock()

    def slow(trial):
        clock.now += 1000
        asked.append(trial.on_step())
        return candidate(trial.number)

    trials = trials_of(budget=Budget(600, clock=clock))
    trials.run(planned(), slow, max_epochs=10)
    assert asked == [True]
    assert trials.models.best is not None


def test_a_trial_is_reported_when_it_begins_and_a_fine_tuning_after_each_epoch():
    trials = trials_of()
    trials.run(planned(V2), giving(0.8), max_epochs=12)
    for stage in (Stage.HEADS, Stage.FINE_TUNING):
        trials.run(planned(V2, stage=stage), giving(0.8, n_epochs=3), max_epochs=12)
    observer = trials.observer
    assert [record.number for record in observer.tried] == [0, 1, 2]
    assert {(record.state, record.score) for record in observer.tried} == {(TrialState.RUNNING, None)}
    assert [number for number, _, _ in observer.epochs] == [1, 2, 3]
