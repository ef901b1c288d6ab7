"""The tables in a download that have a row for each photo: `photos.csv` and `answers.csv`."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from automl.datasets.split_groups import together
from automl.evaluation.score import TestScore
from automl.records import DatasetManifest, ImageRecord, SplitPlan
from automl.serving.answer_table import sure_in_words

_PHOTO_COLUMNS = ("photo", "class", "part", "near_copies", "clip", "sha256")
ANSWER_COLUMNS = (
    "photo",
    "class",
    "answer",
    "confidence",
    "sure",
    "runner_up",
    "runner_up_confidence",
    "together",
    "sha256",
)


def photo_table(manifest: DatasetManifest, plan: SplitPlan) -> str:
    """CSV: each photo of the data set with its class and the part of the split that it was in."""
    part = (
        dict.fromkeys(plan.pool, "learn") | dict.fromkeys(plan.test, "test") | dict.fromkeys(plan.left_out, "left out")
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_PHOTO_COLUMNS)
    for index, image in enumerate(manifest.images):
        used_for = part.get(index, "not used")
        writer.writerow([image.name, image.label, used_for, image.group, image.clip, image.sha256])
    return buffer.getvalue()


def answer_table(score: TestScore, images: Sequence[ImageRecord], threshold: float | None) -> str:
    """CSV: what the delivered model said of each test photo, in the order of the test.

    images: of the rows of `score`. threshold: the confidence from which on an answer is sure; where there is none,
    the column is empty. What is the same in `together` is a clip, or copies of one picture. Of equal probabilities the
    earlier class comes first. Confidences have four decimals.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(ANSWER_COLUMNS)
    likeliest = np.argsort(-score.probabilities, axis=1, kind="stable")[:, :2]
    for image, (first, second), row, cluster in zip(
        images, likeliest.tolist(), score.probabilities, together(images).tolist(), strict=True
    ):
        answer = (score.classes[first], f"{row[first]:.4f}", sure_in_words(row[first], threshold))
        runner_up = (score.classes[second], f"{row[second]:.4f}")
        writer.writerow([image.name, image.label, *answer, *runner_up, cluster, image.sha256])
    return buffer.getvalue()
