"""The score that a run delivers: how good the model is on photos that it has never seen."""

from enum import StrEnum

from automl.records.report.part import Count, ReportPart, Share

Interval = tuple[float, float]
"""Lower and upper end of a 95 % interval."""


class ScoreMethod(StrEnum):
    """Where the photos came from that the delivered score speaks of."""

    HELD_OUT = "held-out"
    """A test set that was put aside before the search."""

    CROSS_VALIDATED = "cross-validated"
    """Every photo once, by a model that was trained without it. No run does this yet."""


class ClassScore(ReportPart):
    """How one class did on the test photos."""

    label: str

    precision: Share
    """Share of the photos called `label` that show it; 0 where none was called so."""

    recall: Share
    """Share of the photos of `label` that were called so; 0 where there is none."""

    f1: Share
    """Harmonic mean of precision and recall."""

    n_images: Count
    """Test photos of this class."""


class ScoreIntervals(ReportPart):
    """95 % intervals by bootstrap; photos of one clip, or copies of one picture, are drawn together."""

    balanced_accuracy: Interval

    macro_f1: Interval

    log_loss: Interval
    """In nats."""


class ScoreReport(ReportPart):
    """The figures of the test. What is None was not measured by the version that made the run."""

    method: ScoreMethod

    accuracy: Share

    balanced_accuracy: Share
    """Mean recall of the classes that the test photos show."""

    n_images: Count

    n_correct: Count

    interval_95: Interval
    """Of the accuracy (Wilson), for the effective number of photos where some belong together."""

    baseline_accuracy: Share
    """Of always naming the largest class of the training photos."""

    confusion: tuple[tuple[Count, ...], ...]
    """Counts (n_classes, n_classes): rows are the truth, columns what the model said."""

    per_class: tuple[ClassScore, ...]
    """In the order of the classes."""

    macro_f1: Share
    """Mean F1 of the classes that the test photos show or the model names."""

    log_loss: float | None
    """Mean over the photos of minus the logarithm of the probability of the true class, in nats."""

    top5_accuracy: Share | None
    """Share of the photos whose class is among the five likeliest; None also for ten classes and fewer."""

    ece: Share | None
    """Expected calibration error on the test photos."""

    intervals: ScoreIntervals | None

    coverage: Share | None
    """Share of the answers that are at least as confident as the threshold for "sure"; 0 where there is none."""

    accuracy_when_sure: Share | None
    """Share of the sure answers that are right; None also where no answer is sure."""
