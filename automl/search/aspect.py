"""How photos that are not square become square: chosen before the search, on some of them, by cross-validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from automl.models.head.logistic import fit_logistic
from automl.models.head.network import cross_entropy
from automl.models.head.settings import HeadSettings, Targets
from automl.records import Aspect, ImageRecord
from automl.search.joined import Joined, Normalisation, View, unit_mean

ASPECTS: tuple[Aspect, ...] = ("squeeze", "whole", "crop")
"""What is compared, the usual one first."""

NOT_SQUARE = 1.2
"""Photos count as such whose long side is so many times the short one: those of most cameras, which have 4:3 or 3:2."""

_SHARE_NOT_SQUARE = 0.5
FEWEST_COMPARED, MOST_COMPARED = 80, 300
SHARE_OF_TIME = 0.05
_STANDARD_ERRORS = 1.0
_C = 100.0  # as the recipe of the heads has it


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
    joined = Joined(View([features], Normalisation.of_units([unit_mean(features)]), in_memory=True))
    targets = Targets(
        labels=labels, folds=folds[:, None], n_folds=int(folds.max()) + 1, n_classes=int(labels.max()) + 1
    )
    fit = fit_logistic(joined, targets, HeadSettings.of_regression(_C))
    scored = targets.scored
    losses = cross_entropy(fit.held_out_logits[0, scored].astype(np.float64), labels[scored])
    return AspectScore(losses=losses, accuracy=fit.accuracy)


def best_aspect(scores: Mapping[Aspect, AspectScore]) -> Aspect:
    """The aspect with the smallest mean loss; the usual one unless another is better by a standard error, and also more
    often right."""
    usual = scores[ASPECTS[0]]
    best = min(scores, key=lambda aspect: float(scores[aspect].losses.mean()))
    gains = usual.losses - scores[best].losses
    error = float(gains.std()) / len(gains) ** 0.5
    is_better = gains.mean() > _STANDARD_ERRORS * error and scores[best].accuracy > usual.accuracy
    return best if is_better else ASPECTS[0]
