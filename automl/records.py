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
    """What became of one uploaded file. Refused: it cannot be used; excluded: the user does not want it to be."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXCLUDED = "excluded"


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


class Stage(StrEnum):
    """Which part of the search a trial belongs to. Scores are compared within a stage while trials run."""

    HEADS = "heads"
    FINE_TUNING = "fine-tuning"
    BLEND = "blend"


class ExportState(StrEnum):
    """Where one format of a delivered model is. Ready: proven, whatever the proof says; failed: it cannot be had."""

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


class TunerKind(StrEnum):
    OPTUNA = "optuna"
    KERAS_TUNER = "keras-tuner"


class Sampler(StrEnum):
    """How a tuner proposes. Optuna has tpe, random and cma-es; KerasTuner bayesian, random and hyperband."""

    TPE = "tpe"
    RANDOM = "random"
    CMA_ES = "cma-es"
    BAYESIAN = "bayesian"
    HYPERBAND = "hyperband"


class PrunerKind(StrEnum):
    """Who ends a trial that is losing."""

    MEDIAN = "median"
    SUCCESSIVE_HALVING = "successive-halving"
    HYPERBAND = "hyperband"
    NONE = "none"


class Goal(StrEnum):
    """What is made as high as possible."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One accepted picture.

    `path`: where its bytes are now. `name`: the path the user gave it (for people only, never opened).
    `split`: None where the user's folders do not say. `width`, `height`: pixels, upright. `group`: the same for all
    near copies of one picture; empty where there is no other than exact ones.
    """

    path: Path
    name: str
    label: str
    sha256: str
    width: int
    height: int
    split: Split | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not used, and why, in words for the user."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class DatasetManifest:
    """A verified data set.

    `classes` is sorted; `fingerprint` is a SHA-256 over contents, labels and splits; `notes`: sentences about what was
    found in it. `version`: the number that its user knows this state of it by, None where there is only one.
    """

    name: str
    classes: tuple[str, ...]
    images: tuple[ImageRecord, ...]
    refused: tuple[RefusedFile, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()
    version: int | None = None


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Who is used for what; indices into `DatasetManifest.images`.

    `pool`: int indices of the images that training and validation share. `folds`: for each of them the number of
    the fold that holds it out, 0 <= fold < n_folds, or -1 where it is always trained on; one number for each repeat of
    the cross-validation, and as many for every image. `test`: held back until
    the winner is final. `left_out`: unused (a copy of a test image). `notes`: sentences for the user.
    """

    pool: tuple[int, ...]
    folds: tuple[tuple[int, ...], ...]
    n_folds: int
    test: tuple[int, ...]
    left_out: tuple[int, ...]
    notes: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the user asked for. None means: let Darkroom choose.

    `budget_s`: wall-clock seconds from the start of the run to the finished download; None for no clock, which needs
    `max_trials` and makes a run repeatable. `goal`: None proposes balanced accuracy where the classes are unbalanced.
    `max_model_mb`: megabytes (10^6) of the model file. `max_latency_ms`: for one photo on this machine's CPU.
    `sampler`: None for the tuner's own default. `backbones`: names to consider, empty for all that are installed.
    `max_image_size_px`: largest input size tried. `early_stopping`: whether a training ends once it gets no better.
    `lr_scheduler`: one of `limits.LR_SCHEDULES`, None to search over them. `epochs`: most epochs of a training.
    `head_layers`: units of the hidden layers before the last one, () for none, None to search over them.
    """

    budget_s: float | None = 120.0
    goal: Goal | None = None
    max_model_mb: float | None = None
    max_latency_ms: float | None = None
    tuner: TunerKind = TunerKind.OPTUNA
    sampler: Sampler | None = None
    pruner: PrunerKind = PrunerKind.MEDIAN
    seed: int = 0
    max_trials: int | None = None
    backbones: tuple[str, ...] = ()
    max_image_size_px: int = 224
    early_stopping: bool = True
    lr_scheduler: str | None = None
    epochs: int | None = None
    head_layers: tuple[int, ...] | None = None
    fine_tuning: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value.value if isinstance(value, StrEnum) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "RunSettings":
        """Settings that an older version wrote take today's defaults for what it did not know."""
        layers = values.get("head_layers")
        read = {
            "tuner": TunerKind(values["tuner"]),
            "sampler": Sampler(values["sampler"]) if values.get("sampler") else None,
            "pruner": PrunerKind(values.get("pruner", PrunerKind.MEDIAN)),
            "goal": Goal(values["goal"]) if values.get("goal") else None,
            "backbones": tuple(values["backbones"]),
            "head_layers": None if layers is None else tuple(layers),
        }
        return cls(**{**values, **read})


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One finished trial, as pages and reports show it.

    `score`: the goal's value on validation, 0-1, None where the trial failed or was pruned. `started_s`, `duration_s`:
    seconds on the run's clock. `params`: the values that the tuner chose, by name of the search space. `n_bytes`: size
    of the model file. `latency_s`: of one photo on this machine's CPU; both 0 where unknown. `epochs`: most epochs it
    was given, where a tuner chose that (Hyperband), else None.
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
    stage: Stage = Stage.HEADS
    n_bytes: int = 0
    latency_s: float = 0.0
    epochs: int | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a finished run hands over: the bundle, the figures of `metrics.json`, and the plots with their titles."""

    bundle: Path
    metrics: dict[str, Any]
    plots: tuple[tuple[Path, str], ...]
