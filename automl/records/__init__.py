"""The frozen records and the enums that cross stages. No logic beyond what a record knows of itself."""

from automl.records.dataset import DatasetManifest, ImageRecord, RefusedFile, SplitPlan
from automl.records.run import RunResult, RunSettings
from automl.records.states import (
    DatasetState,
    ExportState,
    FileState,
    Goal,
    PrunerKind,
    RunState,
    Sampler,
    Split,
    Stage,
    TrialState,
    TunerKind,
)
from automl.records.trial import TrialRecord

__all__ = [
    "DatasetManifest",
    "DatasetState",
    "ExportState",
    "FileState",
    "Goal",
    "ImageRecord",
    "PrunerKind",
    "RefusedFile",
    "RunResult",
    "RunSettings",
    "RunState",
    "Sampler",
    "Split",
    "SplitPlan",
    "Stage",
    "TrialRecord",
    "TrialState",
    "TunerKind",
]
