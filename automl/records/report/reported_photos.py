"""Single photos that a run has something to say about."""

from automl.records.report.part import ReportPart, Share


class ReportedPhoto(ReportPart):
    """A photo as the run knew it."""

    name: str
    """The path that the user gave it."""

    sha256: str
    """Of its bytes."""

    label: str
    """Its class at that time."""


class ReportedMistake(ReportedPhoto):
    """A test photo that was taken for something else."""

    predicted: str
    """The class that the model named."""

    confidence: Share
    """Probability of `predicted`."""

    nearest: tuple[ReportedPhoto, ...]
    """The training photos that look most like it, the most alike first."""


class DoubtedLabel(ReportedPhoto):
    """A training photo whose label is doubted by models that were trained without it."""

    suggested: str
    """The class that it probably shows."""

    confidence: Share
    """Mean probability of `suggested`."""


class LookAlikePair(ReportPart):
    """Two training photos that look like parts of each other."""

    sha256: tuple[str, str]
    """Of the bytes of either."""

    likeness: float
    """Cosine of their standardised features, at most 1."""
