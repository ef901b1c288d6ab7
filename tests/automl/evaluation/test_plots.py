"""All plots of a run become files, whatever the number of classes and whatever their names."""

import numpy as np
import pytest
from PIL import Image

from automl.evaluation.plots import HeatMaps, LayerRow, draw_all, shorten
from automl.evaluation.plots.curves import learning_curves
from automl.evaluation.score import TestScore
from automl.models.head.training import Curves
from automl.records import Goal
from automl.serving.predict import RULES
from tests.automl.evaluation.plotted import CALIBRATION, CURVES, assert_readable, pictures, score, searched, trial

INPUT = {"name": "image", "kind": "InputLayer", "output_shape": "(None, None, None, 3)"}
LAYERS = [LayerRow(**INPUT, n_params=0, n_trained=0)]
MAPS = HeatMaps(np.full((2, 7, 7), 0.5, np.float32), [3, 1])


ONE_TRIAL = [trial(0, 0.5)]


def drawn(folder, of, images, trials=ONE_TRIAL, **more):
    more = {"curves": CURVES, "best_epoch": 2, "goal": Goal.ACCURACY, **more}
    return draw_all(folder, score=of, test_images=images, rules=RULES, trials=trials, **more)


def test_every_plot_becomes_a_png_with_a_title(tmp_path):
    images = pictures(tmp_path, 40)
    more = {"calibration": CALIBRATION, "maps": MAPS, "layers": LAYERS}
    plots = drawn(tmp_path / "plots", score(3), images, searched(), **more)
    assert [plot.path.stem for plot in plots] == [
        "confusion_matrix", "sample_predictions", "heat_maps", "per_class", "roc", "reliability", "learning_curves",
        "search", "trade_offs", "importance", "settings_heads", "settings_fine_tuning", "layers",
    ]  # fmt: skip
    for plot in plots:
        assert plot.title
        with Image.open(plot.path) as picture:
            assert picture.width > 300


def test_all_but_photographs_are_drawn_as_svg_with_words_in_it_too(tmp_path):
    plots = drawn(tmp_path, score(3), pictures(tmp_path, 40))
    texts = {plot.path.stem: plot.svg.read_text() for plot in plots if plot.svg}
    assert {plot.path.stem for plot in plots} - set(texts) == {"sample_predictions"}
    assert "class $x_ 0" in texts["confusion_matrix"]
    assert all("<text" in svg and "http://www.w3.org/2000/svg" in svg for svg in texts.values())


def test_plots_are_the_same_each_time(tmp_path):
    images = pictures(tmp_path, 40)
    one, two = (drawn(tmp_path / n, score(3), images, searched()) for n in "ab")
    for first, second in zip(one, two, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()
        assert (first.svg is None and second.svg is None) or first.svg.read_bytes() == second.svg.read_bytes()


def test_what_cannot_be_shown_is_left_out(tmp_path):
    one_class = TestScore(
        classes=("a", "b"), truth=np.array([0]), probabilities=np.array([[0.9, 0.1]], np.float32), baseline_accuracy=1.0
    )
    plots = drawn(tmp_path, one_class, pictures(tmp_path, 1))
    names = [plot.path.stem for plot in plots]
    assert names == ["confusion_matrix", "sample_predictions", "per_class", "learning_curves", "search"]


def test_a_regression_has_no_learning_curves(tmp_path):
    plots = drawn(tmp_path, score(3), pictures(tmp_path, 40), curves=Curves(), best_epoch=0)
    assert "learning_curves" not in [plot.path.stem for plot in plots]


def test_names_in_other_scripts_do_not_break_a_plot(tmp_path):
    result = TestScore(
        classes=("鳥 🐦", "a\\b$"),
        truth=np.array([0, 1]),
        probabilities=np.eye(2, dtype=np.float32),
        baseline_accuracy=0.5,
    )
    plots = drawn(tmp_path, result, pictures(tmp_path, 2), best_epoch=1)
    assert "鳥" in plots[0].svg.read_text()


def test_long_names_are_cut_and_wide_characters_count_twice():
    assert shorten("a" * 24) == "a" * 24
    assert shorten("a" * 25) == "a" * 23 + "…"
    assert shorten("鳥" * 13) == "鳥" * 11 + "…"


def test_curves_show_training_and_validation_of_both_measures():
    loss, accuracy = learning_curves(CURVES, best_epoch=2).axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation", "epoch that was kept"]
    assert accuracy.lines[1].get_ydata().tolist() == [40, 75]


@pytest.mark.parametrize("n_epochs", [1, 200])
def test_curves_are_readable(n_epochs, monkeypatch):
    values = tuple(np.linspace(1, 0.1, n_epochs))
    assert_readable(
        learning_curves(
            Curves(train_loss=values, train_accuracy=values, validation_loss=values, validation_accuracy=values), 1
        ),
        monkeypatch,
    )
