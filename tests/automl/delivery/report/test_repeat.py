"""The command of the card asks for the very run that it tells of."""

import shlex
from pathlib import Path

import pytest

from automl.cli import parser
from automl.cli.run_options import read_run_settings
from automl.delivery.report.repeat import asked_for, repeat_command
from automl.records import Goal, PrunerKind, RunSettings, Sampler, Scoring, TunerKind
from automl.settings import load_settings
from tests.reports import made_report

OTHER = RunSettings(
    budget_s=90.5,
    goal=Goal.BALANCED_ACCURACY,
    scoring=Scoring.CROSS_VALIDATED,
    max_model_mb=12.5,
    max_latency_ms=20.0,
    tuner=TunerKind.KERAS_TUNER,
    sampler=Sampler.HYPERBAND,
    pruner=PrunerKind.NONE,
    seed=11,
    max_trials=40,
    backbones=("mobilenet_v1", "mobilenet_v2"),
    max_image_size_px=160,
    early_stopping=False,
    lr_scheduler="cosine",
    epochs=9,
    head_layers=(256, 64),
    fine_tuning=False,
)


def read_again(settings: RunSettings, tmp_path: Path) -> RunSettings:
    program, *words = shlex.split(repeat_command(settings))
    assert program == "automl"
    options = parser().parse_args([*words, "--out", str(tmp_path / "model.zip")])
    return read_run_settings(options, load_settings({"DARKROOM_HOME": str(tmp_path)}))


@pytest.mark.parametrize(
    "settings",
    [RunSettings(), OTHER, RunSettings(budget_s=None, max_trials=3, head_layers=()), RunSettings(budget_s=86400.0)],
)
def test_the_command_line_reads_the_same_settings(settings, tmp_path):
    assert read_again(settings, tmp_path) == settings


@pytest.mark.parametrize("name", list(RunSettings.model_fields))
def test_every_setting_shows_in_the_command(name):
    assert repeat_command(OTHER.model_copy(update={name: getattr(RunSettings(), name)})) != repeat_command(OTHER)


@pytest.mark.parametrize(
    ("asked", "method", "told"),
    [
        (Scoring.AUTO, "cross-validated", Scoring.CROSS_VALIDATED),
        (Scoring.AUTO, "held-out", Scoring.HELD_OUT),
        (Scoring.CROSS_VALIDATED, "held-out", Scoring.CROSS_VALIDATED),
    ],
)
def test_how_it_was_tested_is_part_of_it_also_where_that_was_left_open(asked, method, told):
    report = made_report(test={"method": method}, settings=RunSettings(scoring=asked).to_json())
    assert asked_for(report).scoring is told


def test_the_goal_that_was_proposed_is_part_of_it():
    assert asked_for(made_report(goal="balanced_accuracy")).goal is Goal.BALANCED_ACCURACY
