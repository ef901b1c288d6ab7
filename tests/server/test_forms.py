import pytest

from automl.errors import BadSetting
from automl.options import RUN_OPTIONS
from automl.records import Goal, PrunerKind, RunSettings, Sampler, Scoring, TunerKind
from server.forms import form_values, run_settings

DAY_S = 86_400


def test_an_empty_form_gives_the_defaults():
    assert run_settings({"max_trials": "", "minutes": ""}, DAY_S) == RunSettings()


FULL_FORM = {
    "budget": "10m",
    "goal": "balanced_accuracy",
    "max_model_mb": "12.5",
    "max_latency_ms": "20",
    "tuner": "keras-tuner",
    "sampler": "hyperband",
    "pruner": "successive-halving",
    "seed": "7",
    "max_trials": "20",
    "backbones": "mobilenet_v1,mobilenet_v2,mobilenet_v1",
    "max_image_size_px": "160",
    "early_stopping": "no",
    "lr_scheduler": "one_cycle",
    "epochs": "30",
    "head_layers": "256,64",
    "fine_tuning": "no",
    "scoring": "held-out",
}
FULL_SETTINGS = RunSettings(
    budget_s=600.0,
    goal=Goal.BALANCED_ACCURACY,
    max_model_mb=12.5,
    max_latency_ms=20.0,
    tuner=TunerKind.KERAS_TUNER,
    sampler=Sampler.HYPERBAND,
    pruner=PrunerKind.SUCCESSIVE_HALVING,
    seed=7,
    max_trials=20,
    backbones=("mobilenet_v1", "mobilenet_v2"),
    max_image_size_px=160,
    early_stopping=False,
    lr_scheduler="one_cycle",
    epochs=30,
    head_layers=(256, 64),
    fine_tuning=False,
    scoring=Scoring.HELD_OUT,
)


def test_a_form_with_everything_in_it_is_read():
    assert set(FULL_FORM) == set(RUN_OPTIONS)
    assert run_settings(FULL_FORM, DAY_S) == FULL_SETTINGS


def test_a_form_of_empty_fields_gives_the_defaults():
    assert run_settings(dict.fromkeys(RUN_OPTIONS, ""), DAY_S) == RunSettings()


@pytest.mark.parametrize("settings", [RunSettings(), FULL_SETTINGS, RunSettings(head_layers=(), budget_s=90.5)])
def test_settings_become_a_form_that_is_read_as_the_same_settings(settings):
    assert set(form_values(settings)) == set(RUN_OPTIONS)
    assert run_settings(form_values(settings), DAY_S) == settings


def test_json_has_its_own_types():
    values = {"early_stopping": False, "fine_tuning": True, "head_layers": [64, 32], "max_model_mb": 10, "goal": None}
    expected = RunSettings(early_stopping=False, head_layers=(64, 32), max_model_mb=10.0)
    assert run_settings(values, DAY_S) == expected
    assert run_settings({"head_layers": []}, DAY_S).head_layers == ()


def test_json_numbers_are_as_good_as_text():
    values = {"budget": 1.5, "seed": 3, "backbones": ["mobilenet_v2"]}
    assert run_settings(values, DAY_S) == RunSettings(budget_s=90.0, seed=3, backbones=("mobilenet_v2",))


def test_the_free_entry_is_minutes():
    assert run_settings({"budget": "other", "minutes": "3"}, DAY_S).budget_s == 180


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"budget": "other"}, "how many minutes"),
        ({"budget": "2m", "minutes": "30"}, "two times"),
        ({"budget": "29s"}, "between 30 seconds and 24 hours"),
        ({"budget": "25h"}, "between 30 seconds and 24 hours"),
        ({"budget": "soon"}, "Write minutes"),
        ({"tuner": "grid"}, "optuna or keras-tuner"),
        ({"seed": "-1"}, "Seed must be a whole number"),
        ({"seed": "1.5"}, "Seed must be a whole number"),
        ({"max_trials": "0"}, "Max trials must be"),
        ({"max_image_size_px": "100"}, "multiple of 32"),
        ({"max_image_size_px": "4096"}, "from 96 to 320"),
        ({"max_image_size_px": "0"}, "from 96 to 320"),
        ({"backbones": 3}, "list of names"),
        ({"backbones": [3]}, "list of names"),
        ({"backbones": "vgg"}, "no backbone called 'vgg'. Known: mobilenet_v2"),
        ({"budget": "none", "max_trials": "5"}, "Write minutes"),
        ({"goal": "recall"}, "goal must be accuracy or balanced_accuracy"),
        ({"tuner": []}, "optuna or keras-tuner"),
        ({"sampler": "bayesian"}, "of optuna must be tpe, random or cma-es"),
        ({"pruner": "x"}, "pruner must be median, successive-halving, hyperband or none"),
        ({"lr_scheduler": ["cosine"]}, "learning-rate schedule must be"),
        ({"early_stopping": "perhaps"}, "Early stopping must be yes or no"),
        ({"max_model_mb": "small"}, "Max model size must be a number"),
        ({"max_latency_ms": "nan"}, "Max latency must be a number"),
        ({"epochs": "many"}, "Epochs must be a whole number"),
        ({"head_layers": "wide"}, "such as 256 or 256,64"),
        ({"head_layers": {}}, "such as 256 or 256,64"),
    ],
)
def test_what_cannot_be_used_is_explained(values, words):
    with pytest.raises(BadSetting, match=words):
        run_settings(values, DAY_S)
