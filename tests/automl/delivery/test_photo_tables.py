"""Each test photo has its row, with the two likeliest classes."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from automl.delivery.photo_tables import ANSWER_COLUMNS, answer_table
from automl.evaluation.score import TestScore
from automl.records import ImageRecord

SCORE = TestScore(
    classes=("ant", "bee", "cat"),
    truth=np.array([0, 1]),
    probabilities=np.array([[0.9, 0.06, 0.04], [0.5, 0.0, 0.5]], np.float32),
    baseline_accuracy=0.5,
)
IMAGES = [ImageRecord(path=Path("x"), name=name, label=label, sha256=sha, width=9, height=9) for name, label, sha in
          [("a, b.jpg", "ant", "0a"), ("c.jpg", "bee", "1b")]]  # fmt: skip


def rows(threshold: float | None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer_table(SCORE, IMAGES, threshold))))


def test_every_photo_has_its_answer_and_the_runner_up_in_the_order_of_the_test():
    first, second = rows(0.8)
    assert tuple(first) == ANSWER_COLUMNS
    assert list(first.values()) == ["a, b.jpg", "ant", "ant", "0.9000", "yes", "bee", "0.0600", "0", "", "0a"]
    assert list(second.values()) == ["c.jpg", "bee", "ant", "0.5000", "no", "cat", "0.5000", "1", "", "1b"]


def test_without_a_test_set_the_fold_is_told_that_had_not_seen_the_photo():
    """A photo of the pool that no fold holds out was not asked about, and has no row."""
    table = answer_table(SCORE, IMAGES, None, np.array([2, -1, 0]))
    assert [row["fold"] for row in csv.DictReader(io.StringIO(table))] == ["3", "1"]


def test_an_answer_is_as_sure_as_the_score_counts_it():
    for threshold in (0.5, float(SCORE.confidence[0]), 0.91):
        said = [row["sure"] == "yes" for row in rows(threshold)]
        assert sum(said) / 2 == SCORE.sure(threshold)[0]


def test_without_a_threshold_nothing_is_said_of_sure():
    assert [row["sure"] for row in rows(None)] == ["", ""]


def test_a_row_too_few_is_an_error():
    with pytest.raises(ValueError, match="longer"):
        answer_table(SCORE, IMAGES[:1], None)
