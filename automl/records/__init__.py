"""The frozen records and the enums that cross stages. No logic beyond what a record knows of itself."""

from automl.records.dataset import DatasetManifest, ImageRecord, RefusedFile, SplitPlan
from automl.records.dataset_summary import (
    ClassSplit,
    ClassSummary,
    DatasetSummary,
    FindingSummary,
    FixSummary,
    LayoutSummary,
    ReadingSummary,
    SizesSummary,
    SplitSummary,
)
from automl.records.pixel_facts import GrayFacts, PixelFacts, TransparencyFacts
from automl.records.proof import Proof
from automl.records.remembered_sides import RememberedSides
from automl.records.result import RunResult
from automl.records.run_settings import LR_SCHEDULES, SAMPLERS, USUAL_SIZE_PX, RunSettings
from automl.records.serving_contract import Aspect, DeliveredContract, GrayRange, GrayRules, ServingContract
from automl.records.states import (
    DatasetState,
    ExportState,
    FileState,
    Goal,
    LinkedPage,
    PhotoUse,
    PrunerKind,
    RunState,
    Sampler,
    Scoring,
    Severity,
    Split,
    Stage,
    TrialState,
    TunerKind,
)
from automl.records.trial import EpochScores, TrialInProgress, TrialParams, TrialRecord

__all__ = [
    "LR_SCHEDULES",
    "SAMPLERS",
    "USUAL_SIZE_PX",
    "Aspect",
    "ClassSplit",
    "ClassSummary",
    "DatasetManifest",
    "DatasetState",
    "DatasetSummary",
    "DeliveredContract",
    "EpochScores",
    "ExportState",
    "FileState",
    "FindingSummary",
    "FixSummary",
    "Goal",
    "GrayFacts",
    "GrayRange",
    "GrayRules",
    "ImageRecord",
    "LayoutSummary",
    "LinkedPage",
    "PhotoUse",
    "PixelFacts",
    "Proof",
    "PrunerKind",
    "ReadingSummary",
    "RefusedFile",
    "RememberedSides",
    "RunResult",
    "RunSettings",
    "RunState",
    "Sampler",
    "Scoring",
    "ServingContract",
    "Severity",
    "SizesSummary",
    "Split",
    "SplitPlan",
    "SplitSummary",
    "Stage",
    "TransparencyFacts",
    "TrialInProgress",
    "TrialParams",
    "TrialRecord",
    "TrialState",
    "TunerKind",
]
