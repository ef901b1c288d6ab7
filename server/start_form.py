"""What the start form offers: the choices of each option, in words."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from automl.limits import (
    EPOCHS,
    LR_SCHEDULES,
    MAX_IMAGE_SIZE_PX,
    MAX_LATENCY_MS,
    MAX_MODEL_MB,
    MAX_TRIALS,
    SAMPLERS,
    SEED,
)
from automl.options import RUN_OPTIONS
from automl.records import Goal, PrunerKind, RunSettings, TunerKind
from automl.words import BACKBONE_TITLES, LR_SCHEDULE_TITLES, SAMPLER_TITLES, TUNER_TITLES

Choices = Mapping[str, str]
"""Titles by the value that the form sends; "" leaves the choice to Darkroom."""


class StartForm:
    """The data of `datasets/_start_form.html`. `weights_dir`: the cache of pretrained weights."""

    options = RUN_OPTIONS
    default = RunSettings()
    goals: Choices = {
        "": "As fits your photos (recommended)",
        Goal.ACCURACY: "Most photos right (accuracy)",
        Goal.BALANCED_ACCURACY: "Every kind alike (balanced accuracy)",
    }
    tuners: Choices = {**TUNER_TITLES, TunerKind.OPTUNA: "Optuna (recommended)"}
    pruners: Choices = {
        PrunerKind.MEDIAN: "Worse than half (median)",
        PrunerKind.SUCCESSIVE_HALVING: "Not of the best (successive halving)",
        PrunerKind.HYPERBAND: "Hyperband",
        PrunerKind.NONE: "Nobody, finish every try",
    }
    lr_schedules: Choices = {"": "Try all of them", **{name: LR_SCHEDULE_TITLES[name] for name in LR_SCHEDULES}}
    image_sizes = {
        size_px: f"{size_px} × {size_px} pixels"
        for size_px in range(MAX_IMAGE_SIZE_PX.low, MAX_IMAGE_SIZE_PX.high + 1, MAX_IMAGE_SIZE_PX.step)
    }
    max_model_mb, max_latency_ms = MAX_MODEL_MB, MAX_LATENCY_MS
    max_trials, seed, epochs = MAX_TRIALS, SEED, EPOCHS

    def __init__(self, weights_dir: Path) -> None:
        self._weights_dir = weights_dir

    @cached_property
    def backbones(self) -> Choices:
        """Those whose record is in the cache; the run itself looks more closely."""
        return {name: title for name, title in BACKBONE_TITLES.items() if (self._weights_dir / f"{name}.json").exists()}

    def samplers(self, tuner: TunerKind) -> Choices:
        return {sampler: SAMPLER_TITLES[sampler] for sampler in SAMPLERS[tuner]}
