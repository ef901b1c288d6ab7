"""How many photos a run had, and what each was used for."""

from automl.records.report.part import Count, ReportPart


class ClassCounts(ReportPart):
    """The photos of one class."""

    label: str

    n_learned: Count
    """Photos for training and validation."""

    n_test: Count

    n_left_out: Count
    """Photos that were not used, such as copies of test photos."""


class DataReport(ReportPart):
    """The photos of all classes together, and of each."""

    version: int | None
    """The number by which users know this state of the data set; None where there is only one state."""

    n_images: Count
    """Every accepted photo."""

    n_learned: Count
    """Photos for training and validation."""

    n_test: Count

    n_left_out: Count
    """Photos that were not used, such as copies of test photos."""

    n_refused: Count
    """Files that could not be used at all."""

    n_folds: Count
    """Folds of the cross-validation; 1 for a single held-out part."""

    split_seed: int

    classes: tuple[ClassCounts, ...]
    """In the order of the classes."""
