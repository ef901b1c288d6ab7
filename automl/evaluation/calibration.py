"""Calibrated probabilities, and the confidence from which on an answer counts as sure, from validation photos only.

Temperature scaling divides the logits by one number, so it changes the model's confidence and never its answer. The
calibration error is the mean distance of confidence and accuracy over 15 bins. Both are as in Guo et al. (2017,
arXiv:1706.04599).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from automl.models.head.network import Layers, cross_entropy
from automl.search.candidate import Candidate, is_scored

N_BINS = 15
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
LEAST_ACCURACY = 0.95
FEWEST_SURE = 20
_MOST_STEPS = 100
_TOLERANCE = 1e-7
_CHUNK = 8192
_STEPS_OF_CONFIDENCE = np.arange(500, 1000) / 1000


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence.

    Attributes:
        confidence: their mean confidence, 0-1.
        accuracy: the share of them that is correct, 0-1.
        n: their number.
    """

    confidence: float
    accuracy: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The model's confidence as measured on its held-out answers; a photo that was held out twice gave two answers.

    Attributes:
        temperature: the number that the logits are divided by.
        ece_before: the expected calibration error at temperature 1, 0-1; None where nothing was held out.
        ece_after: the expected calibration error at `temperature`, 0-1; None where nothing was held out.
        bins_before: the bins at temperature 1, the least confident first, without empty ones.
        bins_after: the bins at `temperature`, likewise.
        threshold: the calibrated confidence from which on an answer counts as sure; None where no answer does.
        coverage: the share of the answers that count as sure, 0-1.
        accuracy_when_sure: the share of these that is correct, 0-1; None where there is none. The threshold was chosen
            by it, so with a hundred photos it is a point or two too high, and `TestScore.sure` is the unbiased figure.
    """

    temperature: float
    ece_before: float | None
    ece_after: float | None
    bins_before: tuple[Bin, ...]
    bins_after: tuple[Bin, ...]
    threshold: float | None
    coverage: float
    accuracy_when_sure: float | None


def calibrate(held_out_logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Finds the temperature with the lowest log loss, and the confidence from which on answers count as sure.

    Args:
        held_out_logits: float (n_repeats, n_rows, n_classes), NaN where a photo was not held out.
        labels: int (n_rows,), the classes of the photos.
    """
    answered = is_scored(held_out_logits)
    logits, own = held_out_logits[answered], np.broadcast_to(labels, answered.shape)[answered]
    n_photos = int(answered.any(axis=0).sum())
    if n_photos == 0:
        return Calibration(
            temperature=1.0,
            ece_before=None,
            ece_after=None,
            bins_before=(),
            bins_after=(),
            threshold=None,
            coverage=0.0,
            accuracy_when_sure=None,
        )
    is_right = logits.argmax(axis=1) == own
    temperature = _temperature(logits, own, n_photos)
    before, confidence = _confidence(logits, 1.0), _confidence(logits, temperature)
    bins_before, bins_after = reliability_bins(before, is_right), reliability_bins(confidence, is_right)
    threshold = _threshold(confidence, is_right, n_photos)
    coverage, accuracy_when_sure = sure_answers(confidence, is_right, threshold)
    return Calibration(
        temperature=temperature,
        ece_before=calibration_error(bins_before),
        ece_after=calibration_error(bins_after),
        bins_before=bins_before,
        bins_after=bins_after,
        threshold=threshold,
        coverage=coverage,
        accuracy_when_sure=accuracy_when_sure,
    )


def tempered(candidate: Candidate, temperature: float, labels: np.ndarray) -> Candidate:
    """Calibrates a model: the last layer of every head is divided by the temperature.

    Args:
        candidate: the model.
        temperature: see `Calibration`.
        labels: int (n_rows,), the classes of the photos of its held-out answers.
    """
    logits = (candidate.held_out_logits / temperature).astype(candidate.held_out_logits.dtype)
    answered = is_scored(logits)
    loss = _log_loss(logits[answered], np.broadcast_to(labels, answered.shape)[answered], 1.0)
    return replace(
        candidate,
        heads=tuple(replace(one, layers=_divided(one.layers, temperature)) for one in candidate.heads),
        fold_layers=tuple(_divided(layers, temperature) for layers in candidate.fold_layers),
        held_out_logits=logits,
        loss=loss,
    )


def reliability_bins(confidence: np.ndarray, is_right: np.ndarray) -> tuple[Bin, ...]:
    """15 bins of equal width, each of which includes its upper end; empty ones are left out.

    Args:
        confidence: float (n,), 0-1.
        is_right: bool (n,), whether each answer is correct.
    """
    places = np.clip(np.ceil(np.asarray(confidence, np.float64) * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    counts = np.bincount(places, minlength=N_BINS)
    sums = [np.bincount(places, weights=values, minlength=N_BINS) for values in (confidence, is_right)]
    return tuple(
        Bin(float(sums[0][i] / counts[i]), float(sums[1][i] / counts[i]), int(counts[i]))
        for i in np.flatnonzero(counts)
    )


def calibration_error(bins: Iterable[Bin]) -> float:
    """Expected calibration error, 0-1: the distance of confidence and accuracy, weighted by the number of answers.

    bins: at least one.
    """
    gaps, counts = zip(*((abs(one.confidence - one.accuracy), one.n) for one in bins), strict=True)
    return float(np.average(gaps, weights=counts))


def sure_answers(confidence: np.ndarray, is_right: np.ndarray, threshold: float | None) -> tuple[float, float | None]:
    """The share of the answers that count as sure, and the share of these that is correct, None where there is none.

    Args:
        confidence: float (n,), 0-1, not empty.
        is_right: bool (n,), whether each answer is correct.
        threshold: the confidence from which on an answer counts as sure; None if no answer does.
    """
    if threshold is None:
        return 0.0, None
    is_sure = confidence >= threshold
    return float(is_sure.mean()), float(is_right[is_sure].mean()) if is_sure.any() else None


def _threshold(confidence: np.ndarray, is_right: np.ndarray, n_photos: int) -> float | None:
    """The lowest confidence from which on answers are wrong at most half as often as all, and at most once in 20.

    It is the lowest one, so that as many answers as possible count as sure. A good model must say "not sure" for its
    own worst answers, hence the half; a poor one must not call answers sure that are no better than its others, hence
    the 1 in 20. It is searched for in steps of 0.1 % from 50 % on: below that an answer is more probably wrong than
    correct. Fewer than 20 photos prove nothing: a few lucky answers would make their confidence a threshold.
    """
    wanted = max(LEAST_ACCURACY, (1 + is_right.mean()) / 2)
    order = np.argsort(confidence, kind="stable")
    starts = np.searchsorted(confidence[order], _STEPS_OF_CONFIDENCE)
    n_sure = len(order) - starts
    n_right = np.append(np.cumsum(is_right[order][::-1])[::-1], 0)[starts]
    is_enough = n_sure * n_photos >= FEWEST_SURE * len(order)  # repeated answers are no further photos
    fitting = np.flatnonzero(is_enough & (n_right >= wanted * n_sure - _TOLERANCE))
    return float(_STEPS_OF_CONFIDENCE[fitting[0]]) if len(fitting) else None


def _temperature(logits: np.ndarray, labels: np.ndarray, n_photos: int) -> float:
    """The temperature with the lowest log loss; 1 where the loss would not fall.

    Newton's method within a bracket, on 1/T, in which the log loss is convex. As in Platt (1999), the targets are not
    quite certain: one more photo is imagined whose class is unknown. Otherwise a model without a mistake in 30 photos
    would become as sure of everything as the bounds allow.
    """
    guess = 1 / (n_photos + 1)
    low, high = 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE
    sharpness = 1.0
    for _ in range(_MOST_STEPS):
        slope, curvature = _slope(logits, labels, guess=guess, sharpness=sharpness)
        low, high = (low, sharpness) if slope > 0 else (sharpness, high)
        step = sharpness - slope / curvature if curvature > 0 else high
        last, sharpness = sharpness, step if low < step < high else float(np.sqrt(low * high))
        if abs(sharpness - last) < _TOLERANCE * last:
            break
    temperature = 1 / sharpness
    helps = _log_loss(logits, labels, temperature) < _log_loss(logits, labels, 1.0) - _TOLERANCE
    return temperature if helps else 1.0


def _slope(logits: np.ndarray, labels: np.ndarray, *, guess: float, sharpness: float) -> tuple[float, float]:
    """First and second derivative by 1/T of the summed log loss.

    Args:
        logits: float (n_answers, n_classes).
        labels: int (n_answers,), the true classes.
        guess: the share of each target that is spread over all classes.
        sharpness: 1/T.
    """
    slope = curvature = 0.0
    for part, own in _chunks(logits, labels):
        shares = np.exp(sharpness * (part - part.max(axis=1, keepdims=True)))
        shares /= shares.sum(axis=1, keepdims=True)
        mean = (shares * part).sum(axis=1)
        target = (1 - guess) * part[np.arange(len(part)), own] + guess * part.mean(axis=1)
        slope += float((mean - target).sum())
        curvature += float((shares * (part - mean[:, None]) ** 2).sum())
    return slope, curvature


def _log_loss(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """The mean over the answers, in nats."""
    parts = _chunks(logits, labels)
    return sum(float(cross_entropy(part / temperature, own).sum()) for part, own in parts) / len(labels)


def _confidence(logits: np.ndarray, temperature: float) -> np.ndarray:
    """float64 (n_answers,): the largest probability of each answer."""
    largest = logits.argmax(axis=1)
    losses = [cross_entropy(part / temperature, own) for part, own in _chunks(logits, largest)]
    return np.asarray(np.exp(-np.concatenate(losses)))


def _chunks(logits: np.ndarray, labels: np.ndarray) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """A few thousand answers at a time, as float64: there may not be the memory for all of them."""
    for start in range(0, len(logits), _CHUNK):
        yield logits[start : start + _CHUNK].astype(np.float64), labels[start : start + _CHUNK]


def _divided(layers: Layers, temperature: float) -> Layers:
    kernel, bias = layers[-1]
    scale = np.float32(1 / temperature)
    return (*layers[:-1], (kernel * scale, bias * scale))
