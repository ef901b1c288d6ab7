"""Calibrated probabilities, and the confidence from which on an answer counts as sure, from held-out answers only.

The temperature is found in `automl.search.confidence`. The calibration error is the mean distance of confidence and
accuracy over 15 bins, as in Guo et al. (2017, arXiv:1706.04599).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from automl.models.head.network import Layers
from automl.search.candidate import Candidate, is_scored
from automl.search.confidence import best_temperature, confidence_of, log_loss, sure_threshold

N_BINS = 15


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
    temperature = best_temperature(logits, own, n_photos=n_photos)
    before, confidence = confidence_of(logits), confidence_of(logits, temperature)
    bins_before, bins_after = reliability_bins(before, is_right), reliability_bins(confidence, is_right)
    threshold = sure_threshold(confidence, is_right, n_photos=n_photos)
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


def calibrated(candidate: Candidate, calibration: Calibration, labels: np.ndarray) -> Candidate:
    """The model with its threshold, and with the last layer of every head divided by the temperature.

    Args:
        candidate: the model.
        calibration: of its held-out answers.
        labels: int (n_rows,), the classes of the photos of its held-out answers.
    """
    temperature = calibration.temperature
    logits = (candidate.held_out_logits / temperature).astype(candidate.held_out_logits.dtype)
    answered = is_scored(logits)
    loss = log_loss(logits[answered], np.broadcast_to(labels, answered.shape)[answered])
    return replace(
        candidate,
        heads=tuple(replace(one, layers=_divided(one.layers, temperature)) for one in candidate.heads),
        fold_layers=tuple(_divided(layers, temperature) for layers in candidate.fold_layers),
        held_out_logits=logits,
        loss=loss,
        sure_threshold=calibration.threshold,
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


def _divided(layers: Layers, temperature: float) -> Layers:
    kernel, bias = layers[-1]
    scale = np.float32(1 / temperature)
    return (*layers[:-1], (kernel * scale, bias * scale))
