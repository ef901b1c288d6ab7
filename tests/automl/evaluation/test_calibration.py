"""Temperature, calibration error and threshold, by hand and against other people's minimisers."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from automl.evaluation.calibration import (
    Bin,
    Calibration,
    calibrate,
    calibrated,
    calibration_error,
    reliability_bins,
    sure_answers,
)
from automl.records.report import CalibrationReport
from automl.search.candidate import Branch, BranchHead
from tests.automl.evaluation.candidates import candidate


def two_classes(n_right: int, n_wrong: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits float64 (1, n, 2), all as sure of class 0, and labels."""
    logits = np.tile([gap, 0.0], (1, n_right + n_wrong, 1))
    return logits, np.repeat([0, 1], [n_right, n_wrong])


def graded(gaps: list[float], mistakes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Twenty answers for each gap between two logits, so many of which are wrong."""
    parts = [two_classes(20 - n_wrong, n_wrong, gap) for gap, n_wrong in zip(gaps, mistakes, strict=True)]
    return np.concatenate([one for one, _ in parts], axis=1), np.concatenate([own for _, own in parts])


def noisy(n_rows: int, n_classes: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that would be calibrated with `strength` 1."""
    random = np.random.default_rng(1)
    logits = random.normal(scale=2.0, size=(n_rows, n_classes))
    shares = softmax(logits, axis=1).cumsum(axis=1)
    labels = (random.random((n_rows, 1)) > shares).sum(axis=1).clip(max=n_classes - 1)
    return (strength * logits).astype(np.float32)[None], labels


def test_the_temperature_by_hand():
    """Of n answers k are right: the best probability is (k + 1/2) / (n + 1), one photo being imagined."""
    logits, labels = two_classes(8, 2, gap=5.0)
    wanted = 8.5 / 11
    assert calibrate(logits, labels).temperature == pytest.approx(5.0 / math.log(wanted / (1 - wanted)), rel=1e-5)


def test_the_temperature_is_that_of_a_plain_search_for_the_lowest_log_loss():
    logits, labels = noisy(3000, 5, strength=3.0)
    found = minimize_scalar(
        lambda t: log_loss(labels, softmax(logits[0] / t, axis=1)), bounds=(0.05, 20), method="bounded"
    )
    assert calibrate(logits, labels).temperature == pytest.approx(found.x, rel=0.005)


@pytest.mark.parametrize("strength", [0.3, 1.0, 3.0])
def test_the_strength_of_logits_is_found_again_and_the_error_falls(strength):
    logits, labels = noisy(20_000, 4, strength)
    result = calibrate(logits, labels)
    assert result.temperature == pytest.approx(strength, rel=0.05)
    assert result.ece_after < 0.02
    if strength != 1:
        assert result.ece_before > 5 * result.ece_after


def test_all_right_answers_do_not_make_it_sure_of_everything():
    result = calibrate(*two_classes(30, 0, gap=1.0))
    confidence = 1 / (1 + math.exp(-1.0 / result.temperature))
    assert confidence == pytest.approx(30.5 / 31, abs=1e-5)


def test_what_would_not_lower_the_loss_is_left_alone():
    """Thirty right answers say nothing against a probability of 0.9999."""
    result = calibrate(*two_classes(30, 0, gap=9.0))
    assert (result.temperature, result.ece_before) == (1.0, result.ece_after)


def test_answers_no_better_than_guesses_end_at_the_bound():
    assert calibrate(*two_classes(10, 30, gap=50.0)).temperature == pytest.approx(20.0, rel=1e-4)


def test_equal_logits_stay_as_they_are():
    result = calibrate(np.zeros((1, 40, 4)), np.arange(40) % 4)
    assert (result.temperature, result.threshold, result.coverage) == (1.0, None, 0.0)
    assert result.bins_after == (Bin(0.25, 0.25, 40),)


def test_photos_that_were_not_held_out_do_not_count():
    logits, labels = two_classes(8, 2, gap=5.0)
    more = np.concatenate([logits, np.full((1, 5, 2), np.nan)], axis=1)
    both = np.concatenate([more, np.full_like(more, np.nan)])
    assert calibrate(both, np.append(labels, [1] * 5)) == calibrate(logits, labels)


def test_where_nothing_was_held_out_nothing_is_claimed():
    result = calibrate(np.full((2, 3, 4), np.nan, np.float32), np.array([0, 1, 2]))
    assert result == Calibration(
        temperature=1.0,
        ece_before=None,
        ece_after=None,
        bins_before=(),
        bins_after=(),
        threshold=None,
        coverage=0.0,
        accuracy_when_sure=None,
    )


def test_a_large_set_is_done_in_parts_with_the_same_answer(monkeypatch):
    logits, labels = noisy(1000, 5, strength=2.0)
    whole = calibrate(logits, labels)
    monkeypatch.setattr("automl.search.confidence._CHUNK", 7)
    assert calibrate(logits, labels).temperature == pytest.approx(whole.temperature)


def test_bins_by_hand():
    bins = reliability_bins(np.array([1.0, 0.96, 0.5, 1 / 15, 0.0]), np.array([True, False, True, False, True]))
    assert bins == (Bin(pytest.approx(1 / 30), 0.5, 2), Bin(0.5, 1.0, 1), Bin(0.98, 0.5, 2))
    assert calibration_error(bins) == pytest.approx((2 * (0.5 - 1 / 30) + 0.5 + 2 * 0.48) / 5)


def test_bins_are_those_of_scikit_learn():
    random = np.random.default_rng(2)
    confidence = random.random(5000)
    is_right = random.random(5000) < confidence
    accuracy, mean = calibration_curve(is_right, confidence, n_bins=15)
    bins = reliability_bins(confidence, is_right)
    assert [one.accuracy for one in bins] == pytest.approx(accuracy.tolist())
    assert [one.confidence for one in bins] == pytest.approx(mean.tolist())


def test_the_threshold_by_hand():
    """Of 80 answers 66 are right; half of their mistakes would be 9 %, but 1 in 20 is the most: 38 of 40 are enough."""
    logits, labels = graded([4.0, 2.0, 1.0, 0.5], [0, 2, 3, 9])
    result = calibrate(logits, labels)
    confidence = 1 / (1 + math.exp(-1.0 / result.temperature))  # of the surest answers that do not count
    assert result.threshold == pytest.approx(math.floor(1000 * confidence + 1) / 1000)
    assert (result.coverage, result.accuracy_when_sure) == (0.5, pytest.approx(38 / 40))


def test_a_good_model_must_still_halve_its_mistakes():
    """98 % are right, so 95 % would be no demand: 99 % must be."""
    logits, labels = graded([4.0, 3.0, 2.0, 1.0, 0.5], [0, 0, 0, 0, 2])
    result = calibrate(logits, labels)
    assert (result.coverage, result.accuracy_when_sure) == (0.8, 1.0)


def test_no_answer_is_sure_where_even_the_surest_are_often_wrong():
    result = calibrate(*graded([3.0, 2.0], [4, 8]))
    assert (result.threshold, result.coverage, result.accuracy_when_sure) == (None, 0.0, None)


def test_a_few_lucky_answers_make_no_threshold_however_often_they_were_given():
    logits, labels = graded([4.0, 0.5], [0, 10])
    few, own = logits[:, 1:], labels[1:]  # 19 sure photos
    assert calibrate(logits, labels).threshold is not None
    assert calibrate(few, own).threshold is None
    assert calibrate(np.concatenate([few, few]), own).threshold is None


def test_nothing_is_unsure_but_what_is_below_a_half_where_all_are_right():
    result = calibrate(*two_classes(30, 0, gap=3.0))
    assert (result.threshold, result.coverage, result.accuracy_when_sure) == (0.5, 1.0, 1.0)


def test_sure_answers_have_at_least_the_threshold():
    confidence, is_right = np.array([0.5, 0.7, 0.9]), np.array([False, False, True])
    assert sure_answers(confidence, is_right, 0.7) == (pytest.approx(2 / 3), 0.5)


def test_it_survives_json():
    result = calibrate(*noisy(300, 3, strength=2.0))
    assert result.bins_after
    report = CalibrationReport.model_validate(asdict(result))
    assert CalibrationReport.model_validate_json(json.dumps(report.to_json(), allow_nan=False)) == report
    assert report.model_dump() == asdict(result)


def test_a_calibrated_model_says_the_same_with_the_calibrated_probabilities():
    random = np.random.default_rng(0)
    layers = tuple((random.normal(size=(4, n)).astype(np.float32), np.ones(n, np.float32)) for n in (4, 3))
    logits, labels = noisy(200, 3, strength=2.0)
    model = candidate([BranchHead((Branch("v2", 96),), "last", layers)], 96, logits)
    result = calibrate(logits, labels)
    after = calibrated(model, result, labels)
    kernels = [one.heads[0].layers for one in (model, after)]
    assert np.array_equal(kernels[0][0][0], kernels[1][0][0])
    assert kernels[1][1][0] * result.temperature == pytest.approx(kernels[0][1][0], rel=1e-5)
    assert kernels[1][1][1] * result.temperature == pytest.approx(kernels[0][1][1], rel=1e-5)
    assert after.loss == pytest.approx(log_loss(labels, softmax(logits[0] / result.temperature, axis=1)), rel=1e-5)
    assert after.held_out_logits.dtype == np.float32
    assert after.sure_threshold == result.threshold
    again = calibrate(after.held_out_logits, labels)
    assert (again.ece_before, again.threshold) == (pytest.approx(result.ece_after, abs=1e-5), result.threshold)
