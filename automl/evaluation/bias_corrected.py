"""The score of a model that was chosen and tested by the same held-out answers, free of the luck of the choice.

Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis, Machine Learning 107, 2018): each
bootstrap draws groups of photos with replacement, class by class, repeats the whole selection on the photos in the bag,
and asks what it chose about the photos outside. A photo's score is the mean over the bootstraps that left it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from automl.evaluation.intervals import Interval, effective_number, wilson_interval
from automl.models.head.network import softmax
from automl.search.objective import Objective
from automl.search.selection import AskedPhotos, TrialAnswers, calibrated, chosen_counts, mean_answers

N_BOOTSTRAPS = 100

EXTRA_VARIANCE = 1.25
"""By so much the score varies more than that of one model on as many photos; see `intervals_of`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasCorrected:
    """The score of the whole selection on photos that it has not seen.

    Attributes:
        correctness: float64 (n_rows,), 0-1: how often each photo was answered right.
        accuracy: their mean, 0-1.
        accuracy_interval: the 95 % interval of the accuracy.
        balanced_accuracy: the mean over the classes, 0-1.
        balanced_accuracy_interval: its 95 % interval.
        log_loss: in nats, at the temperature that each bootstrap found.
        coverage: the share of the answers that counted as sure, 0-1.
        accuracy_when_sure: the share of these that was right, 0-1; None where there was none.
    """

    correctness: np.ndarray
    accuracy: float
    accuracy_interval: Interval
    balanced_accuracy: float
    balanced_accuracy_interval: Interval
    log_loss: float
    coverage: float
    accuracy_when_sure: float | None


def bias_corrected(
    answers: TrialAnswers,
    photos: AskedPhotos,
    objective: Objective,
    *,
    seed: int,
    n_bootstraps: int = N_BOOTSTRAPS,
) -> BiasCorrected:
    """Scores what `automl.search.selection.select` would choose, on photos that had no part in the choice.

    Args:
        answers, photos, objective: those that the selection is made from.
        seed: of the draws.
        n_bootstraps: how many times photos are drawn.
    """
    weights = _drawn(photos, n_bootstraps, np.random.default_rng(seed))
    counts = chosen_counts(answers, photos, objective, weights)
    tally = _Tally(photos.labels)
    for bag, logits in _models(answers, counts):
        tally.add(logits, weights[bag].take(photos.groups))
    if tally.lacks.any():
        tally.add_missing(answers, photos, objective)
    return tally.scored(photos)


def intervals_of(correctness: np.ndarray, photos: AskedPhotos) -> tuple[Interval, Interval]:
    """The 95 % intervals of accuracy and balanced accuracy.

    They are Wilson's for the effective number of photos, as those of a test set are: a percentile bootstrap of 20
    photos is too narrow, and has no width where all are right. The photos that are answered by models of one fold
    share what these have learned, so the score varies somewhat more than the number of photos says
    (`bench.small_sets`). For the balanced accuracy the classes count as equally hard.

    Args:
        correctness: float (n_rows,), 0-1, how often each photo was answered right.
        photos: their classes and groups.
    """
    n_effective = max(1.0, effective_number(correctness, photos.groups) / EXTRA_VARIANCE)
    n_images = np.bincount(photos.labels)
    n_images = n_images[n_images > 0]
    evenness = len(n_images) ** 2 / (1 / n_images).sum() / n_images.sum()
    n_balanced = max(1.0, n_effective * float(evenness))
    balanced = float(_by_class(correctness, photos.labels).mean())
    return (
        wilson_interval(float(correctness.mean()) * n_effective, n_effective),
        wilson_interval(balanced * n_balanced, n_balanced),
    )


def _by_class(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """float64 (n_classes that are there,): the mean of each class."""
    n_images = np.bincount(labels)
    return np.asarray((np.bincount(labels, weights=values) / np.maximum(n_images, 1))[n_images > 0])


def _drawn(photos: AskedPhotos, n_bootstraps: int, random: np.random.Generator) -> np.ndarray:
    """float64 (n_bootstraps, n_groups): how often each draw has each group; of each class as many as there are."""
    _, first = np.unique(photos.groups, return_index=True)
    classes = photos.labels[first]
    weights = np.zeros((n_bootstraps, photos.n_groups))
    for label in np.unique(classes):
        own = np.flatnonzero(classes == label)
        weights[:, own] = random.multinomial(len(own), np.full(len(own), 1 / len(own)), size=n_bootstraps)
    return weights


def _models(answers: TrialAnswers, counts: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each bag with the logits of the ensemble that it chose, which are averaged once for each ensemble."""
    order = np.lexsort(counts.T)
    before, logits = None, np.empty(0)
    for bag in order.tolist():
        if before is None or not np.array_equal(counts[bag], counts[before]):
            logits = mean_answers(answers, counts[bag])
        before = bag
        yield bag, logits


class _Tally:
    """What was answered about each photo by the models that were chosen without it.

    Args:
        labels: int (n_rows,).
    """

    def __init__(self, labels: np.ndarray) -> None:
        self._labels = labels
        self._n = np.zeros(len(labels))
        self._right, self._loss, self._sure, self._surely_right = np.zeros((4, len(labels)))

    @property
    def lacks(self) -> np.ndarray:
        """bool (n_rows,): the photos that every bag had, as the only group of a class."""
        return np.asarray(self._n == 0)

    def add(self, logits: np.ndarray, weights: np.ndarray) -> None:
        """Takes the answers of one bag about the photos outside.

        Args:
            logits: float (n_repeats, n_rows, n_classes), of the ensemble that it chose.
            weights: float (n_rows,), how often the bag has each photo.
        """
        self._take(logits, weights, np.flatnonzero(weights == 0))

    def add_missing(self, answers: TrialAnswers, photos: AskedPhotos, objective: Objective) -> None:
        """Takes the answers about photos that no bag left out: those of the selection by all photos."""
        (counts,) = chosen_counts(answers, photos, objective, np.ones((1, photos.n_groups)))
        self._take(mean_answers(answers, counts), np.ones(len(self._labels)), np.flatnonzero(self.lacks))

    def _take(self, logits: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> None:
        temperature, threshold = calibrated(logits, self._labels, weights)
        own = np.broadcast_to(self._labels[rows], (len(logits), len(rows)))
        probabilities, _ = softmax(logits[:, rows] / temperature)
        is_right = probabilities.argmax(axis=-1) == own
        is_sure = probabilities.max(axis=-1) >= (np.inf if threshold is None else threshold)
        chance = np.take_along_axis(probabilities, own[..., None], axis=-1)[..., 0]
        self._n[rows] += 1
        self._right[rows] += is_right.mean(axis=0)
        self._loss[rows] -= np.log(np.maximum(chance, np.finfo(np.float32).tiny)).mean(axis=0)
        self._sure[rows] += is_sure.mean(axis=0)
        self._surely_right[rows] += (is_sure & is_right).mean(axis=0)

    def scored(self, photos: AskedPhotos) -> BiasCorrected:
        correctness, loss, sure, surely_right = (
            values / self._n for values in (self._right, self._loss, self._sure, self._surely_right)
        )
        accuracy, balanced_accuracy = intervals_of(correctness, photos)
        return BiasCorrected(
            correctness=correctness,
            accuracy=float(correctness.mean()),
            accuracy_interval=accuracy,
            balanced_accuracy=float(_by_class(correctness, photos.labels).mean()),
            balanced_accuracy_interval=balanced_accuracy,
            log_loss=float(loss.mean()),
            coverage=float(sure.mean()),
            accuracy_when_sure=float(surely_right.sum() / sure.sum()) if sure.any() else None,
        )
