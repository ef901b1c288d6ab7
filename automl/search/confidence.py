"""The temperature that makes probabilities mean what they say, and the confidence from which on an answer is sure.

Temperature scaling divides the logits by one number, so it changes a model's confidence and never its answer (Guo et
al., 2017, arXiv:1706.04599). Answers may have weights: of a bootstrap, how often each photo was drawn.
"""

from collections.abc import Iterator

import numpy as np

from automl.models.head.network import cross_entropy

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
    guess = 1 / (n_photos + 1)
    low, high = 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE
    sharpness = 1.0
    for _ in range(_MOST_STEPS):
        slope, curvature = _slope(logits, labels, weights, guess=guess, sharpness=sharpness)
        low, high = (low, sharpness) if slope > 0 else (sharpness, high)
        step = sharpness - slope / curvature if curvature > 0 else high
        last, sharpness = sharpness, step if low < step < high else float(np.sqrt(low * high))
        if abs(sharpness - last) < _TOLERANCE * last:
            break
    temperature = 1 / sharpness
    gain = log_loss(logits, labels, weights=weights) - log_loss(logits, labels, temperature, weights=weights)
    return temperature if gain > _TOLERANCE else 1.0


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
    losses = np.concatenate([cross_entropy(part / temperature, own) for part, own in _chunks(logits, labels)])
    return float(np.average(losses, weights=weights))


def confidence_of(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """float64 (n_answers,): the largest probability of each answer. logits: float (n_answers, n_classes)."""
    largest = logits.argmax(axis=1)
    losses = [cross_entropy(part / temperature, own) for part, own in _chunks(logits, largest)]
    return np.asarray(np.exp(-np.concatenate(losses)))


def _sums_from(values: np.ndarray) -> np.ndarray:
    """float64 (n + 1,): the sum of the values from each place on, and 0."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)


def _slope(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, *, guess: float, sharpness: float
) -> tuple[float, float]:
    """First and second derivative by 1/T of the summed log loss.

    Args:
        logits, labels, weights: see `best_temperature`.
        guess: the share of each target that is spread over all classes.
        sharpness: 1/T.
    """
    slope = curvature = 0.0
    for start, (part, own) in zip(range(0, len(labels), _CHUNK), _chunks(logits, labels), strict=True):
        weight = weights[start : start + _CHUNK]
        shares = np.exp(sharpness * (part - part.max(axis=1, keepdims=True)))
        shares /= shares.sum(axis=1, keepdims=True)
        mean = (shares * part).sum(axis=1)
        target = (1 - guess) * part[np.arange(len(part)), own] + guess * part.mean(axis=1)
        slope += float((weight * (mean - target)).sum())
        curvature += float((weight[:, None] * shares * (part - mean[:, None]) ** 2).sum())
    return slope, curvature


def _chunks(logits: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A few thousand answers at a time, as float64: there may not be the memory for all of them."""
    for start in range(0, len(logits), _CHUNK):
        yield logits[start : start + _CHUNK].astype(np.float64), labels[start : start + _CHUNK]
