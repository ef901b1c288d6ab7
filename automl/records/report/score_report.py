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
    """Every photo, by a model that was trained without it; the delivered model has learned from all of them.

    The same answers chose the model, so the accuracy is corrected for that luck (bootstrap bias-corrected
    cross-validation): see each figure.
    """


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
    """The figures of the test. What is None was not measured by the version that made the run.

    Cross-validated, confusion, classes, macro F1, log loss, top-5 accuracy and ECE describe one answer to each photo,
    that of the first repeat, by models of the delivered kind.
    """

    method: ScoreMethod

    accuracy: Share
    """`n_correct / n_images`. Cross-validated: the mean over the photos of how often the selection, repeated without
    the photo, chose a model that answers it correctly."""

    balanced_accuracy: Share
    """Mean recall of the classes that the test photos show. Cross-validated: corrected as `accuracy` is."""

    n_images: Count
    """Test photos; cross-validated: all photos that a fold held out."""

    n_correct: Count
    """How many of the answers are right. Cross-validated: not corrected, so it may promise a little too much."""

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
    """Share of the answers that are at least as confident as the threshold for "sure"; 0 where there is none.

    Cross-validated: with thresholds that were chosen without the photo, as in the figure below.
    """

    accuracy_when_sure: Share | None
    """Share of the sure answers that are right; None also where no answer is sure."""

    @property
    def is_held_out(self) -> bool:
        """Whether a test set was put aside; else every photo was tested, see `ScoreMethod.CROSS_VALIDATED`."""
        return self.method is ScoreMethod.HELD_OUT
