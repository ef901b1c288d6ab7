"""model_card.md: every part that a card needs, in Markdown that names cannot break."""

import numpy as np
import pytest

from automl.delivery.report.model_card import model_card, write_model_card
from tests.automl.delivery.report.built_reports import HOSTILE, finished
from tests.reports import FORMAT

CONFUSION = np.array([[38, 4, 0], [1, 41, 0], [0, 0, 43]])
CLASSES = ("bean_rust", "angular_leaf_spot", "healthy")


def test_the_card_has_its_parts_in_order():
    card = model_card(finished(CLASSES, CONFUSION, exports=[FORMAT]))
    titles = [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")]
    assert titles == [
        "What it is for", "What it is not for", "The data", "How good it is", "Formats", "Limits",
        "Where it comes from", "To repeat this run",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "| bean_rust | 2 | 1 | 0 |",
        "| Fingerprint (SHA-256) | abc |",
        "| Without any model: always the most common class | baseline | 33.1 % |  |",
        f"| v2 | Keras: x | MIT | A note. | {'e' * 64} |",
        "| Seed | 7 |",
        "The threshold for “not sure” was chosen on validation photos: 0.830.",
        "automl train FOLDER --budget 120s --goal accuracy --scoring held-out --fine-tuning "
        "--tuner optuna --pruner median --early-stopping --seed 7",
    ],
)
def test_the_card_says_what_was_used_and_how_to_repeat_it(line):
    calibration = {"temperature": 1.25, "threshold": 0.83, "coverage": 0.9, "accuracy_when_sure": 0.98}
    assert line in model_card(finished(CLASSES, CONFUSION, calibration=calibration)).splitlines()


def test_every_row_of_a_table_has_the_columns_of_its_head():
    card = model_card(finished(HOSTILE, np.full((3, 3), 4), name=HOSTILE[2], exports=[{**FORMAT, "title": HOSTILE[2]}]))
    blocks = [block.splitlines() for block in card.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 8
    for block in blocks:
        assert len({line.replace(r"\|", "").count("|") for line in block}) == 1
    assert "<script>" not in card


def test_the_card_is_written_without_gaps(tmp_path):
    write_model_card(tmp_path / "model_card.md", finished(CLASSES, CONFUSION))
    assert "\n\n\n" not in (tmp_path / "model_card.md").read_text("utf-8")


def test_without_a_test_set_the_card_says_how_every_photo_was_tested():
    calibration = {"temperature": 1.25, "threshold": 0.83, "coverage": 0.9, "accuracy_when_sure": 0.98}
    one = {**FORMAT, "agreement": 0.995}
    card = model_card(
        finished(CLASSES, CONFUSION, calibration=calibration, exports=[one], test={"method": "cross-validated"})
    )
    assert "No photos were put aside for a test: the delivered model has learned from all of them." in card
    assert "The threshold for “not sure” was chosen by the same answers: 0.830." in card
    assert "| bean_rust | 2 | 0 |" in card.splitlines()
    assert "| 99.5 % |" in card
    assert "test photos" not in card.lower()
