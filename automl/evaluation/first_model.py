"""The first model that a search found, measured on the same photos as the one that won."""

from dataclasses import dataclass
from pathlib import Path

from automl.evaluation.score import TestScore
from automl.records.report import FirstModelReport
from automl.search.candidate import Candidate


@dataclass(frozen=True, slots=True)
class FirstModel:
    """What the first download held.

    Attributes:
        candidate: the model.
        onnx: its file.
        at_s: when it was there, in seconds of the run.
    """

    candidate: Candidate
    onnx: Path
    at_s: float


def describe_first(first: FirstModel, score: TestScore) -> FirstModelReport:
    """What the report says of the first model. score: of its answers on the photos of the test."""
    return FirstModelReport(
        trial=first.candidate.number,
        accuracy=score.accuracy,
        n_correct=round(score.accuracy * score.n_images),
        n_images=score.n_images,
        interval_95=score.interval_95,
        backbones=first.candidate.backbones,
        image_size_px=first.candidate.image_size_px,
        at_s=round(first.at_s, 1),
    )
