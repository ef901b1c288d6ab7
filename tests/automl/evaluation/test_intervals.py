"""Intervals, by hand and against scikit-learn and SciPy."""

import time
from dataclasses import asdict

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from automl.evaluation.intervals import bootstrap_intervals, class_scores, wilson_interval
from automl.records.report import ScoreIntervals


def answers(n_images: int, n_classes: int, share_right: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, answers and losses."""
    random = np.random.default_rng(3)
    truth, other = random.integers(n_classes, size=(2, n_images))
    predicted = np.where(random.random(n_images) < share_right, truth, other)
    return truth, predicted, random.exponential(0.5, n_images)


def test_wilson_interval_by_hand():
    low, high = wilson_interval(119, 128)
    assert (low, high) == (pytest.approx(0.8720, abs=1e-3), pytest.approx(0.9624, abs=1e-3))


def test_wilson_interval_is_that_of_scipy():
    expected = stats.binomtest(118, 128).proportion_ci(method="wilson")
    assert wilson_interval(118, 128) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("n_correct", [0, 1, 2, 3])
def test_wilson_interval_stays_within_0_and_1(n_correct):
    low, high = wilson_interval(n_correct, 3)
    assert 0 <= low < high <= 1


def test_wilson_interval_of_all_or_none_has_exact_ends_for_every_number_of_photos():
    assert {wilson_interval(n, n)[1] for n in range(1, 501)} == {1.0}
    assert {wilson_interval(0, n)[0] for n in range(1, 501)} == {0.0}
    assert all(
        0 < low < high < 1 for n in range(2, 501) for low, high in (wilson_interval(1, n), wilson_interval(n - 1, n))
    )


def test_class_scores_of_counts_are_those_of_scikit_learn():
    truth, predicted, _ = answers(200, 4)
    n_right = np.bincount(truth[truth == predicted], minlength=4)
    recall, f1 = class_scores(np.bincount(truth, minlength=4), np.bincount(predicted, minlength=4), n_right)
    assert recall == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
    assert f1 == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))


def test_the_bootstrap_agrees_with_a_plain_loop_over_definitions():
    truth, predicted, losses = answers(150, 3)
    random, sets = np.random.default_rng(9), []
    for _ in range(1000):
        rows = random.integers(150, size=150)
        own, said = truth[rows], predicted[rows]
        recalls = [(said[own == label] == label).mean() for label in range(3)]
        precisions = [(own[said == label] == label).mean() for label in range(3)]
        f1 = [2 * r * p / (r + p) for r, p in zip(recalls, precisions, strict=True)]
        sets.append((np.mean(recalls), np.mean(f1), losses[rows].mean()))
    low, high = np.percentile(sets, (2.5, 97.5), axis=0)
    found = bootstrap_intervals(truth, predicted, losses, n_classes=3)
    ends = np.array([found.balanced_accuracy, found.macro_f1, found.log_loss])
    assert ends == pytest.approx(np.stack([low, high], axis=1), abs=0.02)  # 1,000 sets each: about 0.005 of noise


def test_the_mean_loss_has_the_interval_that_theory_gives():
    truth, predicted, losses = answers(4000, 2)
    low, high = bootstrap_intervals(truth, predicted, losses, n_classes=2).log_loss
    half = 1.96 * losses.std() / 4000**0.5
    assert (low, high) == (
        pytest.approx(losses.mean() - half, abs=0.002),
        pytest.approx(losses.mean() + half, abs=0.002),
    )


def test_one_seed_gives_one_answer_however_the_work_is_cut(monkeypatch):
    few = answers(50, 3)
    whole = bootstrap_intervals(*few, n_classes=3, seed=5)
    monkeypatch.setattr("automl.evaluation.intervals._DRAWS_AT_ONCE", 49)  # one set at once
    assert bootstrap_intervals(*few, n_classes=3, seed=5) == whole != bootstrap_intervals(*few, n_classes=3, seed=6)


def test_a_perfect_score_on_a_few_photos_promises_no_perfection():
    truth = np.array([0, 1] * 10)
    found = bootstrap_intervals(truth, truth, np.full(20, 0.1), n_classes=2)
    assert found.balanced_accuracy == found.macro_f1 == wilson_interval(20, 20)
    assert found.log_loss == (pytest.approx(0.1), pytest.approx(0.1))


def test_5000_photos_of_100_classes_take_seconds_at_most():
    started = time.perf_counter()
    bootstrap_intervals(*answers(5000, 100), n_classes=100)
    assert time.perf_counter() - started < 5  # 0.2 s where nothing else runs


def test_they_survive_json():
    found = asdict(bootstrap_intervals(*answers(30, 3), n_classes=3))
    report = ScoreIntervals.model_validate(found)
    assert ScoreIntervals.model_validate_json(report.json_text()) == report
    assert report.model_dump() == found
