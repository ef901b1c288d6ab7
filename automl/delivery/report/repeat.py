"""The command that repeats a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl.options import RUN_OPTIONS
from automl.records import Goal, RunSettings

_SWITCHES = ("fine_tuning", "early_stopping")


def settings_of(metrics: Mapping[str, Any]) -> RunSettings | None:
    """What the run was asked for, with the goal that it proposed; None for a model that is not final yet."""
    if not metrics.get("settings"):
        return None
    settings = RunSettings.from_json(dict(metrics["settings"]))
    return replace(settings, goal=Goal(metrics["goal"])) if metrics.get("goal") else settings


def repeat_command(settings: RunSettings) -> str:
    """For a shell, with every setting spelled out, so that it means the same where the defaults are others.

    FOLDER stands for the photos, which are where the reader has them.
    """
    words = ["automl", "train", "FOLDER", *_option("budget", _budget(settings.budget_s))]
    for name in RUN_OPTIONS:
        if name != "budget":
            words += _option(name, getattr(settings, name))
    return shlex.join(words)


def _option(name: str, value: Any) -> list[str]:
    flag = RUN_OPTIONS[name].flag
    if name in _SWITCHES:
        return [flag if value else f"--no-{flag.removeprefix('--')}"]
    if name == "head_layers" and value is not None:
        return [flag, ",".join(str(units) for units in value) or "none"]
    if isinstance(value, tuple):
        return [flag, *value] if value else []
    return [] if value is None else [flag, str(value)]


def _budget(budget_s: float | None) -> str:
    """ "90s"; fractions of a second only where there are some."""
    if budget_s is None:
        return "none"
    return f"{int(budget_s)}s" if budget_s == int(budget_s) else f"{budget_s}s"
