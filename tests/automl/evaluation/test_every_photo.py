"""A score without a test set: one answer to each photo, by a model that had not seen it, and a corrected accuracy."""

from pathlib import Path

import numpy as np
import pytest

from automl.evaluation.bias_corrected import BiasCorrected
from automl.evaluation.every_photo import score_every_photo, typical_repeat
from automl.records import ImageRecord

CLASSES = ("ant", "bee", "cat")
LABELS = np.array([0, 0, 1, 1, 2, 2])
IMAGES = [
    ImageRecord(
        path=Path("x"),
        name=f"{i}.jpg",
        label=CLASSES[label],
        sha256=f"{i}",
        width=9,
        height=9,
        clip="last two" if i > 3 else "",
    )
    for i, label in enumerate(LABELS)
]
CORRECTED = BiasCorrected(
    correctness=np.full(6, 0.7),
    accuracy=0.7,
    accuracy_interval=(0.4, 0.9),
    balanced_accuracy=0.65,
    balanced_accuracy_interval=(0.35, 0.85),
    log_loss=0.6,
    coverage=0.5,
    accuracy_when_sure=0.9,
)


def answers(*wrong: int) -> np.ndarray:
    """float32 (n_images, n_classes): the next class where a row is wrong."""
    said = (LABELS + np.isin(np.arange(6), wrong)) % 3
    return 3 * np.eye(3, dtype=np.float32)[said]


def test_the_repeat_in_the_middle_stands_for_all():
    logits = np.stack([answers(0, 1, 2), answers(), answers(4)])
    assert typical_repeat(logits, LABELS) == 2
    assert typical_repeat(logits[:2], LABELS) == 0  # of two, the one that promises less
    assert typical_repeat(logits[:1], LABELS) == 0


def test_counts_are_those_of_the_answers_and_the_score_is_corrected():
    score = score_every_photo(answers(2), IMAGES, classes=CLASSES, corrected=CORRECTED)
    assert (score.n_images, score.n_correct, score.confusion.trace()) == (6, 5, 5)
    assert (score.accuracy, score.interval_95, score.balanced_accuracy) == (0.7, (0.4, 0.9), 0.65)
    assert score.intervals().balanced_accuracy == (0.35, 0.85)
    assert score.sure(0.5) == (0.5, 0.9)
    assert score.baseline_accuracy == pytest.approx(1 / 3)
    assert score.clusters.tolist() == [0, 1, 2, 3, 4, 4]
    assert score.probabilities.sum(axis=1) == pytest.approx(1)


def test_the_sentence_says_that_no_model_had_seen_the_photo():
    sentence = score_every_photo(answers(2), IMAGES, classes=CLASSES, corrected=CORRECTED).sentence()
    assert sentence == (
        "Each photo was tested by a model that had never seen it: about 70 of 100 are right; expect 40 to 90."
    )
