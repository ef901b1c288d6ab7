"""The frozen records and the enums that cross stages. No logic beyond what a record knows of itself."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class RunState(StrEnum):
    """Where a run is. `queued -> preparing -> searching -> finishing -> done | failed | cancelled`."""

    QUEUED = "queued"
    PREPARING = "preparing"
    SEARCHING = "searching"
    FINISHING = "finishing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    def is_finished(self) -> bool:
        return self in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)

    def is_running(self) -> bool:
        """True while a pipeline process should be alive for the run."""
        return self in (RunState.PREPARING, RunState.SEARCHING, RunState.FINISHING)


class DatasetState(StrEnum):
    """`uploading -> checking -> ready | invalid`; more files may follow, which leads back to `checking`."""

    UPLOADING = "uploading"
    CHECKING = "checking"
    READY = "ready"
    INVALID = "invalid"


class FileState(StrEnum):
    """What became of one uploaded file."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Split(StrEnum):
    """The part that a picture's folder names, if the user split the data set himself."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class TrialState(StrEnum):
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


class TunerKind(StrEnum):
    OPTUNA = "optuna"
    KERAS_TUNER = "keras-tuner"


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One accepted picture.

    `path`: where its bytes are now. `name`: the path the user gave it (for people only, never opened).
    `split`: None where the user's folders do not say. `width`, `height`: pixels, upright.
    """

    path: Path
    name: str
    label: str
    sha256: str
    width: int
    height: int
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not used, and why, in words for the user."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class DatasetManifest:
    """A verified data set. `classes` is sorted; `fingerprint` is a SHA-256 over contents, labels and splits."""

    name: str
    classes: tuple[str, ...]
    images: tuple[ImageRecord, ...]
    refused: tuple[RefusedFile, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Who is used for what; indices into `DatasetManifest.images`.

    `pool`: int indices of the images that training and validation share. `folds`: for each of them the number of
    the fold that holds it out, 0 <= fold < n_folds, or -1 where it is always trained on. `test`: held back until
    the winner is final. `left_out`: unused (a copy of a test image). `notes`: sentences for the user.
    """

    pool: tuple[int, ...]
    folds: tuple[int, ...]
    n_folds: int
    test: tuple[int, ...]
    left_out: tuple[int, ...]
    notes: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the user asked for.

    `budget_s`: wall-clock seconds from the start of the run to the finished download. `max_trials`: None for no limit.
    `backbones`: names to consider, empty for all that are installed. `max_image_size_px`: largest input size tried.
    """

    budget_s: float = 120.0
    tuner: TunerKind = TunerKind.OPTUNA
    seed: int = 0
    max_trials: int | None = None
    backbones: tuple[str, ...] = ()
    max_image_size_px: int = 224

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "tuner": self.tuner.value, "backbones": list(self.backbones)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "RunSettings":
        known = {**values, "tuner": TunerKind(values["tuner"]), "backbones": tuple(values["backbones"])}
        return cls(**known)


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One finished trial, as pages and reports show it.

    `score`: validation accuracy, 0-1, None where the trial failed. `started_s`, `duration_s`: seconds on the run's
    clock. `params`: the values that the tuner chose, by name of the search space.
    """

    number: int
    state: TrialState
    backbones: tuple[str, ...]
    image_size_px: int
    params: dict[str, str | int | float]
    score: float | None
    started_s: float
    duration_s: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a finished run hands over: the bundle, the figures of `metrics.json`, and the plots with their titles."""

    bundle: Path
    metrics: dict[str, Any]
    plots: tuple[tuple[Path, str], ...]
