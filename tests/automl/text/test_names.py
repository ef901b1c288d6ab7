"""Numbers and names are written one way everywhere."""

import pytest

from automl.limits import LR_SCHEDULES
from automl.records import Goal, Sampler, TunerKind
from automl.text.names import (
    GOAL_TITLES,
    LR_SCHEDULE_TITLES,
    SAMPLER_TITLES,
    TUNER_TITLES,
    backbones_in_words,
    param_in_words,
    params_in_words,
)
from automl.text.trial_names import tried_in_words


def test_backbones_have_names_of_the_field():
    assert backbones_in_words(["mobilenet_v2", "efficientnet_lite0"]) == "MobileNetV2 + EfficientNet-Lite0"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("image_size_px", "image size"),
        ("lr_schedule", "learning-rate schedule"),
        ("taps", "taps"),
        ("ft_rotation_deg", "rotation"),
        ("ft_ema", "weight averaging (EMA)"),
    ],
)
def test_parameters_are_words(name, words):
    assert param_in_words(name) == words


def test_the_settings_of_a_trial_leave_out_what_is_shown_elsewhere():
    params = {"backbones": "mobilenet_v2", "image_size_px": 224, "hidden_units": 0, "learning_rate": 0.012345}
    assert params_in_words(params) == "no hidden layer, learning rate 0.0123"


def test_a_mean_of_tries_counts_them_from_one():
    assert params_in_words({}, [12, 3], 20) == "the mean of tries 13, 4"
    assert params_in_words({"dropout": 0.1}, [7, 3], 7) == "dropout 0.1, averaged with try 4"


def test_the_settings_of_a_fine_tuned_model_are_words():
    params = {"backbone": "mobilenet_v2", "ft_image_size_px": 160, "depth": 0, "ft_learning_rate": 3e-5, "bn": "adapt"}
    assert params_in_words(params) == "all layers trained, learning rate 3e-05, batch norm adapt"


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (GOAL_TITLES, Goal),
        (LR_SCHEDULE_TITLES, LR_SCHEDULES),
        (SAMPLER_TITLES, Sampler),
        (TUNER_TITLES, TunerKind),
    ],
)
def test_everything_that_can_be_chosen_has_a_title(titles, names):
    assert set(titles) == set(names)


@pytest.mark.parametrize(
    ("size_px", "score", "state", "expected"),
    [
        (96, 0.9321, "complete", "small photos (96 px), MobileNetV2: 93.2 %"),
        (160, None, "pruned", "medium-sized photos (160 px), MobileNetV2: given up early"),
        (224, None, "failed", "large photos (224 px), MobileNetV2: failed"),
        (224, None, "running", "large photos (224 px), MobileNetV2: running now"),
    ],
)
def test_a_try_in_words_says_how_it_ended(size_px, score, state, expected):
    assert tried_in_words(["mobilenet_v2"], size_px, score, state) == expected
