"""Which mistakes are explained, and by which photos."""

from pathlib import Path

import numpy as np

from automl.evaluation.score import TestScore
from automl.pipeline.explaining import explained_mistakes
from automl.records import ImageRecord


class Features:
    """Stands for frozen features: photo number i has the direction i."""

    def __init__(self, n: int) -> None:
        self._n = n

    def last_layer(self) -> np.ndarray | None:
        return np.eye(self._n, dtype=np.float16) if self._n else None

    def last_layer_of(self, images: list[ImageRecord]) -> np.ndarray:
        return np.stack([np.eye(self._n, dtype=np.float32)[int(image.sha256)] for image in images])


def image(number: int, label: str) -> ImageRecord:
    return ImageRecord(path=Path("x"), name=f"{label}/{number}.jpg", label=label, sha256=str(number), width=8, height=8)


LEARNED = [image(n, "cat" if n < 3 else "dog") for n in range(6)]


def score(*answers: tuple[int, float]) -> TestScore:
    """Test photos of cats; each answer is a class and how sure it is."""
    rows = [[sure, 1 - sure] if one == 0 else [1 - sure, sure] for one, sure in answers]
    return TestScore(
        classes=("cat", "dog"),
        truth=np.zeros(len(rows), int),
        probabilities=np.array(rows, np.float32),
        baseline_accuracy=0.5,
    )


def test_the_surest_mistake_comes_first_with_the_photos_that_are_nearest() -> None:
    tested = [image(n, "cat") for n in (0, 4, 5)]
    found = explained_mistakes(Features(6), learned=LEARNED, tested=tested, score=score((0, 0.9), (1, 0.6), (1, 0.8)))  # type: ignore[arg-type]
    assert [(one.name, one.label, one.predicted) for one in found] == [
        ("cat/5.jpg", "cat", "dog"),
        ("cat/4.jpg", "cat", "dog"),
    ]
    assert [one.nearest[0].sha256 for one in found] == ["5", "4"]
    assert all(len(one.nearest) == 3 for one in found)


def test_without_mistakes_or_features_there_is_nothing_to_explain() -> None:
    tested = [image(0, "cat")]
    assert explained_mistakes(Features(6), learned=LEARNED, tested=tested, score=score((0, 0.9))) == ()  # type: ignore[arg-type]
    assert explained_mistakes(Features(0), learned=LEARNED, tested=tested, score=score((1, 0.9))) == ()  # type: ignore[arg-type]


def test_only_so_many_are_explained() -> None:
    tested = [image(n % 6, "cat") for n in range(40)]
    assert len(explained_mistakes(Features(6), learned=LEARNED, tested=tested, score=score(*[(1, 0.7)] * 40))) == 12  # type: ignore[arg-type]
