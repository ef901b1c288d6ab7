"""95 % intervals of the test figures: how far each may be from what another set of such photos would show.

Photos of one clip, or copies of one picture, are right or wrong together. So clips are resampled, not photos, and as
few clips tell little about how much clips differ, intervals are the wider the fewer there are.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

N_RESAMPLES = 1_000
_Z_95 = 1.959964
_PERCENTILES = (2.5, 97.5)
_DRAWS_AT_ONCE = 2_000_000  # a few dozen MB
_PRIOR_CLUSTERS = 4

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


def wilson_interval(n_correct: float, n: float) -> Interval:
    """The 95 % interval of a share (Wilson, 1927); it stays within 0-1 for small n, unlike the normal one.

    Its end is exactly 0 where none is correct, and exactly 1 where all are. The numbers may be effective ones, which
    are not whole.
    """
    share, z2 = n_correct / n, _Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # Of none or all the formula gives 0 or 1 but for rounding, which would be shown as "99.9 %" beside a full score.
    return (0.0 if n_correct == 0 else centre - half), (1.0 if n_correct == n else centre + half)


def clustered_interval(is_right: np.ndarray, clusters: np.ndarray) -> Interval:
    """The 95 % interval of the share of right answers, where photos of one cluster are alike.

    It is Wilson's for the effective number of photos, see `effective_number`; where every photo is alone, it is
    `wilson_interval`.

    Args:
        is_right: bool (n_images,), or float, 0-1, how often each photo was answered right; not empty.
        clusters: int (n_images,), the cluster of each photo, 0 to the number of clusters.
    """
    n_effective = effective_number(is_right, clusters)
    return wilson_interval(float(is_right.mean()) * n_effective, n_effective)


def effective_number(is_right: np.ndarray, clusters: np.ndarray) -> float:
    """How many photos, each alone, would tell as much: n divided by the design effect (Kish, 1965).

    The design effect grows with the correlation of answers within a cluster, which few clusters tell badly: so the
    estimate is mixed with that of `_PRIOR_CLUSTERS` more clusters of which each is right or wrong as a whole. Where all
    answers are right, nothing is known of the correlation, and the clusters are counted. What the spread between few
    clusters leaves open is added as Korn and Graubard do ("Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", 1998): by the quantile of Student's t in place of the normal
    one.

    Args: those of `clustered_interval`.
    """
    sizes = np.bincount(clusters)
    n, n_clusters = len(clusters), len(sizes)
    if n == n_clusters:
        return float(n)
    share = is_right.mean()
    if share in (0, 1):
        return float(n_clusters)
    weight = n_clusters / (n_clusters + _PRIOR_CLUSTERS)
    correlation = weight * _correlation(is_right, clusters, sizes) + (1 - weight)
    effective = n / (1 + (np.square(sizes).sum() / n - 1) * correlation)
    return float(max(1.0, effective * (_Z_95 / _t_95(n_clusters - 1)) ** 2))


def _correlation(is_right: np.ndarray, clusters: np.ndarray, sizes: np.ndarray) -> float:
    """Of the answers within a cluster, 0-1, by the variance of the share that a sample of clusters has."""
    n, n_clusters, share = len(clusters), len(sizes), float(is_right.mean())
    if n_clusters < 2:
        return 1.0
    residuals = np.bincount(clusters, weights=is_right.astype(float)) - share * sizes
    variance = n_clusters / (n_clusters - 1) * np.square(residuals).sum() / n**2
    design_effect = variance * n / (share * (1 - share))
    return float(np.clip((design_effect - 1) / (np.square(sizes).sum() / n - 1), 0, 1))


def _t_95(n_free: int) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(max(1, n_free), _PERCENTILES[1] / 100))


def difference_interval(differences: np.ndarray, clusters: np.ndarray) -> Interval:
    """The 95 % interval of the mean difference between two models that answered the same photos.

    The adjusted interval of Bonett and Price ("Adjusted Wald Confidence Interval for a Difference of Binomial
    Proportions Based on Paired Data", 2012): one more photo is imagined for which each model is better, so that it has
    a width also where the models agree on all of them. Photos of one cluster count together.

    Args:
        differences: float (n_images,), -1 to 1: how much more often the first model was right about each photo.
        clusters: int (n_images,), the cluster of each photo, 0 to the number of clusters.
    """
    imagined = np.array([1.0, -1.0])
    every = np.concatenate([differences, imagined])
    own = np.concatenate([clusters, clusters.max() + 1 + np.arange(len(imagined))])
    sums = np.bincount(own, every - every.mean())
    n_clusters = int(np.count_nonzero(np.bincount(own)))
    error = math.sqrt(float(np.square(sums).sum()) * n_clusters / (n_clusters - 1)) / len(every)
    reach = _t_95(n_clusters - 1) * error
    return max(-1.0, float(every.mean()) - reach), min(1.0, float(every.mean()) + reach)


def bootstrap_intervals(
    truth: np.ndarray,
    predicted: np.ndarray,
    losses: np.ndarray,
    *,
    n_classes: int,
    clusters: np.ndarray | None = None,
    seed: int = 0,
) -> Intervals:
    """Percentile bootstrap (Efron, 1979): the figures of 1,000 sets of as many clusters, drawn with replacement.

    Where every answer is right, so it is in every such set, and the bootstrap would promise perfection from a handful
    of photos; the lower end of both shares is then that of Wilson's interval of the accuracy. Where photos are not
    alone, the percentiles are expanded, as few clusters need it (Hesterberg, "What Teachers Should Know About the
    Bootstrap", 2015), and the intervals of both shares reach at least as far as Wilson's for the effective number.

    Args:
        truth, predicted: int (n_images,), 0 <= class < `n_classes`; not empty.
        losses: float (n_images,), minus the logarithm of the probability of the true class, in nats.
        n_classes: the number of classes.
        clusters: int (n_images,), the cluster of each photo, 0 to the number of clusters; None where each is alone.
        seed: of the draws.
    """
    clusters = np.arange(len(truth)) if clusters is None else clusters
    n_images, n_clusters = len(truth), int(clusters.max()) + 1
    random = np.random.default_rng(seed)
    answers = _Answered(truth=truth, predicted=predicted, losses=losses, n_classes=n_classes)
    n_at_once = max(1, _DRAWS_AT_ONCE // n_images)
    parts = []
    for start in range(0, N_RESAMPLES, n_at_once):
        drawn = random.integers(n_clusters, size=(min(n_at_once, N_RESAMPLES - start), n_clusters))
        parts.append(answers.figures(_times_drawn(drawn).take(clusters, axis=1)))
    figures = np.concatenate(parts, axis=1)
    low, high = np.percentile(figures, _percentiles(n_images, n_clusters), axis=1)
    recall, f1, loss = zip(low.tolist(), high.tolist(), strict=True)
    is_right = truth == predicted
    if is_right.all():
        recall = f1 = clustered_interval(is_right, clusters)
    elif n_clusters < n_images:
        own = answers.figures(np.ones((1, n_images), np.int64))[:, 0]
        n_effective = effective_number(is_right, clusters)
        recall, f1 = (
            _hull(found, wilson_interval(float(share) * n_effective, n_effective))
            for found, share in ((recall, own[0]), (f1, own[1]))
        )
    return Intervals(recall, f1, loss)


def _times_drawn(drawn: np.ndarray) -> np.ndarray:
    """How often each set has each cluster, int (n_sets, n_clusters)."""
    n_sets, n = drawn.shape
    keys = drawn + n * np.arange(n_sets)[:, None]
    return np.bincount(keys.ravel(), minlength=n_sets * n).reshape(n_sets, n)


def _percentiles(n_images: int, n_clusters: int) -> tuple[float, float]:
    if n_clusters == n_images:
        return _PERCENTILES
    spread = math.sqrt(n_clusters / max(1, n_clusters - 1)) * _t_95(n_clusters - 1)
    tail = 100 * NormalDist().cdf(-spread)
    return tail, 100 - tail


def _hull(one: Interval, other: Interval) -> Interval:
    return min(one[0], other[0]), max(one[1], other[1])


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

    def figures(self, times: np.ndarray) -> np.ndarray:
        """float64 (3, n_sets): balanced accuracy, macro F1 and log loss of some sets of photos.

        times: int (n_sets, n_images), how often each set has each photo.
        """
        n_shown = self._counts(self.truth, times)
        n_named = self._counts(self.predicted, times)
        n_right = self._counts(self.truth, times * (self.truth == self.predicted))
        return np.stack(
            [*class_scores(n_shown, n_named, n_right), (times * self.losses).sum(axis=1) / times.sum(axis=1)]
        )

    def _counts(self, classes: np.ndarray, times: np.ndarray) -> np.ndarray:
        """float64 (n_sets, n_classes): how many photos of each set have each class."""
        # The counts of all sets are taken at once: each set has a range of keys of its own.
        keys = classes + self.n_classes * np.arange(len(times))[:, None]
        counts = np.bincount(keys.ravel(), weights=times.ravel(), minlength=self.n_classes * len(times))
        return counts.reshape(len(times), self.n_classes)


def _mean_where(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The mean of part / whole over the last axis; entries whose whole is 0 are left out."""
    is_there = whole > 0
    return np.asarray((part / np.maximum(whole, 1)).sum(axis=-1) / is_there.sum(axis=-1))
