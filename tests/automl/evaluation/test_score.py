"""The score of the delivered model, against scikit-learn and by hand."""

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from automl.evaluation.score import TestScore, evaluate
from automl.records import ImageRecord
from automl.records.report import ClassScore
from automl.serving.predict import RULES

CLASSES = ("ant", "bee", "cat")


def score(truth: list[int], predicted: list[int]) -> TestScore:
    return TestScore(
        classes=CLASSES,
        truth=np.array(truth),
        probabilities=np.eye(3, dtype=np.float32)[predicted],
        baseline_accuracy=0.4,
    )


def test_counts_and_confusion():
    result = score([0, 0, 1, 2], [0, 1, 1, 1])
    assert (result.n_correct, result.n_images, result.accuracy) == (2, 4, 0.5)
    assert result.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_a_class_that_is_never_named_has_precision_0():
    rows = score([0, 2], [0, 0]).per_class()
    assert rows[2] == ClassScore(label="cat", precision=0.0, recall=0.0, f1=0.0, n_images=1)


def test_the_sentence_rounds_the_interval_outwards():
    sentence = score([0] * 10, [0] * 9 + [1]).sentence()
    assert sentence == "It was right on 9 of 10 photos it had never seen; expect 59 to 99 of 100."


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_are_there():
    result = score([0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 2])
    assert result.accuracy == pytest.approx(5 / 6)
    assert result.balanced_accuracy == pytest.approx(0.75)  # nobody is of class 2


def random_score(n_classes: int, n_images: int = 400) -> TestScore:
    """The last class is never shown, and no answer is quite impossible."""
    random = np.random.default_rng(n_classes)
    truth = random.integers(n_classes - 1, size=n_images)
    logits = random.normal(size=(n_images, n_classes)) + 2 * np.eye(n_classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple(f"class {number}" for number in range(n_classes))
    return TestScore(classes=names, truth=truth, probabilities=probabilities.astype(np.float32), baseline_accuracy=0.1)


@pytest.mark.parametrize("n_classes", [3, 12])
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_all_figures_are_those_of_scikit_learn(n_classes):
    result = random_score(n_classes)
    truth, said = result.truth, result.predicted
    assert result.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    assert result.macro_f1 == pytest.approx(metrics.f1_score(truth, said, average="macro", zero_division=0))
    of_one = result.probabilities.astype(np.float64)
    of_one /= of_one.sum(axis=1, keepdims=True)
    expected = metrics.log_loss(truth, of_one, labels=range(n_classes))
    assert result.log_loss == pytest.approx(expected, abs=1e-6)


def test_top_5_is_that_of_scikit_learn_and_only_for_more_than_10_classes():
    result = random_score(12)
    expected = metrics.top_k_accuracy_score(result.truth, result.probabilities, k=5, labels=range(12))
    assert result.top5_accuracy == pytest.approx(expected)
    assert random_score(10).top5_accuracy is None


def test_a_class_that_is_neither_shown_nor_named_does_not_count():
    assert score([0, 0, 1], [0, 1, 1]).macro_f1 == pytest.approx(2 / 3)  # both classes: 2 of 3


def test_a_sure_mistake_has_a_finite_log_loss():
    assert score([0, 1], [0, 0]).log_loss == pytest.approx(-np.log(2**-23) / 2)
    assert str(score([0], [0]).log_loss) == "0.0"


def test_the_calibration_error_by_hand():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.9, 0.1, 0.0], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]], np.float32)
    result = TestScore(
        classes=CLASSES, truth=np.array([0, 1, 1, 2]), probabilities=probabilities, baseline_accuracy=0.4
    )
    assert result.ece == pytest.approx(0.5 * abs(0.9 - 0.5) + 0.5 * abs(0.6 - 1.0))


def test_coverage_and_accuracy_of_the_answers_that_are_sure():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.7, 0.2, 0.1], [0.4, 0.3, 0.3]], np.float32)
    result = TestScore(
        classes=CLASSES, truth=np.array([0, 0, 1, 0]), probabilities=probabilities, baseline_accuracy=0.4
    )
    assert result.sure(0.5) == (0.75, pytest.approx(2 / 3))
    assert result.sure(0.75) == (0.5, 1.0)
    assert result.sure(0.95) == result.sure(None) == (0.0, None)


def test_the_worst_pair_counts_both_ways_and_names_the_class_that_is_more_often_mistaken_first():
    result = score([0, 0, 0, 2, 2, 2, 1], [0, 1, 2, 0, 0, 2, 1])
    assert result.worst_pair() == ("cat", "ant", 3)
    assert score([0, 1], [0, 1]).worst_pair() is None


def test_the_sentence_names_the_worst_pair_only_where_one_stands_out():
    assert score([0, 0, 1, 2], [1, 1, 1, 2]).sentence().endswith(" of 100. It mixes up ant and bee most.")
    assert score([0, 0, 1, 1], [1, 1, 2, 2]).sentence().endswith(" of 100.")  # two pairs, twice each
    two = TestScore(
        classes=("ant", "bee"),
        truth=np.array([0, 0, 1]),
        probabilities=np.eye(2, dtype=np.float32)[[1, 1, 1]],
        baseline_accuracy=0.4,
    )
    assert two.sentence().endswith(" of 100.")  # there is no other pair


def test_intervals_are_around_the_figures_and_the_same_each_time():
    result = random_score(12)
    found = result.intervals()
    assert found == result.intervals()
    for figure, (low, high) in (
        (result.balanced_accuracy, found.balanced_accuracy),
        (result.macro_f1, found.macro_f1),
        (result.log_loss, found.log_loss),
    ):
        assert low < figure < high


class Reader:
    """A classifier that names the class after the picture's red value."""

    size_px = 32
    rules = RULES

    def ask_arrays(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        reds = images[:, 0, 0, 0].astype(int)
        return np.eye(3, dtype=np.float32)[reds // 100], (reds / 100).astype(np.float32)


def test_original_files_are_scored_in_order(tmp_path):
    images = []
    for number in range(70):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (40, 20), (100 * (number % 3), 0, 0)).save(path)
        images.append(
            ImageRecord(path=path, name=path.name, label=CLASSES[number % 3], sha256=str(number), width=40, height=20)
        )
    progress = []
    (result,) = evaluate(
        [Reader()],
        images,
        classes=CLASSES,
        training_labels=np.array([1, 1, 0]),
        on_progress=lambda *step: progress.append(step),
    )
    assert result.accuracy == 1
    assert progress == [(32, 70), (64, 70), (70, 70)]
    assert result.baseline_accuracy == pytest.approx(23 / 70)  # bees, the largest class in training


def test_several_classifiers_are_scored_in_one_pass_each_at_its_own_size(tmp_path):
    class Sizer(Reader):
        """Says "cat" of everything, and remembers what it was shown."""

        size_px = 16

        def ask_arrays(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            shapes.append(images.shape)
            return np.eye(3, dtype=np.float32)[[2] * len(images)], None

    path, shapes, progress = tmp_path / "0.png", [], []
    Image.new("RGB", (40, 20), (0, 0, 0)).save(path)
    image = ImageRecord(path=path, name=path.name, label="ant", sha256="0", width=40, height=20)
    one, other = evaluate(
        [Reader(), Sizer()],
        [image],
        classes=CLASSES,
        training_labels=np.array([0]),
        on_progress=lambda *step: progress.append(step),
    )
    assert (one.n_correct, other.n_correct) == (1, 0)
    assert (one.distances.tolist(), other.distances) == ([0.0], None)
    assert (shapes, progress) == ([(1, 16, 16, 3)], [(1, 1)])
