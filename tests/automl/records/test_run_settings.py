import pytest
from pydantic import ValidationError

from automl.records import Goal, PrunerKind, RunSettings, Sampler, Scoring, TunerKind

# What the database of the first version has of a run.
OLD_ROW = {
    "budget_s": 120,
    "goal": "balanced_accuracy",
    "tuner": "keras-tuner",
    "sampler": "hyperband",
    "seed": 7,
    "max_trials": None,
    "backbones": ["mobilenet_v2"],
    "max_image_size_px": 224,
    "early_stopping": True,
    "lr_scheduler": None,
    "epochs": None,
    "head_layers": [64, 32],
}


def test_a_row_of_an_older_version_takes_the_defaults_of_today():
    settings = RunSettings.from_json(OLD_ROW)
    assert settings == RunSettings(
        budget_s=120.0,
        goal=Goal.BALANCED_ACCURACY,
        tuner=TunerKind.KERAS_TUNER,
        sampler=Sampler.HYPERBAND,
        seed=7,
        backbones=("mobilenet_v2",),
        head_layers=(64, 32),
        max_image_size_px=224,
        scoring=Scoring.HELD_OUT,
    )
    assert settings.pruner is PrunerKind.MEDIAN and settings.fine_tuning


def test_an_older_run_keeps_the_largest_size_that_it_was_started_with():
    """It may have been the default of then: such a run has never seen larger squares and goes on without them."""
    assert RunSettings.from_json(OLD_ROW).max_image_size_px == 224
    assert RunSettings().max_image_size_px is None
    assert RunSettings.from_json(RunSettings().to_json()).max_image_size_px is None


def test_settings_become_plain_json_and_are_read_again():
    settings = RunSettings(goal=Goal.ACCURACY, sampler=Sampler.CMA_ES, head_layers=(), backbones=("mobilenet_v1",))
    values = settings.to_json()
    assert (values["goal"], values["sampler"], values["head_layers"]) == ("accuracy", "cma-es", [])
    assert type(values["goal"]) is str and type(values["backbones"]) is list
    assert RunSettings.from_json(values) == settings


def test_settings_do_not_change_and_have_no_other_fields():
    with pytest.raises(ValidationError):
        RunSettings().seed = 3
    with pytest.raises(ValidationError):
        RunSettings(seeds=3)
