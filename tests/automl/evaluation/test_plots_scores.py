"""Plots of the test score: right numbers, and legible at 2, 10 and 100 classes."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.transforms import Affine2D
from sklearn.metrics import average_precision_score, roc_auc_score

from automl.evaluation.plots.confusion import confusion_matrix
from automl.evaluation.plots.per_class import per_class_scores
from automl.evaluation.plots.reliability import reliability_diagram
from automl.evaluation.plots.roc import roc_curves, shown_classes
from automl.evaluation.score import TestScore
from tests.automl.evaluation.plotted import CALIBRATION, assert_readable, drawn_texts, score


@pytest.mark.parametrize("n_classes", [2, 10, 100])
@pytest.mark.parametrize("plot", [confusion_matrix, per_class_scores, roc_curves])
def test_no_text_lies_on_another(plot, n_classes, monkeypatch):
    assert_readable(plot(score(n_classes, 400)), monkeypatch)


@pytest.mark.parametrize("n_classes", [2, 10, 100])
def test_confusion_matrix_names_every_class_that_can_be_read(n_classes):
    axes = confusion_matrix(score(n_classes, 200)).axes[0]
    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == n_classes


def test_a_cell_has_its_count_and_its_share_of_the_row():
    result = TestScore(
        classes=("a", "b"),
        truth=np.array([0, 0, 0, 0, 1]),
        probabilities=np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 1]],
        baseline_accuracy=0.8,
    )
    cells = [text.get_text() for text in confusion_matrix(result).axes[0].texts]
    assert cells == ["3\n75%", "1\n25%", "0", "1\n100%"]


def test_of_many_classes_only_cells_with_photos_have_numbers():
    result = score(100, 400)
    marks = confusion_matrix(result).axes[0].collections
    found = {(int(y), int(x)): int(mark.get_label()) for mark in marks for x, y in mark.get_offsets()}
    assert found == {cell: result.confusion[cell] for cell in zip(*np.nonzero(result.confusion), strict=True)}


def test_the_numbers_of_many_classes_lie_in_the_middle_of_their_cells():
    axes = confusion_matrix(score(40, 4000)).axes[0]
    cell_pt = 72 * axes.get_position().width * axes.figure.get_figwidth() / 40
    for mark in axes.collections:
        (shape,) = mark.get_paths()
        box = shape.transformed(Affine2D(mark.get_transforms()[0])).get_extents()
        drawn_pt = box.size * 72 / axes.figure.dpi
        assert (drawn_pt < cell_pt).all() and drawn_pt[1] > 3
        assert np.abs(box.min + box.max).max() < 1e-6


def test_names_that_nobody_could_read_are_not_laid_out_but_the_worst_pairs_are():
    figure = confusion_matrix(score(101, 400))
    matrix = figure.axes[0]
    assert len(matrix.get_xticklabels()) == len(matrix.get_yticklabels()) == 0
    assert "\n".join(text.get_text() for text in figure.texts).count("were taken for") == 12


def test_the_most_frequent_mistake_comes_first():
    answers = np.eye(3, dtype=np.float32)[[0, 1, 1, 1, 2, 1]]
    figure = confusion_matrix(
        TestScore(
            classes=("a", "b", "c"), truth=np.array([0, 0, 0, 1, 1, 2]), probabilities=answers, baseline_accuracy=0.5
        )
    )
    assert figure.texts[-1].get_text().splitlines()[1] == "2 of 3 photos of a were taken for b"


def test_the_weakest_class_is_on_top_with_its_number_of_photos():
    result = TestScore(
        classes=("a", "b", "c"),
        truth=np.array([0, 0, 1, 1, 2]),
        probabilities=np.eye(3, dtype=np.float32)[[0, 0, 1, 0, 2]],
        baseline_accuracy=0.5,
    )
    axes = per_class_scores(result).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["b (2)", "a (2)", "c (1)"]
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert widths[1] == [50, 100, 100]  # recall
    assert len({bars[0].get_hatch() for bars in axes.containers}) == 3


def test_of_more_than_a_hundred_classes_the_weakest_are_shown():
    axes = per_class_scores(score(150, 600)).axes[0]
    assert len(axes.get_yticklabels()) == 100
    assert "the 100 weakest of 150" in axes.get_ylabel()


def test_areas_are_those_of_scikit_learn():
    result = score(3)
    labels = [line.get_label() for line in roc_curves(result).axes[1].lines]
    for number, label in enumerate(labels):
        own, given = result.truth == number, result.probabilities[:, number]
        area, average = roc_auc_score(own, given), average_precision_score(own, given)
        assert label.endswith(f"(area {area:.3f}, mean precision {average:.3f})")


def test_more_than_ten_classes_become_a_mean_and_a_band():
    for axes in roc_curves(score(11, 60)).axes:
        assert [line.get_label()[:8] for line in axes.lines] in (["mean of ", "guessing"], ["mean of "])
        assert len(axes.collections) == 1


def test_classes_that_the_test_does_not_show_have_no_curve():
    result = TestScore(
        classes=("a", "b", "c"),
        truth=np.array([0, 1]),
        probabilities=np.eye(3, dtype=np.float32)[:2],
        baseline_accuracy=0.5,
    )
    assert shown_classes(result) == [0, 1]
    only_one = TestScore(
        classes=("a", "b"), truth=np.array([0, 0]), probabilities=np.eye(2, dtype=np.float32), baseline_accuracy=1.0
    )
    assert shown_classes(only_one) == []
    with pytest.raises(ValueError, match="two classes"):
        roc_curves(only_one)


def test_reliability_shows_both_lines_and_how_many_answers_there_are(monkeypatch):
    figure = reliability_diagram(CALIBRATION)
    axes, counts = figure.axes
    assert [line.get_label() for line in axes.lines[1:]] == [
        "before calibration, on average 17.0 points off", "after calibration, on average 1.0 points off"
    ]  # fmt: skip
    assert axes.lines[1].get_ydata() == pytest.approx([40, 70])
    assert [bar.get_height() for bar in counts.patches] == [12, 28]
    assert counts.patches[1].get_x() == pytest.approx(100 / 15 * 11.05)  # 0.8 is the upper end of the twelfth bin
    assert_readable(figure, monkeypatch)


def test_reliability_of_every_photo_says_so(monkeypatch):
    figure = reliability_diagram(CALIBRATION, tests_every_photo=True)
    assert "Is it right as often as it is sure? (photos not seen before)" in drawn_texts(figure, monkeypatch)
    assert_readable(figure, monkeypatch)


def test_reliability_needs_held_out_answers():
    with pytest.raises(ValueError, match="held out"):
        reliability_diagram(replace(CALIBRATION, ece_before=None, ece_after=None, bins_before=(), bins_after=()))
