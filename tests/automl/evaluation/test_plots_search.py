"""Plots of the search: who counts, and what stands where."""

from dataclasses import replace

import numpy as np
import optuna
import pytest

from automl.evaluation.plots.progress import search_progress
from automl.evaluation.plots.settings import importance_bars, parallel_coordinates
from automl.evaluation.plots.settings_study import is_log, studies_of
from automl.evaluation.plots.trade_offs import trade_offs
from automl.records import Goal, Stage, TrialState
from tests.automl.evaluation.plotted import assert_readable, drawn_texts, searched, trial


def test_search_progress_leaves_failed_trials_out_of_the_scores():
    axes = search_progress([trial(0, 0.5), trial(1, None), trial(2, 0.4)], Goal.ACCURACY).axes[0]
    assert axes.lines[0].get_ydata().tolist() == [50, 50]


def test_scores_of_other_photos_do_not_raise_the_best_so_far():
    trials = [trial(0, 0.5), trial(1, 0.9, Stage.FINE_TUNING), trial(2, 0.6), trial(3, 0.95, Stage.ENSEMBLE)]
    axes = search_progress(trials, Goal.BALANCED_ACCURACY).axes[0]
    assert axes.lines[0].get_ydata().tolist() == [50, 60]
    assert [len(marks.get_offsets()) for marks in axes.collections] == [2, 1, 1]
    assert axes.get_ylabel() == "Balanced validation accuracy in %"


def test_pruned_and_failed_trials_are_marked_in_the_row_of_their_stage():
    rows = search_progress(searched(), Goal.ACCURACY).axes[1]
    marks = {artist.get_label(): artist.get_offsets() for artist in rows.collections}
    assert marks["given up early (pruned): 1"].tolist() == [[41, 1]]
    assert marks["failed: 1"].tolist() == [[42, 0]]
    assert [text.get_text() for text in rows.get_yticklabels()] == ["trained on stored features", "fine-tuned"]


@pytest.mark.parametrize(("longest_s", "unit"), [(100, "Seconds"), (600, "Minutes"), (9000, "Hours")])
def test_time_has_a_unit_that_fits(longest_s, unit):
    axes = search_progress([trial(0, 0.5), trial(longest_s, 0.6)], Goal.ACCURACY).axes[1]
    assert axes.get_xlabel() == f"{unit} since the start"


def test_a_search_without_trials_is_an_empty_plot(monkeypatch):
    assert "Validation accuracy in %" in drawn_texts(search_progress([], Goal.ACCURACY), monkeypatch)


def test_rings_mark_what_no_other_head_matches():
    better = trial(0, 0.9, n_bytes=10_000_000, latency_s=0.02)
    smaller = trial(1, 0.8, n_bytes=5_000_000, latency_s=0.01)
    worse = trial(2, 0.7, n_bytes=20_000_000, latency_s=0.03)
    size = trade_offs([better, smaller, worse, trial(3, 0.99, Stage.ENSEMBLE, n_bytes=1)], Goal.ACCURACY).axes[0]
    rings = next(marks for marks in size.collections if "no other" in str(marks.get_label()))
    assert sorted(rings.get_offsets().tolist()) == [[5, 80], [10, 90]]
    assert size.lines[0].get_ydata().tolist() == [80, 90, 90]


@pytest.mark.parametrize("slowest", [0.5, 3.0, 90.0])
def test_the_numbers_of_a_logarithmic_axis_do_not_lie_on_each_other(slowest, monkeypatch):
    trials = [replace(one, duration_s=float(seconds)) for one, seconds in
              zip(searched(20), np.geomspace(0.02, slowest, 20), strict=False)]  # fmt: skip
    assert_readable(trade_offs(trials, Goal.ACCURACY), monkeypatch)


def test_trade_offs_need_a_size():
    with pytest.raises(ValueError, match="size"):
        trade_offs([trial(0, 0.9)], Goal.ACCURACY)


def test_what_decided_is_the_most_important_setting():
    heads, tuned = studies_of(searched(120))
    assert (heads.stage, tuned.stage) == (Stage.HEADS, Stage.FINE_TUNING)
    assert next(iter(heads.importances)) == "learning_rate"
    assert "always" not in heads.importances
    assert sum(heads.importances.values()) == pytest.approx(1)


def test_few_or_equal_trials_say_nothing_of_settings():
    assert studies_of(searched(20)) == []
    same = [trial(n, 0.5, params={"dropout": n / 30}) for n in range(30)]
    assert studies_of(same) == []
    pruned = [trial(n, n / 30, state=TrialState.PRUNED, params={"dropout": n / 30}) for n in range(30)]
    assert studies_of(pruned) == []


def test_rates_are_shown_by_their_order_of_magnitude():
    assert is_log("learning_rate") and is_log("ft_weight_decay")
    assert not is_log("dropout")


def test_studies_leave_optunas_voice_as_it_was():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    studies_of(searched())
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR


def test_each_try_is_a_line_from_its_settings_to_its_score():
    heads = studies_of(searched(120))[0]
    figure = parallel_coordinates(heads, Goal.ACCURACY)
    bundle = figure.axes[0].collections[0]
    lines = np.array(bundle.get_segments())
    assert lines.shape == (60, len(heads.importances) + 1, 2)
    assert lines[:, :, 1].min() == 0 and lines[:, :, 1].max() == 1
    assert lines[-1, -1, 1] == 1  # the best is drawn last
    assert bundle.get_array()[-1] == pytest.approx(100 * max(heads.scores))


@pytest.mark.parametrize("n_trials", [24, 400])
def test_no_text_lies_on_another(n_trials, monkeypatch):
    trials = searched(n_trials)
    studies = studies_of(trials)
    for figure in (
        search_progress(trials, Goal.ACCURACY),
        trade_offs(trials, Goal.ACCURACY),
        importance_bars(studies),
        *(parallel_coordinates(study, Goal.ACCURACY) for study in studies),
    ):
        assert_readable(figure, monkeypatch)


def test_of_choices_that_would_overlap_only_some_are_named(monkeypatch):
    trials = [
        trial(n, n / 100, params={"backbones": f"backbone_{n % 50}+other+another", "dropout": n / 100})
        for n in range(100)
    ]
    assert_readable(parallel_coordinates(studies_of(trials)[0], Goal.ACCURACY), monkeypatch)
