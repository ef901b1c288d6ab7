"""Which way of making photos square is taken, on numbers alone."""

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from automl.records import ImageRecord
from automl.search.aspect import (
    FEWEST_COMPARED,
    MOST_COMPARED,
    AspectScore,
    affordable_photos,
    are_not_square,
    best_aspect,
    score_of,
)


def photos(*sizes: tuple[int, int]) -> list[ImageRecord]:
    return [
        ImageRecord(path=Path("x"), name="x", label="a", sha256=str(n), width=width, height=height)
        for n, (width, height) in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(500, 500), (600, 520), (100, 100)], False),
        ([(1600, 900), (900, 1600), (400, 300)], True),
        ([(300, 100), (400, 400)], True),
        ([(300, 100), (400, 350), (350, 400)], False),
        ([(5, 0)], True),
    ],
)
def test_only_where_most_photos_are_not_square_there_is_a_question(sizes, expected):
    assert are_not_square(photos(*sizes)) is expected


@pytest.mark.parametrize(
    ("seconds", "n_photos", "left_s", "expected"),
    [
        (0.03, 5000, math.inf, MOST_COMPARED),
        (0.03, 90, math.inf, 90),
        (0.04, 5000, 200.0, 250),
        (0.03, 5000, 10.0, 0),
        (0.1, FEWEST_COMPARED, 161.0, FEWEST_COMPARED),
        (0.03, 40, 100.0, 40),
        (0.03, 40, 10.0, 0),
    ],
)
def test_no_more_photos_are_compared_than_there_is_time_for(seconds, n_photos, left_s, expected):
    assert affordable_photos(seconds, n_photos, left_s) == expected


def test_photos_are_scored_by_a_model_that_has_not_seen_them():
    random = np.random.default_rng(0)
    labels, folds = np.arange(90) % 3, np.arange(90) // 3 % 5
    noise = random.normal(0, 1, (90, 200))
    blind = score_of(noise, labels, folds)
    seeing = score_of(noise + 3 * np.eye(200)[labels] * 10, labels, folds)
    assert blind.accuracy < 0.6 and seeing.accuracy == 1.0
    assert seeing.losses.mean() < blind.losses.mean()
    assert len(score_of(noise, labels, np.where(folds == 0, -1, folds)).losses) == 72


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_score_is_that_of_scikit_learns_regression_of_unit_vectors(n_classes):
    random = np.random.default_rng(0)
    labels, folds = np.arange(60) % n_classes, np.arange(60) // n_classes % 3
    features = random.normal(0, 1, (60, 90)) + 3 * np.eye(90)[labels]
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = np.zeros((60, n_classes))
    for fold in range(3):
        peer = LogisticRegression(C=100.0, max_iter=10_000, tol=1e-9).fit(units[folds != fold], labels[folds != fold])
        expected[folds == fold] = peer.predict_proba(units[folds == fold])
    found = score_of(features, labels, folds)
    assert found.accuracy == (expected.argmax(axis=1) == labels).mean()
    np.testing.assert_allclose(found.losses, -np.log(expected[np.arange(60), labels]), atol=2e-3)


def test_a_class_that_a_fold_does_not_know_costs_and_breaks_nothing():
    labels, folds = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 0])
    score = score_of(np.eye(6, dtype=np.float16), labels, folds)
    assert np.isfinite(score.losses).all() and score.accuracy < 1


def score(losses: np.ndarray, accuracy: float) -> AspectScore:
    return AspectScore(losses=losses, accuracy=accuracy)


def test_photos_are_squeezed_unless_another_way_is_clearly_better():
    random = np.random.default_rng(0)
    usual = random.uniform(0.3, 0.9, 200)
    better, lucky = usual - 0.1, usual - 0.01 + np.tile([0.3, -0.3], 100)
    assert best_aspect({"squeeze": score(usual, 0.8), "whole": score(lucky, 0.81)}) == "squeeze"
    assert best_aspect({"squeeze": score(usual, 0.8), "whole": score(better, 0.85)}) == "whole"
    assert best_aspect({"squeeze": score(usual, 0.8), "crop": score(better, 0.79)}) == "squeeze"
    assert best_aspect({"squeeze": score(usual, 0.8), "whole": score(usual + 0.1, 0.7)}) == "squeeze"
