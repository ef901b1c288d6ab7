"""The score of the delivered model, against scikit-learn and by hand."""

import numpy as np
import pytest
from PIL import Image

from automl.records import ImageRecord
from automl.results.evaluate import TestScore, evaluate, wilson_interval

CLASSES = ("ant", "bee", "cat")


def score(truth: list[int], predicted: list[int]) -> TestScore:
    return TestScore(CLASSES, np.array(truth), np.eye(3, dtype=np.float32)[predicted], 0.4)


def test_counts_and_confusion():
    result = score([0, 0, 1, 2], [0, 1, 1, 1])
    assert (result.n_correct, result.n_images, result.accuracy) == (2, 4, 0.5)
    assert result.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_wilson_interval_by_hand():
    low, high = wilson_interval(119, 128)
    assert (low, high) == (pytest.approx(0.8720, abs=1e-3), pytest.approx(0.9624, abs=1e-3))


@pytest.mark.parametrize("n_correct", [0, 3])
def test_wilson_interval_stays_within_0_and_1(n_correct):
    low, high = wilson_interval(n_correct, 3)
    assert 0 <= low < high <= 1


def test_a_class_that_is_never_named_has_precision_0():
    rows = score([0, 2], [0, 0]).per_class()
    assert rows[2] == {"label": "cat", "precision": 0.0, "recall": 0.0, "f1": 0.0, "n_images": 1}


def test_the_sentence_rounds_the_interval_outwards():
    sentence = score([0] * 10, [0] * 9 + [1]).sentence()
    assert sentence == "It was right on 9 of 10 photos it had never seen; expect 59 to 99 of 100."


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_are_there():
    result = score([0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 2])
    assert result.accuracy == pytest.approx(5 / 6)
    assert result.balanced_accuracy == pytest.approx(0.75)  # nobody is of class 2


class Reader:
    """A classifier that names the class after the picture's red value."""

    size_px = 32

    def predict_arrays(self, images: np.ndarray) -> np.ndarray:
        return np.eye(3, dtype=np.float32)[images[:, 0, 0, 0].astype(int) // 100]


def test_original_files_are_scored_in_order(tmp_path):
    images = []
    for number in range(70):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (40, 20), (100 * (number % 3), 0, 0)).save(path)
        images.append(ImageRecord(path, path.name, CLASSES[number % 3], str(number), 40, 20))
    progress = []
    result = evaluate(Reader(), images, CLASSES, np.array([1, 1, 0]), lambda *step: progress.append(step))
    assert result.accuracy == 1
    assert progress == [(32, 70), (64, 70), (70, 70)]
    assert result.baseline_accuracy == pytest.approx(23 / 70)  # bees, the largest class in training
