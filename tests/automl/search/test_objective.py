"""One figure to maximise, under limits, and the trials that are best for their size."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from automl.records import Goal, RunSettings, Stage, TrialRecord, TrialState
from automl.search.costs import ModelCost
from automl.search.objective import Objective, choose_goal, objective_of, pareto_front

LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 3])
PREDICTED = np.array([0, 0, 0, 0, 0, 1, 1, 0, 3])


def record(number, score, n_bytes, latency_s=0.01, state=TrialState.COMPLETE) -> TrialRecord:
    return TrialRecord(
        number=number,
        state=state,
        backbones=("a",),
        image_size_px=224,
        params={},
        score=score,
        started_s=0.0,
        duration_s=1.0,
        n_bytes=n_bytes,
        latency_s=latency_s,
    )


def front(*points: TrialRecord) -> list[int]:
    return [point.number for point in pareto_front(points)]


def test_accuracy_is_the_share_of_right_answers():
    assert Objective().score(LABELS, PREDICTED, 4) == pytest.approx(7 / 9)


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_are_there():
    score = Objective(Goal.BALANCED_ACCURACY).score(LABELS, PREDICTED, 4)
    assert score == pytest.approx((5 / 6 + 1 / 2 + 1) / 3)
    assert score == pytest.approx(balanced_accuracy_score(LABELS, PREDICTED))


def test_always_naming_the_largest_class_gains_nothing_in_balanced_accuracy():
    labels = np.array([0] * 30 + [1])
    always = np.zeros(31, int)
    assert Objective(Goal.BALANCED_ACCURACY).score(labels, always, 2) == 0.5
    assert Objective().score(labels, always, 2) > 0.9


@pytest.mark.parametrize(
    ("n_bytes", "latency_s", "allowed"), [(4e6, 0.02, True), (4e6 + 1, 0.02, False), (4e6, 0.021, False)]
)
def test_limits_include_their_own_value(n_bytes, latency_s, allowed):
    assert Objective(max_model_bytes=4e6, max_latency_s=0.02).allows(ModelCost(n_bytes, latency_s)) is allowed


def test_without_limits_everything_is_allowed():
    assert Objective().allows(ModelCost(10**12, 60.0))


@pytest.mark.parametrize(
    ("counts", "goal"), [((10, 30), "balanced_accuracy"), ((10, 29), "accuracy"), ((7,), "accuracy")]
)
def test_balanced_accuracy_is_proposed_from_three_to_one(counts, goal):
    assert choose_goal(np.repeat(np.arange(len(counts)) * 2, counts)) == Goal(goal)


def test_the_users_goal_and_limits_count():
    unbalanced = np.array([0] * 9 + [1])
    settings = RunSettings(goal=Goal.ACCURACY, max_model_mb=10, max_latency_ms=50)
    assert objective_of(settings, unbalanced) == Objective(Goal.ACCURACY, 10_000_000, 0.05)
    assert objective_of(RunSettings(), unbalanced) == Objective(Goal.BALANCED_ACCURACY)


def test_a_larger_model_is_on_the_front_only_where_it_scores_higher():
    assert front(record(0, 0.9, 10), record(1, 0.95, 20), record(2, 0.93, 30), record(3, 0.8, 5)) == [3, 0, 1]


def test_a_slower_but_smaller_model_is_on_the_front():
    assert front(record(0, 0.9, 10, 0.02), record(1, 0.9, 20, 0.01), record(2, 0.9, 20, 0.02)) == [0, 1]


def test_of_equals_the_earliest_stays():
    assert front(record(1, 0.9, 10), record(0, 0.9, 10)) == [0]


def test_what_reads_the_same_is_no_choice():
    """Figures of a real run: "75.6 %, 8.9 MB, 36 ms" is not best for its size beside "82.5 %, 8.9 MB, 36 ms"."""
    small, better = record(0, 0.756, 8_912_022, 0.0361), record(1, 0.825, 8_937_366, 0.0358)
    assert front(small, better) == front(better, small) == [1]
    assert front(better, record(2, 0.8, 8_712_000, 0.0358)) == [2, 1]  # 8.7 MB
    assert front(better, record(2, 0.8, 8_937_366, 0.0341)) == [1, 2]  # 34 ms
    assert front(better, record(2, 0.82504, 17_900_000, 0.0358)) == [1]  # 82.5 %, and twice as large
    assert front(record(3, 1.0, 9_000_000), record(4, 0.9999, 8_000_000)) == [4, 3]  # the one with no mistake


def test_of_equals_the_delivered_one_stays():
    equals = record(0, 0.9, 10), record(1, 0.9, 10)
    assert [point.number for point in pareto_front(equals, preferred=1)] == [1]
    assert front(*equals, record(2, 0.95, 10)) == [2]
    assert [point.number for point in pareto_front([*equals, record(2, 0.95, 10)], preferred=1)] == [2]


def test_unfinished_and_unmeasured_trials_are_not_compared():
    pruned = record(1, None, 5, state=TrialState.PRUNED)
    assert front(record(0, 0.9, 10), pruned, record(2, 0.99, 0)) == [0]
    assert front(record(0, 0.9, 10, latency_s=0.0), record(1, 0.9, 10, latency_s=0.5)) == [1]
    assert front() == []


def test_scores_of_other_photos_are_not_compared():
    tuned = replace(record(1, 0.99, 5), stage=Stage.FINE_TUNING)
    assert front(record(0, 0.9, 10), tuned) == [0]


def test_the_front_is_what_comparing_every_pair_gives():
    rng = np.random.default_rng(0)
    points = [record(n, *map(float, rng.integers(1, 6, 3))) for n in range(60)]

    def figures(point: TrialRecord) -> np.ndarray:
        return np.array([point.score, -point.n_bytes, -point.latency_s])

    def is_beaten(point: TrialRecord) -> bool:
        mine = figures(point)
        return any((figures(o) >= mine).all() and (figures(o) > mine).any() for o in points)

    expected = {tuple(figures(point)) for point in points if not is_beaten(point)}
    found = pareto_front(points)
    assert {tuple(figures(point)) for point in found} == expected
    assert len(found) == len(expected)
