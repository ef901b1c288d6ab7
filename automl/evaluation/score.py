"""The honest score: original files through the delivered model, once.

Where there is no test set, each photo is answered by a model of the same kind that had not seen it, and the luck of the
choice is taken off (`automl.evaluation.bias_corrected`).
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from automl.datasets.split_groups import together
from automl.evaluation.bias_corrected import BiasCorrected
from automl.evaluation.calibration import calibration_error, reliability_bins, sure_answers
from automl.evaluation.intervals import Intervals, bootstrap_intervals, class_scores, clustered_interval
from automl.processors import n_processors
from automl.records import ImageRecord
from automl.records.report import ClassScore
from automl.serving.predict import Classifier, load_image
from automl.text.messages import delivery as delivery_messages

_BATCH = 32
_TOP = 5
_UNLIKELIEST = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestScore:
    """What the delivered model says of the test photos, which it never saw.

    Without a test set, the photos are those that a fold held out, and the answers those of the delivered model's like,
    trained without that fold, in the first repeat of the cross-validation.

    Attributes:
        classes: the class names in the order of the probabilities.
        truth: int (n_images,), the class of each photo, an index into `classes`; there is at least one photo.
        probabilities: float32 (n_images, n_classes).
        baseline_accuracy: the accuracy of always naming the largest class of the training photos, 0-1.
        clusters: int (n_images,), the same number for photos that are right or wrong together, such as the frames of a
            clip; None where each is alone.
        distances: float32 (n_images,), how far each photo is from all that was learned; None where the model cannot
            tell, and without a test set.
        corrected: the score of the whole selection, where the same answers chose the model; None for a test set, which
            chose nothing.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    classes: tuple[str, ...]
    truth: np.ndarray
    probabilities: np.ndarray
    baseline_accuracy: float
    clusters: np.ndarray | None = None
    distances: np.ndarray | None = None
    corrected: BiasCorrected | None = None

    @property
    def is_held_out(self) -> bool:
        """Whether there was a test set; else every photo was tested."""
        return self.corrected is None

    @property
    def predicted(self) -> np.ndarray:
        """int (n_images,): the likeliest class of each photo, an index into `classes`."""
        predicted: np.ndarray = self.probabilities.argmax(axis=1)
        return predicted

    @property
    def n_images(self) -> int:
        """The number of test photos."""
        return len(self.truth)

    @property
    def n_correct(self) -> int:
        """The number of test photos that the model classifies correctly."""
        return int((self.predicted == self.truth).sum())

    @property
    def accuracy(self) -> float:
        """The share of the test photos that the model classifies correctly, 0-1; corrected where it must be."""
        return self.corrected.accuracy if self.corrected else self.n_correct / self.n_images

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that the test photos show; corrected where it must be."""
        return self.corrected.balanced_accuracy if self.corrected else self._class_scores()[0]

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that the test photos show or the model names."""
        return self._class_scores()[1]

    @property
    def top5_accuracy(self) -> float | None:
        """Share of the photos whose class is among the five likeliest; None for ten classes and fewer."""
        if len(self.classes) <= 2 * _TOP:
            return None
        likeliest = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :_TOP]
        return float((likeliest == self.truth[:, None]).any(axis=1).mean())

    @property
    def log_loss(self) -> float:
        """Mean over the photos of minus the logarithm of the probability of the true class, in nats."""
        return float(self._losses().mean())

    @property
    def ece(self) -> float:
        """Expected calibration error, 0-1; see `calibration`."""
        return calibration_error(reliability_bins(self.confidence, self.predicted == self.truth))

    @property
    def confidence(self) -> np.ndarray:
        """float32 (n_images,): the probability of the model's answer."""
        confidence: np.ndarray = self.probabilities.max(axis=1)
        return confidence

    @property
    def interval_95(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, lower and upper end, 0-1."""
        if self.corrected is not None:
            return self.corrected.accuracy_interval
        clusters = np.arange(self.n_images) if self.clusters is None else self.clusters
        return clustered_interval(self.predicted == self.truth, clusters)

    @property
    def confusion(self) -> np.ndarray:
        """int (n_classes, n_classes): the number of photos by true class (rows) and by the model's answer (columns)."""
        matrix = np.zeros((len(self.classes), len(self.classes)), dtype=int)
        np.add.at(matrix, (self.truth, self.predicted), 1)
        return matrix

    def intervals(self, seed: int = 0) -> Intervals:
        """95 % intervals of balanced accuracy, macro F1 and log loss, by bootstrap."""
        found = bootstrap_intervals(
            self.truth,
            self.predicted,
            self._losses(),
            n_classes=len(self.classes),
            clusters=self.clusters,
            seed=seed,
        )
        if self.corrected is None:
            return found
        return replace(found, balanced_accuracy=self.corrected.balanced_accuracy_interval)

    def sure(self, threshold: float | None) -> tuple[float, float | None]:
        """Coverage and accuracy of the answers that count as sure; see `calibration.sure_answers`.

        Where the same answers chose the threshold, the corrected figures are those of thresholds that they did not.
        """
        if self.corrected is not None:
            return self.corrected.coverage, self.corrected.accuracy_when_sure
        return sure_answers(self.confidence, self.predicted == self.truth, threshold)

    def worst_pair(self) -> tuple[str, str, int] | None:
        """The two classes that are confused most and how often; None where there is no mistake.

        The first is the one that is more often taken for the other; of equal pairs the first in the order of classes.
        """
        pairs = self._mixed_up()
        one, other = (int(place) for place in np.unravel_index(pairs.argmax(), pairs.shape))
        if pairs[one, other] == 0:
            return None
        if self.confusion[other, one] > self.confusion[one, other]:
            one, other = other, one
        return self.classes[one], self.classes[other], int(pairs.max())

    def per_class(self) -> tuple[ClassScore, ...]:
        """Precision, recall and F1 of each class; 0 for a class that the model never names or no photo shows."""
        from sklearn.metrics import precision_recall_fscore_support

        rows = precision_recall_fscore_support(
            self.truth, self.predicted, labels=range(len(self.classes)), zero_division=0
        )
        return tuple(
            ClassScore(label=label, precision=float(p), recall=float(r), f1=float(f), n_images=int(n))
            for label, p, r, f, n in zip(self.classes, *rows, strict=True)
        )

    def sentence(self) -> str:
        """The score for people who do not know what a score is.

        A pair of classes is named if it is confused more than once and more often than every other pair.
        """
        low, high = self.interval_95
        figures = {
            "n_right": self.n_correct,
            "n": self.n_images,
            "expected": round(self.accuracy * 100),
            "low": math.floor(low * 100),
            "high": math.ceil(high * 100),
        }
        worst, pairs = self.worst_pair(), self._mixed_up()
        if worst is None or worst[2] < 2 or len(self.classes) == 2 or (pairs == worst[2]).sum() > 1:
            words = delivery_messages.EVERY_PHOTO_SCORE if self.corrected else delivery_messages.SCORE
            return words.format(**figures)
        words = (
            delivery_messages.EVERY_PHOTO_SCORE_AND_WORST_PAIR
            if self.corrected
            else delivery_messages.SCORE_AND_WORST_PAIR
        )
        return words.format(one=worst[0], other=worst[1], **figures)

    def _mixed_up(self) -> np.ndarray:
        """int (n_classes, n_classes): photos of one class taken for the other, either way; above the diagonal only."""
        counts = self.confusion
        return np.triu(counts + counts.T, k=1)

    def _class_scores(self) -> tuple[float, float]:
        counts = self.confusion
        recall, f1 = class_scores(counts.sum(axis=1), counts.sum(axis=0), counts.diagonal())
        return float(recall), float(f1)

    def _losses(self) -> np.ndarray:
        """float64 (n_images,), in nats; a probability that was rounded to 0 counts as float32's precision."""
        of_truth = self.probabilities[np.arange(self.n_images), self.truth].astype(np.float64)
        return np.asarray(np.log(1 / np.clip(of_truth, _UNLIKELIEST, 1)))


def evaluate(
    classifiers: Sequence[Classifier],
    images: Sequence[ImageRecord],
    *,
    classes: Sequence[str],
    training_labels: np.ndarray,
    on_progress: Callable[[int, int], None],
) -> list[TestScore]:
    """Scores delivered models on the original files of the test photos.

    All models are given the photos in one pass over the files, each at its own size. They are of one run, so they have
    the same contract.

    Args:
        classifiers: the delivered models.
        images: the test photos; there must be at least one.
        classes: the class names in the order of the models' probabilities.
        training_labels: int (n_training,), the classes of the training photos, for the baseline.
        on_progress: takes the number of photos that are done and the number of all photos.

    Returns:
        One score for each model.
    """
    index = {label: number for number, label in enumerate(classes)}
    truth = np.array([index[image.label] for image in images])
    answers: list[list[tuple[np.ndarray, np.ndarray | None]]] = [[] for _ in classifiers]
    rules = classifiers[0].rules
    with ThreadPoolExecutor(n_processors()) as pool:
        for start in range(0, len(images), _BATCH):
            paths = [image.path for image in images[start : start + _BATCH]]
            pixels = {  # decoded once for each size that a model takes
                size: np.stack(list(pool.map(partial(load_image, size_px=size, rules=rules), paths)))
                for size in {classifier.size_px for classifier in classifiers}
            }
            for classifier, answered in zip(classifiers, answers, strict=True):
                answered.append(classifier.ask_arrays(pixels[classifier.size_px]))
            on_progress(min(start + _BATCH, len(images)), len(images))
    largest = np.bincount(training_labels, minlength=len(classes)).argmax()
    baseline = float((truth == largest).mean())
    return [
        TestScore(
            classes=tuple(classes),
            truth=truth,
            probabilities=np.concatenate([probabilities for probabilities, _ in answered]),
            baseline_accuracy=baseline,
            clusters=together(images),
            distances=_joined([distances for _, distances in answered]),
        )
        for answered in answers
    ]


def _joined(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None
