"""The rows of the tables agree with the figures, also where some are missing."""

import numpy as np
import pytest

from automl.delivery.report.tables import MixUp, ScoreRow, export_rows, mix_ups, score_rows
from tests.automl.delivery.report.built_reports import finished
from tests.reports import FORMAT, made_report

CLASSES = ("a", "b", "c")
CONFUSION = np.array([[7, 2, 1], [3, 6, 0], [0, 2, 9]])


def test_the_honest_score_comes_first_with_its_interval():
    rows = score_rows(made_report(test={"accuracy": 0.923, "interval_95": [0.862, 0.957]}, validation={"score": 0.95}))
    assert rows[0] == ScoreRow(title="Right on tested photos", term="accuracy", value="92.3 %", interval="86.2–95.7 %")
    assert (rows[-1].term, rows[-1].value) == ("validation accuracy", "95.0 %")


def test_every_score_that_is_there_has_a_row():
    test = {"accuracy": 0.9, "balanced_accuracy": 0.8, "macro_f1": 0.7, "top5_accuracy": 0.99, "log_loss": 0.25}
    test |= {"ece": 0.04, "baseline_accuracy": 0.3, "intervals": {"macro_f1": [0.6, 0.8], "log_loss": [0.2, 0.31]}}
    report = made_report(test=test, calibration={"ece_before": 0.1, "ece_after": 0.05})
    rows = {row.term: row for row in score_rows(report)}
    assert rows["macro F1"].interval == "60.0–80.0 %"
    assert (rows["log loss"].value, rows["log loss"].interval) == ("0.250", "0.200–0.310")
    assert rows["top-5 accuracy"].value == "99.0 %"
    assert len(rows) == 10


def test_the_first_model_has_a_row_where_it_was_scored():
    first = {"accuracy": 0.85, "interval_95": [0.78, 0.9], "at_s": 12.2}
    title = "The first model that was found, after 12 seconds"
    row = ScoreRow(title=title, term="accuracy", value="85.0 %", interval="78.0–90.0 %")
    assert row in score_rows(made_report(first_model=first))
    assert title not in {row.title for row in score_rows(made_report(first_model=None))}


def test_a_score_that_does_not_apply_or_was_not_measured_has_no_row():
    not_measured = {"top5_accuracy": None, "log_loss": None, "ece": None, "intervals": None}
    terms = [row.term for row in score_rows(made_report(test=not_measured))]
    assert terms == ["accuracy", "balanced accuracy", "macro F1", "baseline", "validation accuracy"]


@pytest.mark.parametrize(
    ("method", "ending", "n_of_validation"),
    [("held-out", "validation accuracy", 3), ("cross-validated", "accuracy", 0)],
)
def test_only_where_there_was_a_test_set_figures_are_of_validation_photos(method, ending, n_of_validation):
    test = {"method": method, "ece": 0.04, "log_loss": 0.25}
    rows = score_rows(made_report(test=test, calibration={"ece_before": 0.1, "ece_after": 0.05}))
    assert len({row.term for row in rows if "calibration error" in row.term}) == 3
    assert sum("validation" in row.term.replace("cross-validated", "") for row in rows) == n_of_validation
    assert rows[-1].term.endswith(ending)


def test_the_most_frequent_mistakes_come_first():
    assert mix_ups(finished(CLASSES, CONFUSION))[:3] == [
        MixUp(truth="b", predicted="a", n=3, n_true=9),
        MixUp(truth="a", predicted="b", n=2, n_true=10),
        MixUp(truth="c", predicted="b", n=2, n_true=11),
    ]


def test_right_answers_are_no_mistakes():
    assert mix_ups(finished(CLASSES, np.diag([1, 2, 3]))) == []


def test_classes_have_their_recall():
    rows = finished(CLASSES, CONFUSION).score.per_class
    assert [(row.label, row.n_images, round(row.recall, 2)) for row in rows] == [
        ("a", 10, 0.7),
        ("b", 9, 0.67),
        ("c", 11, 0.82),
    ]


def test_what_was_not_measured_of_a_format_is_a_dash():
    measured = {"n_bytes": 9_000_000, "accuracy": 0.9, "largest_difference": 1.2e-6, "latency_s": 0.0123}
    failed = {**FORMAT, "title": "SavedModel", "is_true": False, "words": "There was no room."}
    proven, other = export_rows(made_report(exports=[{**FORMAT, **measured}, failed]))
    assert (proven.title, proven.size, proven.accuracy) == ("ONNX", "9.0 MB", "90.0 %")
    assert (proven.largest_difference, proven.latency, proven.is_true) == ("1.2e-06", "12 ms", True)
    assert (other.title, other.size, other.latency, other.is_true) == ("SavedModel", "–", "–", False)
    assert other.words == "There was no room."
