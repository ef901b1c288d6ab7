"""Intervals, by hand and against scikit-learn and SciPy."""

import time
from dataclasses import asdict

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from automl.evaluation.intervals import (
    bootstrap_intervals,
    class_scores,
    clustered_interval,
    difference_interval,
    effective_number,
    wilson_interval,
)
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


def in_clips(n_clips: int, n_frames: int) -> np.ndarray:
    return np.repeat(np.arange(n_clips), n_frames)


def test_photos_that_are_alone_have_the_interval_that_they_always_had():
    truth, predicted, losses = answers(60, 3)
    alone = np.arange(60)
    assert clustered_interval(truth == predicted, alone) == wilson_interval((truth == predicted).sum(), 60)
    figures = bootstrap_intervals(truth, predicted, losses, n_classes=3, clusters=alone)
    assert figures == bootstrap_intervals(truth, predicted, losses, n_classes=3)


def test_where_all_answers_are_right_clips_are_counted():
    is_right = np.ones(60, bool)
    assert clustered_interval(is_right, in_clips(6, 10)) == wilson_interval(6, 6)
    assert effective_number(~is_right, in_clips(6, 10)) == 6


def test_clips_that_are_right_or_wrong_as_a_whole_count_as_one_photo_each_or_less():
    is_right = np.repeat(np.arange(100) % 5 > 0, 10)
    assert effective_number(is_right, in_clips(100, 10)) == pytest.approx(100, rel=0.1)
    assert effective_number(is_right[:100], in_clips(10, 10)) < 10


def test_frames_that_have_nothing_in_common_count_for_themselves_where_clips_are_many():
    is_right = np.random.default_rng(0).random(4000) < 0.8
    assert effective_number(is_right, in_clips(400, 10)) > 2500


def test_few_clips_that_are_all_alike_by_luck_promise_little():
    """Nine of ten frames are right in each of four clips: that may be luck, and is no 36 of 40."""
    is_right = np.tile(np.arange(10) > 0, 4)
    low, high = clustered_interval(is_right, in_clips(4, 10))
    assert low < 0.5 and high > 0.95
    assert effective_number(is_right, in_clips(1, 40)) == 1


@pytest.mark.parametrize("n_clips", [4, 8, 20])
@pytest.mark.parametrize("figure", ["accuracy", "balanced_accuracy", "macro_f1"])
def test_the_interval_holds_the_truth_where_clips_differ(n_clips, figure):
    """Each clip has a difficulty of its own; the mean over all clips is 0.8 for either class."""
    n_held, n_frames = 0, 10
    for seed in range(60):
        random = np.random.default_rng(seed)
        truth = np.repeat(np.arange(n_clips) % 2, n_frames)
        is_right = random.random(n_clips * n_frames) < np.repeat(random.beta(1.6, 0.4, n_clips), n_frames)
        clusters = in_clips(n_clips, n_frames)
        if figure == "accuracy":
            low, high = clustered_interval(is_right, clusters)
        else:
            predicted, losses = np.where(is_right, truth, 1 - truth), np.ones(len(truth))
            found = bootstrap_intervals(truth, predicted, losses, n_classes=2, clusters=clusters, seed=seed)
            low, high = getattr(found, figure)
        n_held += low <= 0.8 <= high
    assert n_held >= 55


def test_the_mean_loss_is_less_sure_where_clips_are_few():
    random = np.random.default_rng(0)
    losses, clusters = np.repeat(random.exponential(0.5, 8), 10), in_clips(8, 10)
    truth = np.arange(80) % 2
    low, high = bootstrap_intervals(truth, 1 - truth, losses, n_classes=2, clusters=clusters).log_loss
    alone = bootstrap_intervals(truth, 1 - truth, losses, n_classes=2).log_loss
    assert high - low > 2 * (alone[1] - alone[0])


def test_the_interval_of_a_difference_holds_the_truth():
    random = np.random.default_rng(0)
    n, truth, n_held = 100, 0.05, 0
    for _ in range(400):
        gains = random.choice([1.0, -1.0, 0.0], n, p=[0.1, 0.05, 0.85])
        low, high = difference_interval(gains, np.arange(n))
        n_held += low <= truth <= high
    assert 0.93 <= n_held / 400 <= 0.99


def test_models_that_agree_on_every_photo_may_still_differ():
    low, high = difference_interval(np.zeros(50), np.arange(50))
    assert low == pytest.approx(-high) and 0.03 < high < 0.1


def test_the_interval_of_a_difference_counts_photos_of_a_clip_together():
    gains = np.repeat([1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0], 5)
    low, high = difference_interval(gains, np.arange(len(gains)))
    clip_low, clip_high = difference_interval(gains, np.repeat(np.arange(8), 5))
    assert clip_high - clip_low > 1.5 * (high - low)
