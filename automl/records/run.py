"""What a run was asked for."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from automl.records.states import Goal, PrunerKind, Sampler, TunerKind


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
