"""95 % intervals of the test figures: how far each may be from what another set of such photos would show."""

import math
from dataclasses import dataclass

import numpy as np

N_RESAMPLES = 1_000
_Z_95 = 1.959964
_PERCENTILES = (2.5, 97.5)
_DRAWS_AT_ONCE = 2_000_000  # a few dozen MB

Interval = tuple[float, float]
"""Lower and upper end."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """The 95 % intervals of some test figures.

    Attributes:
        balanced_accuracy: of the mean recall, 0-1.
        macro_f1: of the mean F1, 0-1.
        log_loss: of the log loss, in nats.
    """

    balanced_accuracy: Interval
    macro_f1: Interval
    log_loss: Interval


def wilson_interval(n_correct: int, n: int) -> Interval:
    """The 95 % interval of a share (Wilson, 1927); it stays within 0-1 for small n, unlike the normal one.

    Its end is exactly 0 where none is correct, and exactly 1 where all are.
    """
    share, z2 = n_correct / n, _Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # Of none or all the formula gives 0 or 1 but for rounding, which would be shown as "99.9 %" beside a full score.
    return (0.0 if n_correct == 0 else centre - half), (1.0 if n_correct == n else centre + half)


def bootstrap_intervals(
    truth: np.ndarray, predicted: np.ndarray, losses: np.ndarray, *, n_classes: int, seed: int = 0
) -> Intervals:
    """Percentile bootstrap (Efron, 1979): the figures of 1,000 sets of as many photos, drawn with replacement.

    Where every answer is right, so it is in every such set, and the bootstrap would promise perfection from a handful
    of photos; the lower end of both shares is then that of Wilson's interval of the accuracy.

    Args:
        truth, predicted: int (n_images,), 0 <= class < `n_classes`; not empty.
        losses: float (n_images,), minus the logarithm of the probability of the true class, in nats.
        n_classes: the number of classes.
        seed: of the draws.
    """
    n_images = len(truth)
    random = np.random.default_rng(seed)
    answers = _Answered(truth=truth, predicted=predicted, losses=losses, n_classes=n_classes)
    n_at_once = max(1, _DRAWS_AT_ONCE // n_images)
    parts = []
    for start in range(0, N_RESAMPLES, n_at_once):
        drawn = random.integers(n_images, size=(min(n_at_once, N_RESAMPLES - start), n_images))
        parts.append(answers.figures(drawn))
    low, high = np.percentile(np.concatenate(parts, axis=1), _PERCENTILES, axis=1)
    recall, f1, loss = zip(low.tolist(), high.tolist(), strict=True)
    if (truth == predicted).all():
        recall = f1 = wilson_interval(n_images, n_images)
    return Intervals(recall, f1, loss)


def class_scores(n_shown: np.ndarray, n_named: np.ndarray, n_right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Balanced accuracy and macro F1, (...), defined as in scikit-learn.

    A class that the photos do not show has no recall, and one that is neither shown nor named has no F1.

    Args:
        n_shown: the number of photos of each class, (..., n_classes).
        n_named: the number of photos for which the model names each class.
        n_right: the number of photos of each class for which the model names it.
    """
    recall = _mean_where(n_right, n_shown)
    f1 = _mean_where(2 * n_right, n_shown + n_named)
    return recall, f1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """The answers of all photos; see `bootstrap_intervals`."""

    truth: np.ndarray
    predicted: np.ndarray
    losses: np.ndarray
    n_classes: int

    def figures(self, drawn: np.ndarray) -> np.ndarray:
        """float64 (3, n_sets): balanced accuracy, macro F1 and log loss of some sets of photos.

        drawn: int (n_sets, n_images), the photos of each set.
        """
        # The counts of all sets are taken at once: each set has a range of keys of its own.
        first = self.n_classes * np.arange(len(drawn))[:, None]
        shown, named = first + self.truth[drawn], first + self.predicted[drawn]
        n_shown, n_named, n_right = (
            np.bincount(keys.ravel(), minlength=self.n_classes * len(drawn)).reshape(len(drawn), self.n_classes)
            for keys in (shown, named, shown[shown == named])
        )
        return np.stack([*class_scores(n_shown, n_named, n_right), self.losses[drawn].mean(axis=1)])


def _mean_where(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The mean of part / whole over the last axis; entries whose whole is 0 are left out."""
    is_there = whole > 0
    return np.asarray((part / np.maximum(whole, 1)).sum(axis=-1) / is_there.sum(axis=-1))
