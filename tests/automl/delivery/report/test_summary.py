"""What report and card say, from a whole `metrics.json`, from an older one and from one of an unfinished run."""

import numpy as np
import pytest

from automl.delivery.report.summary import Fact, summarise
from tests.automl.delivery.report.metrics_files import finished, unfinished

CLASSES = ("a", "b")
METRICS = finished(CLASSES, np.array([[60, 4], [2, 54]]), time={"used_s": 119.0, "budget_s": 120.0}, notes=["A note."])
NEEDED = {"name", "classes", "sentence"}
SPARE = [(key, None) for key in METRICS if key not in NEEDED] + [
    (key, inner) for key in ("test", "winner", "validation", "time") for inner in METRICS[key]
]


@pytest.mark.parametrize(("key", "inner"), SPARE)
def test_what_an_older_run_did_not_write_is_left_out(key, inner):
    older = dict(METRICS)
    if inner is None:
        del older[key]
    else:
        older[key] = {name: value for name, value in METRICS[key].items() if name != inner}
    assert summarise(older).headline == METRICS["sentence"]


def test_the_data_are_told_with_split_and_fingerprint():
    facts = summarise(METRICS).data
    assert Fact("Photos", "6: 4 to learn from, 2 for the test") in facts
    assert Fact("Validation", "2-fold cross-validation, within the photos to learn from") in facts
    assert Fact("Fingerprint (SHA-256)", "abc") in facts


def test_weights_are_told_with_the_place_that_they_came_from():
    (row,) = summarise(METRICS).weights
    assert (row.origin, row.licence) == ("Keras: x", "MIT")


def test_every_setting_is_listed_in_words():
    settings = {fact.title: fact.words for fact in summarise(METRICS).settings}
    assert len(settings) == 16
    assert settings["How long may it take"] == "2 minutes"
    assert settings["What counts"] == "accuracy"
    assert settings["Largest model"] == "no limit"
    assert settings["Networks to build on"] == "all that were installed"
    assert settings["Search method"] == "Optuna"


def test_an_unfinished_run_has_no_command_and_no_scores_of_a_test():
    summary = summarise(unfinished(CLASSES))
    assert summary.command == ""
    assert summary.settings == summary.class_rows == summary.findings == []
    assert [figure.term for figure in summary.scores] == ["validation accuracy"]


def test_no_sentence_is_said_twice():
    summary = summarise(METRICS | {"calibration": {"threshold": 0.8, "coverage": 0.9, "accuracy_when_sure": 0.97}})
    assert not set(summary.limits) & set(summary.findings)


def test_a_package_is_said_to_be_the_source_of_the_numbers_only():
    row = {**METRICS["weights"][0], "origin": "package archive", "location": "some-package==1.0"}
    (found,) = summarise({**METRICS, "weights": [row]}).weights
    assert found.origin == (
        "package archive: some-package==1.0 (name of the Python package that the numbers were taken from)"
    )
