"""The temperature that makes probabilities mean what they say, and the confidence from which on an answer is sure.

Temperature scaling divides the logits by one number, so it changes a model's confidence and never its answer (Guo et
al., 2017, arXiv:1706.04599). Answers may have weights: of a bootstrap, how often each photo was drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
LEAST_ACCURACY = 0.95
FEWEST_SURE = 20
_MOST_STEPS = 100
_TOLERANCE = 1e-7
_CHUNK = 8192
_STEPS_OF_CONFIDENCE = np.arange(500, 1000) / 1000


def best_temperature(
    logits: np.ndarray, labels: np.ndarray, *, n_photos: float, weights: np.ndarray | None = None
) -> float:
    """The temperature with the lowest log loss; 1 where the loss would not fall.

    Newton's method within a bracket, on 1/T, in which the log loss is convex. As in Platt (1999), the targets are not
    quite certain: one more photo is imagined whose class is unknown. Otherwise a model without a mistake in 30 photos
    would become as sure of everything as the bounds allow.

    Args:
        logits: float (n_answers, n_classes).
        labels: int (n_answers,), the true classes.
        n_photos: the number of photos that the answers are about; a photo may have several.
        weights: float (n_answers,), how much each answer counts; all count alike by default.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    parts = list(_parts(logits, labels, weights, guess=1 / (n_photos + 1)))
    low, high = 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE
    sharpness = 1.0
    for _ in range(_MOST_STEPS):
        slope, curvature = np.sum([part.slope(sharpness) for part in parts], axis=0)
        low, high = (low, sharpness) if slope > 0 else (sharpness, high)
        step = sharpness - slope / curvature if curvature > 0 else high
        last, sharpness = sharpness, float(step) if low < step < high else float(np.sqrt(low * high))
        if abs(sharpness - last) < _TOLERANCE * last:
            break
    gain = sum(part.loss(1.0) - part.loss(sharpness) for part in parts) / float(weights.sum())
    return 1 / sharpness if gain > _TOLERANCE else 1.0


def sure_threshold(
    confidence: np.ndarray, is_right: np.ndarray, *, n_photos: float, weights: np.ndarray | None = None
) -> float | None:
    """The lowest confidence from which on answers are wrong at most half as often as all, and at most once in 20.

    It is the lowest one, so that as many answers as possible count as sure. A good model must say "not sure" for its
    own worst answers, hence the half; a poor one must not call answers sure that are no better than its others, hence
    the 1 in 20. It is searched for in steps of 0.1 % from 50 % on: below that an answer is more probably wrong than
    correct. Fewer than 20 photos prove nothing: a few lucky answers would make their confidence a threshold.

    Args:
        confidence: float (n_answers,), 0-1.
        is_right: bool (n_answers,), whether each answer is correct.
        n_photos: the number of photos that the answers are about.
        weights: float (n_answers,), how much each answer counts; all count alike by default.
    """
    weights = np.ones(len(confidence)) if weights is None else weights
    total = weights.sum()
    wanted = max(LEAST_ACCURACY, (1 + (weights * is_right).sum() / total) / 2)
    order = np.argsort(confidence, kind="stable")
    starts = np.searchsorted(confidence[order], _STEPS_OF_CONFIDENCE)
    n_sure, n_right = (_sums_from(values[order])[starts] for values in (weights, weights * is_right))
    is_enough = n_sure * n_photos >= (FEWEST_SURE - _TOLERANCE) * total  # repeated answers are no further photos
    fitting = np.flatnonzero(is_enough & (n_right >= wanted * n_sure - _TOLERANCE))
    return float(_STEPS_OF_CONFIDENCE[fitting[0]]) if len(fitting) else None


def log_loss(
    logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0, *, weights: np.ndarray | None = None
) -> float:
    """The mean over the answers, in nats; see `best_temperature` for the arguments."""
    weights = np.ones(len(labels)) if weights is None else weights
    return sum(part.loss(1 / temperature) for part in _parts(logits, labels, weights)) / float(weights.sum())


def confidence_of(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """float64 (n_answers,): the largest probability of each answer. logits: float (n_answers, n_classes)."""
    parts = []
    for start in range(0, len(logits), _CHUNK):
        part = logits[start : start + _CHUNK].astype(np.float64).T / temperature
        parts.append(1 / np.exp(part - part.max(axis=0)).sum(axis=0))
    return np.concatenate(parts)


def _sums_from(values: np.ndarray) -> np.ndarray:
    """float64 (n + 1,): the sum of the values from each place on, and 0."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)


def _parts(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, guess: float = 0.0) -> Iterator["_Answers"]:
    """A few thousand answers at a time: there may not be the memory for the exponentials of all of them."""
    for start in range(0, len(labels), _CHUNK):
        part = slice(start, start + _CHUNK)
        yield _Answers.of(logits[part], labels[part], weights[part], guess)


@dataclass(frozen=True, slots=True)
class _Answers:
    """Some answers in the form in which the loss is quick to compute.

    Attributes:
        logits: float (n_classes, n_answers), less the largest one of each answer.
        own: float (n_answers,), the logit of the true class.
        wanted: float (n_answers,), the mean of the logits by the target, which is not quite certain.
        weights: float (n_answers,), how much each answer counts.
    """

    logits: np.ndarray
    own: np.ndarray
    wanted: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, guess: float) -> "_Answers":
        """guess: the share of each target that is spread over all classes."""
        by_class = np.array(logits.T, order="C")  # as large as the answers are, and no larger: see `_parts`
        by_class -= by_class.max(axis=0)
        own = by_class[labels, np.arange(len(labels))]
        return cls(by_class, own, (1 - guess) * own + guess * by_class.mean(axis=0), weights)

    def slope(self, sharpness: float) -> tuple[float, float]:
        """First and second derivative by 1/T of the summed log loss. sharpness: 1/T."""
        shares = self._exponentials(sharpness)
        total = shares.sum(axis=0)
        shares *= self.logits
        mean = shares.sum(axis=0) / total
        spread = np.einsum("ca,ca->a", shares, self.logits) / total - mean**2
        return float(self.weights @ (mean - self.wanted)), float(self.weights @ spread)

    def loss(self, sharpness: float) -> float:
        """The summed log loss of the true classes. sharpness: 1/T."""
        return float(self.weights @ (np.log(self._exponentials(sharpness).sum(axis=0)) - sharpness * self.own))

    def _exponentials(self, sharpness: float) -> np.ndarray:
        scaled = np.multiply(self.logits, sharpness, dtype=np.float64)
        return np.asarray(np.exp(scaled, out=scaled))
