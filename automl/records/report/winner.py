"""The model that won: what it is, what it was chosen from, and what it was chosen by."""

from automl.records.report.part import Count, ReportPart, Share
from automl.records.report.score_report import Interval
from automl.records.states import Stage


class WinnerReport(ReportPart):
    """The delivered model, fixed before the first test photo is read."""

    trial: Count
    """Number of the trial that made it, from 0."""

    backbones: tuple[str, ...]

    taps: str
    """ "several" where it uses several layers of a backbone, else "last"."""

    image_size_px: int
    """Side of the square that it takes."""

    params: dict[str, bool | int | float | str]
    """What the tuner chose, by name of the search space."""

    parts: tuple[int, ...]
    """Numbers of the trials that the model averages; empty for a model of one trial."""

    stage: Stage
    """The stage of the search that its trial belongs to."""

    best_epoch: int
    """The epoch of its training that was kept, from 1; 0 for a regression, which knows no epochs."""

    n_bytes: Count | None
    """Size of the model file; None where it was not measured."""

    latency_s: float | None
    """Seconds for one photo on the CPU of the machine that trained it; None where it was not measured."""

    sha256: str
    """Of its parameters, heads and tuned weights."""

    @property
    def is_averaged(self) -> bool:
        """Whether it is the mean of several trials."""
        return bool(self.parts)


class ValidationReport(ReportPart):
    """The figures that chose the winner. They tend to be a little too good for that reason."""

    score: Share
    """The goal's value."""

    accuracy: Share

    loss: float
    """Cross entropy, in nats."""

    n_images: Count
    """Photos that these figures speak of."""

    method: str
    """How the photos were held out, in words for people."""


class WeightsProvenance(ReportPart):
    """Pretrained weights that the winner is built on."""

    backbone: str

    origin: str
    """The kind of place that they were fetched from."""

    location: str
    """Their name there; empty where it was not recorded."""

    sha256: str
    """Of the fetched file."""

    licence: str

    note: str
    """What a user of the model should know of them; may be empty."""


class ParetoRow(ReportPart):
    """A trial that no other one beats in score, size and speed at once."""

    number: Count
    """Of the trial, from 0."""

    score: Share | None
    """The goal's value on photos that were held out from training."""

    n_images: Count
    """How many of them the score speaks of."""

    n_bytes: Count
    """Size of the model file."""

    latency_s: float
    """Seconds for one photo on the CPU of the machine that trained it; 0 where it was not measured."""

    backbones: tuple[str, ...]

    image_size_px: int

    is_winner: bool


class SmallModelReport(ReportPart):
    """The best single network that learned from the answers of larger ones, beside the delivered model.

    All figures are of photos that the models had not seen: validation photos, in every repeat.
    """

    trial: Count
    """Number of the trial that made it, from 0."""

    backbones: tuple[str, ...]

    image_size_px: int

    n_bytes: Count
    """Size of the model file."""

    latency_s: float
    """Seconds for one photo on the CPU of the machine that trained it."""

    accuracy: Share

    n_images: Count
    """Photos that both it and the delivered model answered."""

    beyond_winner: float
    """Its accuracy less that of the delivered model, on the same photos."""

    beyond_winner_95: Interval
    """Of that difference, paired by photo (Bonett and Price)."""

    teachers: tuple[str, ...]
    """Names of the networks that it learned from."""

    teacher_score: Share
    """The goal's value of these side by side."""

    direct_accuracy: Share
    """Of the best head on the same networks that learned from the classes alone."""

    beyond_direct: float
    """Its accuracy less that one, on the same photos."""

    beyond_direct_95: Interval

    is_winner: bool
    """Whether it is the delivered model, or a part of it."""


class FirstModelReport(ReportPart):
    """The first model that the search found, scored on the same test photos as the winner."""

    trial: Count
    """Number of the trial that made it, from 0."""

    accuracy: Share

    n_correct: Count

    n_images: Count

    interval_95: Interval
    """Of the accuracy (Wilson)."""

    backbones: tuple[str, ...]

    image_size_px: int

    at_s: float
    """Seconds from the start of the run until it could be downloaded."""
