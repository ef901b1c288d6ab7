"""What the start form offers: the choices of each option, in words, and what is chosen at first."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
from automl.records import Goal, PrunerKind, RunSettings, RunState, TunerKind
from automl.store.tables import Run
from automl.text.names import BACKBONE_TITLES, LR_SCHEDULE_TITLES, SAMPLER_TITLES, TUNER_TITLES, setting_in_words
from server.forms import form_values
from server.views.aims import AIMS, Aim


@dataclass(frozen=True, slots=True)
class Preset:
    """A length of time to choose. `value`: what the form sends. `help`: what it is for."""

    value: str
    budget_s: float
    title: str
    help: str


Choices = Mapping[str, str]
"""Titles by the value that the form sends; "" leaves the choice to Darkroom."""


class StartForm:
    """The data of `datasets/_start_form.html`.

    `weights_dir`: the cache of pretrained weights. `like`: the run whose settings the form begins with. `is_to_change`:
    its user came to change one of them.
    """

    options = RUN_OPTIONS
    presets = (
        Preset("2m", 120.0, "Quick", "A first answer: does it work at all?"),
        Preset("10m", 600.0, "Standard", "Many more tries. Good for most photos."),
        Preset("1h", 3600.0, "Thorough", "The widest search, for when it matters."),
    )
    aims = AIMS
    goals: Choices = {
        "": "As fits your photos (recommended)",
        Goal.ACCURACY: "Most photos right (accuracy)",
        Goal.BALANCED_ACCURACY: "Every kind alike (balanced accuracy)",
    }
    tuners: Choices = {**TUNER_TITLES, TunerKind.OPTUNA: "Optuna (recommended)"}
    pruners: Choices = {
        PrunerKind.MEDIAN: "Worse than half (median)",
        PrunerKind.SUCCESSIVE_HALVING: "Not among the best (successive halving)",
        PrunerKind.HYPERBAND: "Hyperband",
        PrunerKind.NONE: "Never: finish every trial",
    }
    lr_schedules: Choices = {"": "Try all of them", **{name: LR_SCHEDULE_TITLES[name] for name in LR_SCHEDULES}}
    image_sizes = {
        size_px: f"{size_px} × {size_px} pixels"
        for size_px in range(MAX_IMAGE_SIZE_PX.low, MAX_IMAGE_SIZE_PX.high + 1, MAX_IMAGE_SIZE_PX.step)
    }
    max_model_mb, max_latency_ms = MAX_MODEL_MB, MAX_LATENCY_MS
    max_trials, seed, epochs = MAX_TRIALS, SEED, EPOCHS

    def __init__(self, weights_dir: Path, like: Run | None = None, is_to_change: bool = False) -> None:
        self._weights_dir = weights_dir
        self.like = like
        self.chosen = RunSettings.from_json(like.settings) if like else RunSettings()
        self._values = form_values(self.chosen)
        self._is_to_change = is_to_change

    @property
    def parent_id(self) -> str:
        """The run that the new one follows: only one whose result its user can have seen."""
        return self.like.id if self.like is not None and self.like.state is RunState.DONE else ""

    @property
    def budget(self) -> str:
        """What the form sends for the time that is chosen at first."""
        known = [preset.value for preset in self.presets if preset.budget_s == self.chosen.budget_s]
        return known[0] if known else self._values["budget"]

    @property
    def has_own_budget(self) -> bool:
        """True where that is none of the presets."""
        return all(preset.value != self.budget for preset in self.presets)

    @property
    def aim(self) -> str:
        return self._aim.name

    @property
    def _aim(self) -> Aim:
        """The choice whose limits are those that are chosen, else the first."""
        given = {"max_model_mb": self.chosen.max_model_mb, "max_latency_ms": self.chosen.max_latency_ms}
        limits = {name: limit for name, limit in given.items() if limit is not None}
        return next((aim for aim in self.aims if dict(aim.limits) == limits), self.aims[0])

    @cached_property
    def own_settings(self) -> list[str]:
        """What the form begins with that nobody would see who leaves Advanced closed, in words."""
        plain = asdict(RunSettings()) | dict(self._aim.limits)
        own = [name for name in RUN_OPTIONS if name != "budget" and getattr(self.chosen, name) != plain[name]]
        return [f"{RUN_OPTIONS[name].title}: {setting_in_words(name, self.chosen)}" for name in own]

    @property
    def is_open(self) -> bool:
        """Whether Advanced is open at first; else Start is in sight below the few choices that everybody has."""
        return self._is_to_change or bool(self.own_settings)

    @property
    def head_layers(self) -> str:
        return self._values["head_layers"]

    @cached_property
    def backbones(self) -> Choices:
        """Those whose record is in the cache, and those that are chosen; the run itself looks more closely."""
        is_there = {name: (self._weights_dir / f"{name}.json").exists() for name in BACKBONE_TITLES}
        return {
            name: title if is_there[name] else f"{title} (no longer installed)"
            for name, title in BACKBONE_TITLES.items()
            if is_there[name] or name in self.chosen.backbones
        }

    def samplers(self, tuner: TunerKind) -> Choices:
        return {sampler: SAMPLER_TITLES[sampler] for sampler in SAMPLERS[tuner]}
