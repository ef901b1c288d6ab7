"""What is said of the first model that was found."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from automl.evaluation.first_model import FirstModel, describe_first
from automl.evaluation.score import TestScore
from tests.automl.search.fakes import V2, candidate


def test_its_figures_are_those_of_its_own_answers_on_the_test_photos():
    score = TestScore(
        classes=("a", "b"),
        truth=np.array([0, 0, 1, 1]),
        probabilities=np.eye(2, dtype=np.float32)[[0, 0, 1, 0]],
        baseline_accuracy=0.5,
    )
    interval = binomtest(3, 4).proportion_ci(method="wilson")
    found = describe_first(FirstModel(candidate(2), Path("x"), 12.34), score)
    assert (found.trial, found.accuracy, found.n_correct, found.n_images) == (2, 0.75, 3, 4)
    assert found.interval_95 == pytest.approx((interval.low, interval.high))
    assert (found.backbones, found.image_size_px, found.at_s) == ((V2,), 224, 12.3)
