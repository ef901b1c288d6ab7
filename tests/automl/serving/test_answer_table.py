import pytest

from automl.serving.answer_table import header


def test_a_class_that_is_called_as_a_column_gets_its_kind_behind_its_name() -> None:
    assert header(["error", "Photo", "rose"]) == [
        *("photo", "answer", "confidence", "sure", "error (class)", "Photo (class)", "rose", "error"),
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
    assert len(set(header(labels))) == len(header(labels)) == len(labels) + 5
