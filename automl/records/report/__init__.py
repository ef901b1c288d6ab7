"""The result of a run as one typed record: what `metrics.json` says, and what pages, report and model card are made of.

`CandidateReport` is what is known of a model before the test, `RunReport` the same with the score of the test and all
that was found out on the way there. JSON of any version is read with `read_report` or `read_run_report`.
"""

from automl.records.report.calibration_report import CalibrationBin, CalibrationReport
from automl.records.report.data_report import ClassCounts, DataReport
from automl.records.report.novelty_report import NoveltyReport
from automl.records.report.reported_photos import DoubtedLabel, LookAlikePair, ReportedMistake, ReportedPhoto
from automl.records.report.run_report import (
    CandidateReport,
    FormatReport,
    RunReport,
    RunTimes,
    read_report,
    read_run_report,
)
from automl.records.report.score_report import ClassScore, Interval, ScoreIntervals, ScoreMethod, ScoreReport
from automl.records.report.upgrade import VERSION
from automl.records.report.winner import (
    FirstModelReport,
    ParetoRow,
    SmallModelReport,
    ValidationReport,
    WeightsProvenance,
    WinnerReport,
)

__all__ = [
    "VERSION",
    "CalibrationBin",
    "CalibrationReport",
    "CandidateReport",
    "ClassCounts",
    "ClassScore",
    "DataReport",
    "DoubtedLabel",
    "FirstModelReport",
    "FormatReport",
    "Interval",
    "LookAlikePair",
    "NoveltyReport",
    "ParetoRow",
    "ReportedMistake",
    "ReportedPhoto",
    "RunReport",
    "RunTimes",
    "ScoreIntervals",
    "ScoreMethod",
    "ScoreReport",
    "SmallModelReport",
    "ValidationReport",
    "WeightsProvenance",
    "WinnerReport",
    "read_report",
    "read_run_report",
]
