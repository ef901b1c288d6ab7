"""Plots have the right parts, whatever the number of classes and whatever their names."""

import numpy as np
import pytest
from PIL import Image

from automl.models.heads import Curves
from automl.records import Goal, ImageRecord, Stage, TrialRecord, TrialState
from automl.results.evaluate import TestScore
from automl.results.plots import confusion_matrix, draw_all, learning_curves, sample_predictions, search_progress

CURVES = Curves((1.0, 0.5), (0.5, 0.8), (1.1, 0.7), (0.4, 0.75))


def score(n_classes: int, n_images: int = 40) -> TestScore:
    random = np.random.default_rng(0)
    names = tuple(f"class {number} $x_" for number in range(n_classes))
    truth = np.arange(n_images) % n_classes
    return TestScore(names, truth, random.dirichlet(np.ones(n_classes), n_images).astype(np.float32), 0.5)


def pictures(folder, n: int) -> list[ImageRecord]:
    path = folder / "picture.png"
    Image.new("RGB", (30, 30), "green").save(path)
    return [ImageRecord(path, "picture.png", "x", "0", 30, 30)] * n


def test_curves_show_training_and_validation_of_both_measures():
    loss, accuracy = learning_curves(CURVES, best_epoch=2).axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation", "epoch that was kept"]
    assert accuracy.lines[1].get_ydata().tolist() == [40, 75]


@pytest.mark.parametrize("n_classes", [2, 10, 100])
def test_confusion_matrix_names_every_class_that_can_be_read(n_classes):
    axes = confusion_matrix(score(n_classes, 200)).axes[0]
    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == n_classes
    assert len(axes.texts) == (n_classes**2 if n_classes <= 20 else 0)


def test_names_that_nobody_could_read_are_not_laid_out():
    axes = confusion_matrix(score(101, 200)).axes[0]
    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == 0


def test_samples_show_actual_and_predicted_with_mistakes_first(tmp_path):
    result = score(3)
    figure = sample_predictions(result, pictures(tmp_path, 40))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == 12
    assert all("actual:" in title and "predicted:" in title for title in titles)
    assert "✗" in titles[0] and "✓" in titles[-1]


def test_a_single_test_picture_is_enough(tmp_path):
    assert len(sample_predictions(score(2, 1), pictures(tmp_path, 1)).axes) == 1


def trial(number, value, stage=Stage.HEADS):
    return TrialRecord(number, TrialState.COMPLETE, ("a",), 224, {}, value, number, 1.0, stage=stage)


def test_search_progress_leaves_out_failed_trials():
    axes = search_progress([trial(0, 0.5), trial(1, None), trial(2, 0.4)], Goal.ACCURACY).axes[0]
    assert axes.lines[0].get_ydata().tolist() == [50, 50]


def test_scores_of_other_photos_do_not_raise_the_best_so_far():
    trials = [trial(0, 0.5), trial(1, 0.9, Stage.FINE_TUNING), trial(2, 0.6), trial(3, 0.95, Stage.BLEND)]
    axes = search_progress(trials, Goal.BALANCED_ACCURACY).axes[0]
    assert axes.lines[0].get_ydata().tolist() == [50, 60]
    assert [len(marks.get_offsets()) for marks in axes.collections] == [2, 1, 1]
    assert axes.get_ylabel() == "Balanced validation accuracy in %"


def test_every_plot_becomes_a_png_with_a_title(tmp_path):
    trials = [TrialRecord(0, TrialState.COMPLETE, ("a",), 224, {}, 0.5, 0.0, 1.0)]
    plots = draw_all(tmp_path / "plots", CURVES, 2, score(3), pictures(tmp_path, 40), trials, Goal.ACCURACY)
    assert len(plots) == 4
    for plot in plots:
        assert plot.title
        with Image.open(plot.path) as picture:
            assert picture.width > 300


def test_names_in_other_scripts_do_not_break_a_plot(tmp_path):
    result = TestScore(("鳥 🐦", "a\\b$"), np.array([0, 1]), np.eye(2, dtype=np.float32), 0.5)
    trials = [TrialRecord(0, TrialState.COMPLETE, ("a",), 224, {}, 0.5, 0.0, 1.0)]
    assert draw_all(tmp_path, CURVES, 1, result, pictures(tmp_path, 2), trials, Goal.ACCURACY)
