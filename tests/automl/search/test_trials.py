"""Trials are run, recorded and told; losers are ended, and backbones that fail are given up."""

import numpy as np
import pytest

from automl.errors import HeadTooLarge, TrialFailed
from automl.records import PrunerKind, RunSettings, Stage, TrialRecord, TrialState
from automl.search.budget import Budget, SearchOver
from automl.search.objective import Objective
from automl.search.trials import Attempt
from tests.automl.search.fakes import N_ROWS, V1, V2, Clock, book, candidate, logits_for, member

HALF = range(N_ROWS // 2)


def attempt(*backbones, stage=Stage.HEADS) -> Attempt:
    return Attempt(stage, {"backbones": "+".join(backbones or (V2,))}, backbones or (V2,), 224)


def giving(score, n_epochs=1, **changes):
    """A training that reports `score` after each epoch and gives a candidate with it."""

    def train(number, seed, on_epoch, on_step):
        for epoch in range(1, n_epochs + 1):
            on_epoch(epoch, logits_for(score))
        return candidate(number, score, **changes)

    return train


def failing(message="not enough memory"):
    def train(number, seed, on_epoch, on_step):
        raise TrialFailed(message)

    return train


def test_a_trial_is_recorded_with_what_it_cost_and_told():
    trials = book()
    record = trials.run(attempt(), giving(0.8), 10)
    assert trials.records == trials.observer.records == [record]
    assert (record.number, record.state, record.score, record.stage) == (0, TrialState.COMPLETE, 0.8, Stage.HEADS)
    assert (record.n_bytes, record.latency_s, record.image_size_px) == (9_000_000, 0.02, 224)


def test_after_each_trial_the_best_so_far_is_told_and_packed():
    trials = book()
    for score in (0.5, 0.4, 0.6, 0.7):
        trials.run(attempt(), giving(score), 10)
    assert [best.number for best in trials.observer.bests] == [0, 0, 2, 3]
    assert [best.number for best in trials._ending.offered] == [0, 0, 2, 3]


def test_of_few_photos_the_best_linear_heads_are_kept_best_first(monkeypatch):
    trials = book()
    for score in (0.5, 0.9, 0.7):
        trials.run(attempt(), giving(score), 10)
    trials.run(attempt(), giving(1.0, members=(member(n_layers=2),)), 10)
    assert [head.number for head in trials.good_heads] == [1, 2, 0]
    assert all(head.fold_layers == () for head in trials.good_heads)
    monkeypatch.setattr("automl.search.trials._MOST_GOOD_HEADS", 2)
    trials.run(attempt(), giving(0.8), 10)
    assert [head.number for head in trials.good_heads] == [1, 4]
    monkeypatch.setattr("automl.search.trials.MOST_AVERAGED_PHOTOS", N_ROWS - 1)
    many = book()
    many.run(attempt(), giving(0.8), 10)
    assert many.good_heads == []


def test_a_mean_takes_the_place_of_its_head_whatever_its_score_and_of_a_better_model_only_if_it_is_better():
    trials = book()
    for score in (0.8, 0.9):
        trials.run(attempt(), giving(score), 10)
    mean = candidate(1, 0.875)
    trials.steady(mean)
    assert trials.best is mean and trials.best_head is mean
    trials.run(attempt(stage=Stage.FINE_TUNING), giving(0.95, stage=Stage.FINE_TUNING), 10)
    tuned = trials.best
    trials.steady(candidate(1, 0.925))
    assert trials.best is tuned and trials.best_head.score == 0.925
    better = candidate(1, 0.975)
    trials.steady(better)
    assert trials.best is better


def test_numbers_and_seeds_go_on_from_an_earlier_attempt():
    earlier = [TrialRecord(n, TrialState.FAILED, (V2,), 224, {}, None, 0.0, 1.0) for n in range(3)]
    seen = []

    def train(number, seed, on_epoch, on_step):
        seen.append((number, seed))
        return candidate(number)

    trials = book(RunSettings(seed=10), earlier=earlier)
    assert trials.run(attempt(), train, 10).number == 3
    assert seen == [(3, 13)]
    assert trials.n_trials == 4


def test_a_failed_trial_is_recorded_with_its_reason():
    trials = book()
    record = trials.run(attempt(), failing(), 10)
    assert (record.state, record.message, record.score) == (TrialState.FAILED, "TrialFailed: not enough memory", None)
    assert trials.best is None and not trials._ending.offered


def test_any_error_of_a_trial_is_a_failed_trial_and_its_trace_is_logged(log):
    def train(number, seed, on_epoch, on_step):
        raise ZeroDivisionError("oh")

    assert book().run(attempt(), train, 10).message == "ZeroDivisionError: oh"
    assert [(entry["event"], entry["exc_info"]) for entry in log] == [("trial failed", True)]


def test_three_failures_in_a_row_retire_a_backbone():
    trials = book()
    for _ in range(3):
        assert not trials.retired
        trials.run(attempt(V1), failing(), 10)
    assert trials.retired == {V1}
    trials.run(attempt(V1), failing(), 10)
    assert len(trials.observer.notes) == 1 and "not enough memory" in trials.observer.notes[0]


def test_a_success_in_between_keeps_a_backbone():
    trials = book()
    for train in (failing(), failing(), giving(0.5), failing(), failing()):
        trials.run(attempt(), train, 10)
    assert not trials.retired


def test_the_failures_of_a_fusion_count_for_each_of_its_backbones():
    trials = book()
    trials.run(attempt(V1), failing(), 10)
    trials.run(attempt(V1, V2), failing(), 10)
    trials.run(attempt(V2), giving(0.5), 10)
    trials.run(attempt(V1, V2), failing(), 10)
    assert trials.retired == {V1}


def test_a_losing_trial_is_ended_and_is_no_failure():
    trials = book(RunSettings(pruner=PrunerKind.MEDIAN))
    for _ in range(10):
        trials.run(attempt(), giving(0.9, n_epochs=20), 20)
    for _ in range(3):
        record = trials.run(attempt(), giving(0.1, n_epochs=20), 20)
        assert (record.state, record.score) == (TrialState.PRUNED, None)
    assert "behind the others" in record.message
    assert not trials.retired and trials.best.score == 0.9


@pytest.mark.parametrize("changed", [{"stage": Stage.FINE_TUNING}, {"max_epochs": 19}])
def test_trials_are_compared_with_those_of_their_stage_and_fidelity_only(changed):
    trials = book()
    for _ in range(10):
        trials.run(attempt(), giving(0.9, n_epochs=19), 20)
    stage, max_epochs = changed.get("stage", Stage.HEADS), changed.get("max_epochs", 20)
    loser = giving(0.1, n_epochs=19, stage=stage)
    assert trials.run(attempt(stage=stage), loser, max_epochs).state is TrialState.COMPLETE


def test_without_a_pruner_losers_train_to_their_end():
    trials = book(RunSettings(pruner=PrunerKind.NONE))
    for score in [0.9] * 10 + [0.1]:
        assert trials.run(attempt(), giving(score, n_epochs=20), 20).state is TrialState.COMPLETE


def test_a_trial_that_takes_too_long_is_given_up_but_not_the_first():
    clock = Clock()
    trials = book(budget=Budget(600, clock=clock))

    def slow(number, seed, on_epoch, on_step):
        clock.now += 11
        on_epoch(1, logits_for(0.5))
        return candidate(number)

    states = [trials.run(attempt(), slow, 10, max_s=10).state for _ in range(2)]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED]
    assert "too long" in trials.records[1].message


def test_when_time_is_up_a_trial_ends_and_leaves_no_record():
    clock = Clock()
    trials = book(budget=Budget(600, clock=clock))
    trials.run(attempt(), giving(0.5), 10)
    clock.now += 600
    with pytest.raises(SearchOver):
        trials.run(attempt(), giving(0.9), 10)
    assert len(trials.records) == 1 and trials.best.number == 0


def test_neither_clock_nor_limit_nor_stop_ends_a_trial_as_long_as_there_is_no_model():
    clock = Clock()
    budget = Budget(600, used_s=900, clock=clock)
    budget.stop()
    trials = book(RunSettings(max_trials=1), budget)
    trials.run(attempt(), failing(), 10)
    assert trials.run(attempt(), giving(0.5), 10).state is TrialState.COMPLETE


def test_the_trial_limit_counts_trainings_and_no_blends():
    trials = book(RunSettings(max_trials=2))
    trials.run(attempt(), giving(0.5), 10)
    trials.add_blend(candidate(1, 0.6, stage=Stage.BLEND), 0.0)
    assert not trials.is_at_limit
    trials.run(attempt(), giving(0.5), 10)
    assert trials.is_at_limit and len(trials.records) == 3
    with pytest.raises(SearchOver):
        trials.run(attempt(), giving(0.9), 10)


def test_a_disallowed_model_is_best_only_until_an_allowed_one_is_there():
    trials = book(objective=Objective(max_model_bytes=10))
    bests = []
    for score, n_bytes in ((0.9, 11), (0.5, 10), (0.99, 12)):
        trials.run(attempt(), giving(score, n_bytes=n_bytes), 10)
        bests.append(trials.best.number)
    assert bests == [0, 1, 1]


def test_a_restored_model_is_known_but_not_recorded_again():
    earlier = [TrialRecord(0, TrialState.COMPLETE, (V2,), 224, {}, 0.8, 0.0, 1.0)]
    trials = book(earlier=earlier)
    trials.restore(candidate(0, 0.8))
    assert trials.records == earlier and not trials.observer.records
    assert trials.best.number == trials.best_head.number == 0
    assert trials._ending.offered == [trials.best] and len(trials.starts) == 1


def test_linear_heads_on_single_backbones_are_where_fine_tuning_starts():
    trials = book()
    for score in (0.6, 0.7, 0.65):
        trials.run(attempt(), giving(score), 10)
    trials.run(attempt(), giving(0.9, members=(member(n_layers=2),)), 10)
    fused = member(*member().branches, *member().branches)
    trials.run(attempt(V2, V1), giving(0.95, members=(fused,)), 10)
    assert [start.number for start in trials.starts] == [1]
    assert trials.best_head.number == 4


def test_best_of_stage_1_is_kept_beside_the_best_of_all():
    trials = book()
    trials.run(attempt(), giving(0.8), 10)
    trials.run(attempt(stage=Stage.FINE_TUNING), giving(0.9, stage=Stage.FINE_TUNING), 10)
    assert (trials.best_head.number, trials.best.number) == (0, 1)


def test_a_gain_is_a_higher_goal_on_the_same_photos_and_not_a_smaller_model():
    trials = book()
    trials.run(attempt(), giving(0.8), 10)
    trials.run(attempt(), giving(0.8, n_bytes=1), 10)
    assert (trials.best.number, trials.last_gain) == (1, 1)
    trials.run(attempt(), giving(0.85), 10)
    assert trials.last_gain == 3


def test_a_better_answer_on_a_harder_part_is_a_gain():
    trials = book()
    mostly_right = candidate(0, 0.5)  # every mistake lies in the second half
    trials.run(attempt(), lambda *_: mostly_right, 10)
    harder = [*range(20, 40)]
    trials.run(attempt(), giving(0.4, rows=harder), 10)
    assert trials.best.number == 1 and trials.best.score < mostly_right.score
    assert trials.last_gain == 2


@pytest.mark.parametrize(("margin", "perfect"), [(9.0, True), (1.0, False)])
def test_perfect_is_right_and_sure(margin, perfect):
    trials = book()
    trials.run(attempt(), giving(1.0, margin=margin), 10)
    assert trials.is_perfect is perfect


def test_the_longest_trial_is_remembered_by_stage_and_the_first_of_an_attempt_does_not_count():
    clock = Clock()
    earlier = [TrialRecord(0, TrialState.COMPLETE, (V2,), 224, {}, 0.8, 0.0, 1.0)]
    trials = book(budget=Budget(600, clock=clock), earlier=earlier)

    def taking(seconds):
        def train(number, seed, on_epoch, on_step):
            clock.now += seconds
            return candidate(number)

        return train

    longest = []
    for seconds in (50, 4, 2):
        trials.run(attempt(), taking(seconds), 10)
        longest.append(trials.longest_s(Stage.HEADS))
    assert longest == pytest.approx([0, 4, 3.6])
    assert trials.longest_s(Stage.FINE_TUNING) == 0


def test_training_again_replaces_the_best_only():
    trials = book()
    trials.run(attempt(), giving(0.5), 10)
    trials.run(attempt(), giving(0.8), 10)
    again, other = candidate(1, 0.8), candidate(0, 0.99)
    trials.replace(again)
    trials.replace(other)
    assert trials.best is again


def test_a_head_that_loses_to_a_head_is_not_best_by_its_luck_on_few_photos():
    trials = book()
    trials.run(attempt(), giving(0.9), 10)
    few = np.arange(4)
    trials.run(attempt(stage=Stage.FINE_TUNING), giving(0.95, stage=Stage.FINE_TUNING, rows=few, n_bytes=1), 10)
    trials.run(attempt(), giving(0.6), 10)
    assert trials.best_head.number == 0
    assert trials.best.number != 2


def test_what_does_not_fit_into_memory_is_not_its_backbones_fault():
    def too_large(number, seed, on_epoch, on_step):
        raise HeadTooLarge("12 GB")

    trials = book()
    records = [trials.run(attempt(), too_large, 10) for _ in range(4)]
    assert {record.state for record in records} == {TrialState.PRUNED}
    assert not trials.retired


def test_a_slow_first_trial_is_asked_for_what_it_has():
    asked, clock = [], Clock()

    def slow(number, seed, on_epoch, on_step):
        clock.now += 1000
        asked.append(on_step())
        return candidate(number)

    trials = book(budget=Budget(600, clock=clock))
    trials.run(attempt(), slow, 10)
    assert asked == [True]
    assert trials.best is not None


def test_a_trial_is_told_when_it_begins_and_a_fine_tuning_after_each_epoch():
    fixture = book()
    fixture.run(attempt(V2), giving(0.8), 12)
    for stage in (Stage.HEADS, Stage.FINE_TUNING):
        fixture.run(attempt(V2, stage=stage), giving(0.8, n_epochs=3), 12)
    observer = fixture.observer
    assert [record.number for record in observer.tried] == [0, 1, 2]
    assert {(record.state, record.score) for record in observer.tried} == {(TrialState.RUNNING, None)}
    assert [number for number, _, _ in observer.epochs] == [1, 2, 3]
