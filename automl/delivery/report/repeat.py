"""The command that repeats a run."""

import shlex

from automl.options import RUN_OPTIONS
from automl.records import RunSettings, Scoring
from automl.records.report import RunReport


def asked_for(report: RunReport) -> RunSettings:
    """What the run was asked for, with the goal and the way of testing that it chose where none was given."""
    settings = report.settings
    scoring = Scoring(report.score.method) if settings.scoring is Scoring.AUTO else settings.scoring
    return settings.model_copy(update={"goal": report.goal, "scoring": scoring})


def repeat_command(settings: RunSettings) -> str:
    """For a shell, with every setting spelled out, so that it means the same where the defaults are others.

    FOLDER stands for the photos, which are where the reader has them.
    """
    words = ["automl", "train", "FOLDER"]
    for option in RUN_OPTIONS.values():
        words += option.arguments(option.of(settings))
    return shlex.join(words)
