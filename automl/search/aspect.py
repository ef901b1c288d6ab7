"""How photos that are not square become square: chosen before the search, on some of them, by cross-validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from automl.records import Aspect, ImageRecord

ASPECTS: tuple[Aspect, ...] = ("squeeze", "whole", "crop")
"""What is compared, the usual one first."""

NOT_SQUARE = 1.2
"""Photos count as such whose long side is so many times the short one: those of most cameras, which have 4:3 or 3:2."""

_SHARE_NOT_SQUARE = 0.5
FEWEST_COMPARED, MOST_COMPARED = 80, 300
SHARE_OF_TIME = 0.05
_STANDARD_ERRORS = 1.0
_C, _MOST_STEPS = 100.0, 300  # the recipe of the heads
_UNLIKELIEST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectScore:
    """What the photos were worth that became square in one way.

    Attributes:
        losses: float (n_photos,), cross entropy of each held-out answer, in nats.
        accuracy: share of them that were right, 0-1.
    """

    losses: np.ndarray
    accuracy: float


def are_not_square(images: Sequence[ImageRecord]) -> bool:
    """Whether half of the photos or more are not. Others lose so little that nothing needs to be compared."""
    found = [max(one.width, one.height) >= NOT_SQUARE * max(1, min(one.width, one.height)) for one in images]
    return sum(found) >= _SHARE_NOT_SQUARE * len(found)


def affordable_photos(seconds_per_photo: float, n_photos: int, left_s: float) -> int:
    """How many photos may be compared; 0 where there is no time for enough of them.

    Args:
        seconds_per_photo: what comparing one takes.
        n_photos: that are learned from.
        left_s: seconds that are left for the search; infinite for no clock.
    """
    most = min(MOST_COMPARED, n_photos)
    n = int(min(most, SHARE_OF_TIME * left_s / max(seconds_per_photo, 1e-9)))
    return n if n >= min(FEWEST_COMPARED, most) else 0


def score_of(features: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> AspectScore:
    """Cross-validates a logistic regression on unit-normalised features.

    Args:
        features: (n_photos, n_features).
        labels: int (n_photos,).
        folds: int (n_photos,), the fold that holds each photo out, -1 for none.
    """
    from sklearn.linear_model import LogisticRegression  # takes a second, and most runs do not need it

    units = features.astype(np.float32)
    units /= np.maximum(np.linalg.norm(units, axis=1, keepdims=True), _UNLIKELIEST)
    of_truth, is_right = np.zeros(len(labels)), np.zeros(len(labels), dtype=bool)
    for fold in np.unique(folds[folds >= 0]):
        learned, held_out = folds != fold, folds == fold
        mean = units[learned].mean(axis=0)
        model = LogisticRegression(C=_C, max_iter=_MOST_STEPS).fit(units[learned] - mean, labels[learned])
        said = model.predict_proba(units[held_out] - mean)
        place = {label: column for column, label in enumerate(model.classes_)}
        columns = np.array([place.get(label, -1) for label in labels[held_out]])
        chances = np.where(columns >= 0, said[np.arange(len(said)), columns], 0.0)
        of_truth[held_out], is_right[held_out] = chances, said.argmax(axis=1) == columns
    scored = folds >= 0
    return AspectScore(
        losses=-np.log(np.maximum(of_truth[scored], _UNLIKELIEST)), accuracy=float(is_right[scored].mean())
    )


def best_aspect(scores: Mapping[Aspect, AspectScore]) -> Aspect:
    """The aspect with the smallest mean loss; the usual one unless another is better by a standard error, and also more
    often right."""
    usual = scores[ASPECTS[0]]
    best = min(scores, key=lambda aspect: float(scores[aspect].losses.mean()))
    gains = usual.losses - scores[best].losses
    error = float(gains.std()) / len(gains) ** 0.5
    is_better = gains.mean() > _STANDARD_ERRORS * error and scores[best].accuracy > usual.accuracy
    return best if is_better else ASPECTS[0]
