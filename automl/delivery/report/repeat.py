"""The command that repeats a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from automl.options import RUN_OPTIONS
from automl.records import Goal, RunSettings


def settings_of(metrics: Mapping[str, Any]) -> RunSettings | None:
    """What the run was asked for, with the goal that it proposed; None for a model that is not final yet."""
    if not metrics.get("settings"):
        return None
    settings = RunSettings.from_json(metrics["settings"])
    return settings.model_copy(update={"goal": Goal(metrics["goal"])}) if metrics.get("goal") else settings


def repeat_command(settings: RunSettings) -> str:
    """For a shell, with every setting spelled out, so that it means the same where the defaults are others.

    FOLDER stands for the photos, which are where the reader has them.
    """
    words = ["automl", "train", "FOLDER"]
    for option in RUN_OPTIONS.values():
        words += option.arguments(option.of(settings))
    return shlex.join(words)
