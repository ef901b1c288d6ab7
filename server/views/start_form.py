"""What the start form offers, and what is chosen at first. Its fields are those of `RUN_OPTIONS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from automl.option_kinds import Backbones, GroupedSelection, Option
from automl.options import FIELDSETS, RUN_OPTIONS
from automl.records import RunSettings, RunState
from automl.store.tables import Run
from automl.text.messages import options as option_messages
from automl.text.messages import pages as page_messages
from server.forms import form_values
from server.views.aims import AIMS, Aim


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A length of time to choose.

    Attributes:
        value: what the form sends.
        budget_s: the same in seconds.
        title: the choice in a word.
        help: what it is for.
    """

    value: str
    budget_s: float
    title: str
    help: str


class StartForm:
    """The data of `datasets/_start_form.html`.

    Attributes:
        presets: the times that can be chosen without writing one.
        aims: the plain choices of what a model shall be like.
        fieldsets: the options below "Advanced", by the part of the form that they are in.
        like: the run whose settings the form begins with, if any.
        chosen: the settings that the form begins with.
    """

    presets = (
        Preset(value="2m", budget_s=120.0, title=page_messages.QUICK, help=page_messages.QUICK_HELP),
        Preset(value="10m", budget_s=600.0, title=page_messages.STANDARD, help=page_messages.STANDARD_HELP),
        Preset(value="1h", budget_s=3600.0, title=page_messages.THOROUGH, help=page_messages.THOROUGH_HELP),
    )
    aims = AIMS
    fieldsets = FIELDSETS

    def __init__(self, weights_dir: Path, like: Run | None = None, is_to_change: bool = False) -> None:
        """
        Args:
            weights_dir: the cache of pretrained weights.
            like: the run whose settings the form begins with.
            is_to_change: whether its user came to change one of them.
        """
        self._weights_dir = weights_dir
        self.like = like
        self.chosen = like.settings if like else RunSettings()
        self._values = form_values(self.chosen)
        self._is_to_change = is_to_change

    def value(self, option: Option[Any]) -> str:
        """What the control of an option says at first."""
        return self._values[option.name]

    def group(self, option: GroupedSelection) -> str:
        """The group whose values an option leaves to choose from at first."""
        return self._values[option.depends_on]

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
        """The settings that the form begins with and that only Advanced shows, in words."""
        plain = RunSettings().model_copy(update=dict(self._aim.limits))
        return [
            option_messages.OPTION_WITH_VALUE.format(title=option.title, value=option.in_words(self.chosen))
            for option in RUN_OPTIONS.values()
            if option.fieldset is not None and option.of(self.chosen) != option.of(plain)
        ]

    @property
    def is_open(self) -> bool:
        """Whether Advanced is open at first; else Start is in sight below the few choices that everybody has."""
        return self._is_to_change or bool(self.own_settings)

    def boxes(self, option: Backbones) -> Mapping[str, str]:
        """Titles by name of the backbones whose record is in the cache, and of those that are chosen.

        The run itself verifies that their weights can be used.
        """
        is_there = {name: (self._weights_dir / f"{name}.json").exists() for name in option.titles}
        return {
            name: title if is_there[name] else option_messages.NO_LONGER_INSTALLED.format(title=title)
            for name, title in option.titles.items()
            if is_there[name] or name in self.chosen.backbones
        }
