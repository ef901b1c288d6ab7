import pytest

from automl.errors import BadSetting
from automl.records import RunSettings, TunerKind
from server.forms import run_settings

DAY_S = 86_400


def test_an_empty_form_gives_the_defaults():
    assert run_settings({"max_trials": "", "minutes": ""}, DAY_S) == RunSettings()


def test_a_full_form_is_read():
    values = {"budget": "10m", "tuner": "keras-tuner", "seed": "7", "max_trials": "20", "max_image_size_px": "160"}
    assert run_settings(values, DAY_S) == RunSettings(
        budget_s=600.0, tuner=TunerKind.KERAS_TUNER, seed=7, max_trials=20, max_image_size_px=160
    )


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
    ],
)
def test_what_cannot_be_used_is_explained(values, words):
    with pytest.raises(BadSetting, match=words):
        run_settings(values, DAY_S)
