"""Labels that are probably wrong, from the answers of models that had not seen the photos.

The rule is that of confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068): a photo is suspected where
another class is at least as likely as it usually is for photos of that class, and its own is less likely than usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_SUSPECTS = 60
_SURE = 0.5
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class SuspectedLabel:
    """A photo whose label is probably wrong.

    Attributes:
        row: of the photo.
        suggested: the class that it probably shows.
        confidence: the probability of that class, 0-1.
    """

    row: int
    suggested: int
    confidence: float


def suspected_labels(held_out_logits: np.ndarray, labels: np.ndarray) -> Sequence[SuspectedLabel]:
    """The labels that are probably wrong, the most suspicious first, at most `MAX_SUSPECTS`.

    Args:
        held_out_logits: float (n_repeats, n_rows, n_classes), NaN where a photo was not held out.
        labels: int (n_rows,), the classes of the photos.
    """
    probabilities, rows = _mean_probabilities(held_out_logits)
    own = labels[rows]
    n_classes = held_out_logits.shape[2]
    counts = np.bincount(own, minlength=n_classes)
    of_label = probabilities[np.arange(len(rows)), own]
    usual = np.bincount(own, weights=of_label, minlength=n_classes) / np.maximum(counts, 1)
    usual[counts == 0] = 1.0
    others = probabilities.copy()
    others[np.arange(len(rows)), own] = -1.0
    others[others < np.maximum(usual - _ROUNDING, _SURE)] = -1.0
    best = others.argmax(axis=1)
    confidence = others[np.arange(len(rows)), best]
    is_suspect = (confidence > 0) & (of_label < usual[own])
    doubt = np.where(is_suspect, confidence - of_label, -np.inf)
    order = np.argsort(-doubt, kind="stable")[: min(MAX_SUSPECTS, int(is_suspect.sum()))]
    return [SuspectedLabel(int(rows[i]), int(best[i]), float(confidence[i])) for i in order]


def _mean_probabilities(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float64 (n_answered, n_classes), the mean over the repeats, and the rows that were held out at all."""
    answered = np.isfinite(logits).all(axis=2)
    rows = np.flatnonzero(answered.any(axis=0))
    weights = answered[:, rows, None]
    values = np.where(weights, logits[:, rows].astype(np.float64), 0.0)
    values = np.exp(values - values.max(axis=2, keepdims=True))
    shares = values / values.sum(axis=2, keepdims=True)
    return (shares * weights).sum(axis=0) / weights.sum(axis=0), rows
