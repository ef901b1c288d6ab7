"""The honest score: original files through the delivered model, once."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from automl.records import ImageRecord
from automl.serving.predict import Classifier, load_image

_BATCH = 32
_Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class TestScore:
    """What the delivered model says of pictures that it never saw.

    `truth`, `predicted`: int (n_images,). `probabilities`: float32 (n_images, n_classes). `baseline_accuracy`: of
    always naming the largest class of the training pictures.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    classes: tuple[str, ...]
    truth: np.ndarray
    probabilities: np.ndarray
    baseline_accuracy: float

    @property
    def predicted(self) -> np.ndarray:
        predicted: np.ndarray = self.probabilities.argmax(axis=1)
        return predicted

    @property
    def n_images(self) -> int:
        return len(self.truth)

    @property
    def n_correct(self) -> int:
        return int((self.predicted == self.truth).sum())

    @property
    def accuracy(self) -> float:
        return self.n_correct / self.n_images

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that the test photos show."""
        recalls = self.confusion.diagonal() / np.maximum(self.confusion.sum(axis=1), 1)
        return float(recalls[self.confusion.sum(axis=1) > 0].mean())

    @property
    def interval_95(self) -> tuple[float, float]:
        return wilson_interval(self.n_correct, self.n_images)

    @property
    def confusion(self) -> np.ndarray:
        """int (n_classes, n_classes): rows are the truth, columns what the model said."""
        matrix = np.zeros((len(self.classes), len(self.classes)), dtype=int)
        np.add.at(matrix, (self.truth, self.predicted), 1)
        return matrix

    def per_class(self) -> list[dict[str, str | float | int]]:
        """Precision, recall and F1 of each class; 0 where nothing was said, or nothing was there, of a class."""
        from sklearn.metrics import precision_recall_fscore_support

        rows = precision_recall_fscore_support(
            self.truth, self.predicted, labels=range(len(self.classes)), zero_division=0
        )
        return [
            {"label": label, "precision": float(p), "recall": float(r), "f1": float(f), "n_images": int(n)}
            for label, p, r, f, n in zip(self.classes, *rows, strict=True)
        ]

    def sentence(self) -> str:
        """The score for somebody who does not know what a score is."""
        low, high = self.interval_95
        return (
            f"It was right on {self.n_correct:,} of {self.n_images:,} photos it had never seen; "
            f"expect {math.floor(low * 100)} to {math.ceil(high * 100)} of 100."
        )


def evaluate(
    classifier: Classifier,
    images: Sequence[ImageRecord],
    classes: Sequence[str],
    training_labels: np.ndarray,
    on_progress: Callable[[int, int], None],
) -> TestScore:
    """Decodes and classifies the original files of `images`, which must not be empty."""
    index = {label: number for number, label in enumerate(classes)}
    truth = np.array([index[image.label] for image in images])
    probabilities: list[np.ndarray] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            pixels = np.stack(list(pool.map(lambda image: load_image(image.path, classifier.size_px), batch)))
            probabilities.append(classifier.predict_arrays(pixels))
            on_progress(min(start + _BATCH, len(images)), len(images))
    largest = np.bincount(training_labels, minlength=len(classes)).argmax()
    return TestScore(tuple(classes), truth, np.concatenate(probabilities), float((truth == largest).mean()))


def wilson_interval(n_correct: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927); it stays within 0-1 for small n, unlike the normal one."""
    share, z2 = n_correct / n, _Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
