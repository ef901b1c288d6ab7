"""The report of a run is written to JSON and comes back as it was; what is no report is refused."""

import json

import pytest
from pydantic import ValidationError

from automl.records import Goal, Stage
from automl.records.json_schema import schema_text
from automl.records.report import (
    VERSION,
    CandidateReport,
    RunReport,
    RunTimes,
    ScoreMethod,
    read_report,
    read_run_report,
)
from tests.reports import FORMAT, PARETO_ROW, doubted_label, made_report, named_photo, report_values

MISTAKE = {**named_photo("s1", "rose"), "predicted": "tulip", "confidence": 0.9, "nearest": [named_photo("s2", "rose")]}
FULL = {
    "calibration": {"threshold": 0.8, "bins_before": [{"confidence": 0.5, "accuracy": 0.4, "n": 10}]},
    "first_model": {"trial": 0},
    "pareto": [PARETO_ROW],
    "mistakes": [MISTAKE],
    "suspects": [doubted_label()],
    "look_alikes": [{"sha256": ["s1", "s2"], "likeness": 0.7}],
    "exports": [FORMAT],
    "data": {
        "version": 3, "n_images": 9, "n_learned": 6, "n_test": 2, "n_left_out": 1, "n_refused": 0, "n_folds": 5,
        "split_seed": 0, "classes": [{"label": "rose", "n_learned": 6, "n_test": 2, "n_left_out": 1}],
    },
}  # fmt: skip
BEFORE_THE_TEST = set(report_values()) & {field.alias or name for name, field in CandidateReport.model_fields.items()}


@pytest.mark.parametrize("changes", [{}, FULL])
def test_a_report_comes_back_from_json_as_it_was(changes):
    report = made_report(**changes)
    assert read_report(json.loads(report.json_text())) == report
    assert report.to_json() == report_values(**changes)


def test_parts_are_typed():
    report = made_report(**FULL)
    assert (report.goal, report.winner.stage, report.score.method) == (Goal.ACCURACY, Stage.HEADS, ScoreMethod.HELD_OUT)
    assert report.winner.params == {"dropout": 0.25}
    assert report.mistakes[0].nearest[0].label == "rose"
    assert report.settings.budget_s == 120.0


def test_before_the_test_a_report_is_that_of_a_candidate():
    values = {name: value for name, value in report_values().items() if name in BEFORE_THE_TEST}
    report = read_report(values)
    assert type(report) is CandidateReport
    assert report.to_json() == values
    with pytest.raises(ValueError, match="Not a report of a run"):
        read_run_report(values)


def test_the_first_model_wins_only_where_nothing_was_averaged_with_it():
    first = {"trial": 1}
    assert made_report(first_model=first).is_first_model
    assert not made_report(first_model={"trial": 0}).is_first_model
    assert not made_report(first_model=None).is_first_model
    assert not made_report(first_model=first, winner={"parts": [1, 4, 7]}).is_first_model


def test_what_is_known_at_last_leaves_all_else_as_it_was():
    report, time = made_report(), RunTimes(budget_s=None, used_s=3.0, first_model_s=1.0)
    ended = report.ended(time=time, notes=["Late."])
    assert (ended.time, ended.notes) == (time, ("Late.",))
    assert ended.ended(time=report.time, notes=report.notes) == report


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": VERSION + 1},
        {"colour": "red"},
        {"winner": {"stage": "guessing"}},
        {"test": {"accuracy": 1.5}},
        {"n_trials": "many"},
        {"settings": None},
    ],
)
def test_what_is_no_report_of_this_version_is_refused(changes):
    with pytest.raises(ValueError, match=r"report"):
        read_report(report_values(**changes))


def test_a_share_may_be_above_1_by_rounding_only():
    assert made_report(test={"accuracy": 1 + 1e-9}).score.accuracy == 1.0


def test_a_report_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        made_report().name = "another"


def test_every_field_is_explained_or_says_itself_what_it_is():
    described = json.loads(schema_text(RunReport))["$defs"]["ScoreReport"]["properties"]
    assert "Wilson" in described["interval_95"]["description"]
