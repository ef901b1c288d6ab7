import numpy as np
import pytest

from automl.serving.answer_table import answered_row, header, refused_row


def test_a_class_that_is_called_as_a_column_gets_its_kind_behind_its_name() -> None:
    assert header(["error", "Photo", "rose"]) == [
        *("photo", "answer", "confidence", "sure", "foreign", "error (class)", "Photo (class)", "rose", "error"),
    ]


@pytest.mark.parametrize(
    "labels",
    [
        ["error", "photo", "probability", "answer"],
        ["answer", "answer (class)", "answer (class) (class)", "sure"],
        ["Answer", "answer", "ANSWER", "confidence (class)", "confidence"],
    ],
)
def test_every_heading_stands_once(labels: list[str]) -> None:
    assert len(set(header(labels))) == len(header(labels)) == len(labels) + 6


@pytest.mark.parametrize(("is_foreign", "word"), [(True, "yes"), (False, "no"), (None, "")])
def test_a_row_says_whether_the_photo_looks_like_nothing_that_was_learned(is_foreign: bool | None, word: str) -> None:
    labels, shares = ["rose", "tulip"], np.array([0.9, 0.1])
    row = answered_row("a.jpg", labels, shares, threshold=0.8, is_foreign=is_foreign)
    assert dict(zip(header(labels), row, strict=True))["foreign"] == word
    assert len(refused_row("b.txt", labels, "no picture")) == len(header(labels))
