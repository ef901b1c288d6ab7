"""The command that repeats a run."""

import shlex
from dataclasses import replace
from typing import Any

from automl.options import RUN_OPTIONS
from automl.records import RunSettings
from automl.records.report import RunReport

_SWITCHES = ("fine_tuning", "early_stopping")


def asked_for(report: RunReport) -> RunSettings:
    """What the run was asked for, with the goal that it chose where none was given."""
    return replace(report.settings, goal=report.goal)


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
