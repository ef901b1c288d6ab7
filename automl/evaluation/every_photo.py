"""The score of a run without a test set: from answers of models that had not seen the photo that they answer for."""

from collections.abc import Sequence

import numpy as np

from automl.datasets.split_groups import together
from automl.evaluation.bias_corrected import BiasCorrected
from automl.evaluation.score import TestScore
from automl.models.head.network import softmax
from automl.records import ImageRecord


def typical_repeat(held_out_logits: np.ndarray, labels: np.ndarray) -> int:
    """The repeat of the cross-validation whose answers stand for all: the one with the median number of right ones.

    One answer to each photo is that of one model, as the delivered one is. The mean over the repeats would be that of
    several models together, which make fewer mistakes.

    Args:
        held_out_logits: float (n_repeats, n_images, n_classes).
        labels: int (n_images,).
    """
    n_right = (held_out_logits.argmax(axis=2) == labels).sum(axis=1)
    return int(np.argsort(n_right, kind="stable")[(len(n_right) - 1) // 2])


def score_every_photo(
    held_out_logits: np.ndarray, images: Sequence[ImageRecord], *, classes: Sequence[str], corrected: BiasCorrected
) -> TestScore:
    """What a model's like said of the photos that a fold held out.

    Args:
        held_out_logits: float (n_images, n_classes), of one repeat; as the delivered model's, calibrated.
        images: the photos, in the order of the answers.
        classes: the class names in the order of the logits.
        corrected: the score of the whole selection on these photos.
    """
    index = {label: number for number, label in enumerate(classes)}
    truth = np.array([index[image.label] for image in images])
    probabilities, _ = softmax(held_out_logits)
    return TestScore(
        classes=tuple(classes),
        truth=truth,
        probabilities=np.asarray(probabilities, np.float32),
        baseline_accuracy=float(np.bincount(truth).max() / len(truth)),
        clusters=together(images),
        corrected=corrected,
    )
