from pathlib import Path

import pytest

from automl.delivery.conversion import _images_of
from automl.records import ImageRecord


def image(sha256: str, name: str) -> ImageRecord:
    return ImageRecord(path=Path(name), name=name, label="cat", sha256=sha256, width=9, height=9)


@pytest.mark.parametrize("order", [1, -1])
def test_a_test_photo_whose_copy_was_left_out_proves_the_model_once(order: int) -> None:
    rows = [
        {"sha256": "a", "part": "test"},
        {"sha256": "a", "part": "left out"},
        {"sha256": "b", "part": "test"},
        {"sha256": "c", "part": "learn"},
    ][::order]
    known = [image("a", "1.png"), image("a", "2.png"), image("b", "3.png"), image("c", "4.png")]
    assert [one.sha256 for one in _images_of(rows, "test", known)] == ["a", "b"]
    assert [one.sha256 for one in _images_of(rows, "learn", known)] == ["c"]
