"""How far the probabilities of a model can be taken at their word, measured on photos held out from training."""

from automl.records.report.part import Count, ReportPart, Share


class CalibrationBin(ReportPart):
    """Answers of about the same confidence."""

    confidence: Share
    """Their mean confidence."""

    accuracy: Share
    """Share of them that is right."""

    n: Count
    """How many they are."""


class CalibrationReport(ReportPart):
    """Temperature scaling of the delivered model, and the confidence from which on its answers are sure."""

    temperature: float
    """The logits were divided by it."""

    ece_before: Share | None
    """Expected calibration error at temperature 1; None where no photo was held out."""

    ece_after: Share | None
    """Expected calibration error at `temperature`; None where no photo was held out."""

    bins_before: tuple[CalibrationBin, ...]
    """At temperature 1, the least confident first, without the empty ones."""

    bins_after: tuple[CalibrationBin, ...]
    """At `temperature`, the least confident first, without the empty ones."""

    threshold: Share | None
    """The calibrated confidence from which on an answer counts as sure; None where no answer can be trusted so far."""

    coverage: Share
    """Share of the held-out answers that are sure. Cross-validated: `test.coverage` is the corrected figure."""

    accuracy_when_sure: Share | None
    """Share of the sure held-out answers that are right; None where none is sure. The threshold was chosen by it."""
