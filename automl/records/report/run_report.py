"""The whole report of a run, before and after the test."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError

from automl.records.report.calibration_report import CalibrationReport
from automl.records.report.data_report import DataReport
from automl.records.report.novelty_report import NoveltyReport
from automl.records.report.part import Count, ReportPart, Share
from automl.records.report.reported_photos import DoubtedLabel, LookAlikePair, ReportedMistake
from automl.records.report.score_report import ScoreReport
from automl.records.report.upgrade import upgraded
from automl.records.report.winner import (
    FirstModelReport,
    ParetoRow,
    SmallModelReport,
    ValidationReport,
    WeightsProvenance,
    WinnerReport,
)
from automl.records.run_settings import RunSettings
from automl.records.states import Goal


class FormatReport(ReportPart):
    """One format of the delivered model, as it was loaded again in a clean process and tested."""

    format: str
    """Name in the table of formats."""

    title: str

    n_bytes: Count | None
    """Size of the file; None, as the three figures below, where the format could not be made."""

    accuracy: Share | None
    """On the test photos; None also where there was no test set."""

    agreement: Share | None
    """Share of the photos that it was tried on to which it gives the delivered model's answer; None where that was not
    measured, as by earlier versions."""

    largest_difference: float | None
    """Largest difference of any probability from that of the delivered model."""

    latency_s: float | None
    """Seconds for one photo, decoded already, on this machine's CPU."""

    is_true: bool
    """Whether it answers as the delivered model does."""

    words: str
    """What came of it, in words for people; may be empty."""


class RunTimes(ReportPart):
    """How long a run took, in seconds from its start."""

    budget_s: float | None
    """What it was allowed; None for no limit."""

    used_s: float
    """Until everything was packed."""

    first_model_s: float
    """Until the first model could be downloaded."""


class CandidateReport(ReportPart):
    """What is known of a model before the test photos are read. Its score is a validation score, and says so.

    No part has a default, so that what is written is always whole.
    """

    version: Literal[5] = Field(alias="schema")
    """Version of this record. It is raised when the shape changes; `upgrade` then learns to read the older one."""

    name: str
    """Of the data set."""

    classes: tuple[str, ...]
    """In the order of the probabilities."""

    sentence: str
    """The score in one or two sentences, for people who do not know what a score is."""

    winner: WinnerReport

    goal: Goal
    """What the search made as high as possible."""

    validation: ValidationReport

    dataset_fingerprint: str
    """SHA-256 over contents, labels and splits."""

    data: DataReport | None
    """None for a run of a version that did not count photos here."""

    date: datetime.date | None
    """The day on which the model was made, in UTC; None for a run of a version that did not note it."""

    weights: tuple[WeightsProvenance, ...]
    """Pretrained weights that the winner is built on, one row for each backbone."""

    versions: dict[str, str]
    """Versions of Python and of the packages that matter, by name."""


class RunReport(CandidateReport):
    """The result of a run: its model, the score of the test, and what was found out on the way.

    Where `score.method` is cross-validated, the test photos are all that a fold held out, and an answer is that of a
    model which had not seen the photo.
    """

    score: ScoreReport = Field(alias="test")

    calibration: CalibrationReport | None
    """None where the model was delivered as it had been packed before, or by a version that did not calibrate."""

    novelty: NoveltyReport | None
    """How well the model tells photos of nothing that it has learned; None where it cannot, as of earlier versions."""

    n_trials: Count
    """Trainings; the mean of several models is none, but was counted by earlier versions."""

    pareto: tuple[ParetoRow, ...]
    """The best trials for their size, the smallest model first. Empty for a run of a version that did not compare."""

    small: SmallModelReport | None
    """The best small model that was taught by larger networks; None where none was, or by a version that did not."""

    seed: int

    settings: RunSettings
    """What the run was asked for, with the time that it was given meanwhile."""

    first_model: FirstModelReport | None
    """None where the first model was not tested, for want of time or because the run was continued."""

    mistakes: tuple[ReportedMistake, ...]
    """The most confident mistakes on test photos, the most confident first."""

    suspects: tuple[DoubtedLabel, ...]
    """Labels that are probably wrong, the most doubtful first."""

    look_alikes: tuple[LookAlikePair, ...]
    """Empty also for data sets that are too large to be compared pair by pair."""

    time: RunTimes

    notes: tuple[str, ...]
    """Sentences on what happened during the run that a reader of the score should know."""

    exports: tuple[FormatReport, ...]
    """The formats that have been made or have failed since the run ended."""

    def ended(self, *, time: RunTimes, notes: Sequence[str]) -> Self:
        """The same report with what is only known when all else is packed."""
        return self.model_copy(update={"time": time, "notes": tuple(notes)})

    def with_exports(self, exports: Sequence[FormatReport]) -> Self:
        """The same report with what came of the formats."""
        return self.model_copy(update={"exports": tuple(exports)})

    @property
    def is_first_model(self) -> bool:
        """Whether the first model that was found is the one that won, unchanged."""
        first, winner = self.first_model, self.winner
        return first is not None and first.trial == winner.trial and not winner.is_averaged


_Report = TypeVar("_Report", bound=CandidateReport)


def read_report(values: Mapping[str, Any]) -> CandidateReport:
    """A report of any version from the values of its JSON; a `RunReport` where the model has been tested.

    Raises:
        ValueError: not a report, or one of a version that is not known here.
    """
    newest = upgraded(values)
    return _validated(RunReport if "test" in newest else CandidateReport, newest)


def read_run_report(values: Mapping[str, Any]) -> RunReport:
    """The same of a model that has been tested.

    Raises:
        ValueError: not the report of a finished run, or one of a version that is not known here.
    """
    return _validated(RunReport, upgraded(values))


def _validated(kind: type[_Report], values: Mapping[str, Any]) -> _Report:
    """With one short sentence on what is wrong, where Pydantic would write a page."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"Not a report of a run: {place}: {first['msg']}.") from error
