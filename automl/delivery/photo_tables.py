"""The tables in a download that have a row for each photo: `photos.csv` and `answers.csv`."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from automl.datasets.split_groups import together
from automl.evaluation.score import TestScore
from automl.records import DatasetManifest, ImageRecord, PhotoUse, SplitPlan
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
    "fold",
    "sha256",
)


def photo_table(manifest: DatasetManifest, plan: SplitPlan) -> str:
    """CSV: each photo of the data set with its class and the part of the split that it was in.

    Without a test set, a photo may have been learned from and tested, by a model that had not seen it.
    """
    uses = dict.fromkeys(plan.pool, PhotoUse.LEARNED)
    uses |= dict.fromkeys(plan.test, PhotoUse.TESTED) | dict.fromkeys(plan.left_out, PhotoUse.LEFT_OUT)
    if plan.tests_every_photo:
        uses |= dict.fromkeys((plan.pool[row] for row in plan.tested_rows), PhotoUse.LEARNED_AND_TESTED)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_PHOTO_COLUMNS)
    for index, image in enumerate(manifest.images):
        used_for = uses.get(index, PhotoUse.NOT_USED)
        writer.writerow([image.name, image.label, used_for, image.group, image.clip, image.sha256])
    return buffer.getvalue()


def answer_table(
    score: TestScore, images: Sequence[ImageRecord], threshold: float | None, folds: np.ndarray | None = None
) -> str:
    """CSV: what the delivered model said of each test photo, in the order of the test.

    Without a test set, it is what a model said that was trained without the photos of its `fold`, counted from 1. What
    is the same in `together` is a clip, or copies of one picture. Of equal probabilities the earlier class comes first.
    Confidences have four decimals.

    Args:
        score: the answers.
        images: of the rows of `score`.
        threshold: the confidence from which on an answer is sure; where there is none, the column is empty.
        folds: of all photos that were learned from, counted from 0, -1 where one was not asked about; None for a test
            set, where the column is empty.
    """
    numbers = [""] * len(images) if folds is None else [str(fold + 1) for fold in folds[folds >= 0].tolist()]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(ANSWER_COLUMNS)
    likeliest = np.argsort(-score.probabilities, axis=1, kind="stable")[:, :2]
    for image, (first, second), row, cluster, fold in zip(
        images, likeliest.tolist(), score.probabilities, together(images).tolist(), numbers, strict=True
    ):
        answer = (score.classes[first], f"{row[first]:.4f}", sure_in_words(row[first], threshold))
        runner_up = (score.classes[second], f"{row[second]:.4f}")
        writer.writerow([image.name, image.label, *answer, *runner_up, cluster, fold, image.sha256])
    return buffer.getvalue()
