"""Reports that older versions wrote are read as if they were of today."""

import json
from typing import Any

import pytest

from automl.delivery.report.model_card import model_card
from automl.records import Goal, Stage
from automl.records.report import VERSION, CandidateReport, read_report, read_run_report
from automl.records.report.upgrade import upgraded
from tests.recorded.loading import older_metrics, recorded_metrics
from tests.reports import report_values

RECORDED = [values for values in recorded_metrics().values() if "test" in values]
OLD = next(values for values in RECORDED if not values["winner"]["params"].get("averaged_with"))
LATER: list[tuple[str, ...]] = [
    *((name,) for name in ("goal", "data", "date", "calibration", "pareto", "first_model", "mistakes", "suspects")),
    ("look_alikes",),
    *(("winner", name) for name in ("stage", "n_bytes", "latency_s")),
    ("validation", "score"),
    *(("test", name) for name in ("balanced_accuracy", "macro_f1", "log_loss", "top5_accuracy", "ece", "intervals")),
    *(("test", name) for name in ("coverage", "accuracy_when_sure")),
]
"""What reports of version 1 did not have from the beginning, by its path."""


def without(*paths: tuple[str, ...]) -> dict[str, Any]:
    """The old report as it was before it had these parts."""
    older = json.loads(json.dumps(OLD))
    for *outer, name in paths:
        part = older
        for key in outer:
            part = part[key]
        del part[name]
    return older


def first_of_all() -> dict[str, Any]:
    older = without(*LATER)
    for row in older["weights"]:
        del row["location"]
    return older


def test_what_an_old_report_says_the_new_one_says_too() -> None:
    newest = read_run_report(OLD).to_json()
    assert newest["schema"] == VERSION
    assert newest["test"].pop("method") == "held-out"
    assert newest["winner"].pop("parts") == []
    assert newest["settings"].pop("scoring") == "held-out"
    assert newest.pop("small") is newest.pop("novelty") is None
    assert {**newest, "schema": 1} == {"exports": [], **OLD}


@pytest.mark.parametrize("path", LATER)
def test_what_an_older_run_did_not_write_is_left_out(path: tuple[str, ...]) -> None:
    report = read_run_report(without(path))
    assert report.sentence == OLD["sentence"]
    assert report.sentence in model_card(report)


def test_the_first_reports_of_all_are_read_too() -> None:
    report = read_run_report(first_of_all())
    assert (report.goal, report.winner.stage) == (Goal.ACCURACY, Stage.HEADS)
    assert report.validation.score == report.validation.accuracy
    assert report.weights[0].location == ""
    assert report.score.log_loss is report.calibration is report.data is report.winner.n_bytes is None
    assert report.pareto == report.suspects == report.exports == ()
    assert report.sentence in model_card(report)


@pytest.mark.parametrize("values", [*RECORDED, *older_metrics().values()])
def test_whatever_a_version_has_written_is_read(values: dict[str, Any]) -> None:
    report = read_run_report(values)
    assert report.score.accuracy == values["test"]["accuracy"]
    assert read_run_report(report.to_json()) == report


@pytest.mark.parametrize(
    ("params", "parts"), [({"averaged_with": "4+12"}, (3, 4, 12)), ({"members": "5+0"}, (5, 0)), ({}, ())]
)
def test_the_trials_of_a_mean_once_stood_among_the_parameters(params: dict[str, str], parts: tuple[int, ...]) -> None:
    older = without()
    older["winner"] |= {"trial": 3, "params": {"dropout": 0.1, **params}}
    winner = read_run_report(older).winner
    assert (winner.params, winner.parts) == ({"dropout": 0.1}, parts)


def test_figures_that_follow_from_the_confusion_are_worked_out() -> None:
    older = first_of_all()
    older["test"]["confusion"] = [[8, 2, 0], [1, 9, 0], [0, 0, 0]]
    score = read_run_report(older).score
    assert score.balanced_accuracy == pytest.approx((8 / 10 + 9 / 10) / 2)
    assert score.macro_f1 == pytest.approx((16 / 19 + 18 / 21) / 2)


def test_the_best_for_their_size_were_once_listed_without_the_winner_marked() -> None:
    older = without()
    for row in older["pareto"]:
        del row["n_images"], row["is_winner"]
    rows = read_run_report(older).pareto
    assert {row.n_images for row in rows} == {OLD["validation"]["n_images"]}
    assert [row.number for row in rows if row.is_winner] == [OLD["winner"]["trial"]]


@pytest.mark.parametrize("name", ["calibration", "pareto", "first_model", "mistakes", "suspects", "look_alikes"])
def test_a_part_that_was_written_as_nothing_is_nothing(name: str) -> None:
    assert not getattr(read_run_report({**OLD, name: None}), name)


def test_a_report_from_before_the_test_is_upgraded_too() -> None:
    tested = {"test", "calibration", "n_trials", "pareto", "seed", "settings", "first_model", "mistakes", "suspects"}
    tested |= {"look_alikes", "time", "notes"}
    report = read_report({name: value for name, value in OLD.items() if name not in tested})
    assert type(report) is CandidateReport
    assert report.winner.sha256 == OLD["winner"]["sha256"]


def test_the_newest_version_stays_as_it_is() -> None:
    assert upgraded(report_values()) == report_values()


@pytest.mark.parametrize("values", [{}, {"schema": 1}, {**OLD, "winner": 5}, {**OLD, "weights": None}])
def test_what_is_no_report_at_all_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Not a report of a run"):
        read_report(values)


def test_a_version_from_the_future_is_refused_by_its_number() -> None:
    with pytest.raises(ValueError, match="version 999 is not known here; the newest is 5"):
        read_report({**OLD, "schema": 999})
