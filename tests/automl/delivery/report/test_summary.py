"""What report and card say of a run."""

import numpy as np

from automl.delivery.report.summary import Fact, summarise
from tests.automl.delivery.report.built_reports import finished
from tests.reports import WEIGHTS, made_report

CLASSES = ("a", "b")
TIME = {"used_s": 119.0, "budget_s": 120.0}
REPORT = finished(CLASSES, np.array([[60, 4], [2, 54]]), time=TIME, notes=["A note."])


def test_the_data_are_told_with_split_and_fingerprint():
    facts = summarise(REPORT).data
    assert Fact("Photos", "6: 4 to learn from, 2 for the test") in facts
    assert Fact("Validation", "2-fold cross-validation, within the photos to learn from") in facts
    assert Fact("Fingerprint (SHA-256)", "abc") in facts


def test_the_mean_of_several_tries_is_no_try():
    winner = {"trial": 12, "parts": [3, 7]}
    made = summarise(made_report(n_trials=12, winner=winner)).made
    assert Fact("Chosen from", "12 tries, and means of several of them: the mean of 2 won") in made


def test_weights_are_told_with_the_place_that_they_came_from():
    (row,) = summarise(REPORT).weights
    assert (row.origin, row.licence) == ("Keras: x", "MIT")


def test_every_setting_is_listed_in_words():
    settings = {fact.title: fact.words for fact in summarise(REPORT).settings}
    assert len(settings) == 17
    assert settings["How long may it take"] == "2 minutes"
    assert settings["What counts"] == "accuracy"
    assert settings["Largest model"] == "no limit"
    assert settings["Networks to build on"] == "all that were installed"
    assert settings["Search method"] == "Optuna"


def test_no_sentence_is_said_twice():
    calibration = {"threshold": 0.8, "coverage": 0.9, "accuracy_when_sure": 0.97}
    summary = summarise(finished(CLASSES, np.array([[60, 4], [2, 54]]), calibration=calibration))
    assert not set(summary.limits) & set(summary.findings)


def test_a_package_is_said_to_be_the_source_of_the_numbers_only():
    row = {**WEIGHTS, "origin": "package archive", "location": "some-package==1.0"}
    (found,) = summarise(made_report(weights=[row])).weights
    assert found.origin == (
        "package archive: some-package==1.0 (name of the Python package that the numbers were taken from)"
    )


def test_what_was_never_measured_is_left_out():
    older = made_report(data=None, date=None, winner={"n_bytes": None, "latency_s": None})
    summary = summarise(older)
    assert (summary.date, summary.data_rows) == ("", ())
    assert Fact("Test photos", "10") in summary.data
    assert not {"Size", "Time for one photo"} & {fact.title for fact in summary.made}
