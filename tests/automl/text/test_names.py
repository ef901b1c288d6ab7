"""Numbers and names are written one way everywhere."""

import pytest

from automl.limits import LR_SCHEDULES
from automl.records import Goal, Sampler, Stage, TunerKind
from automl.text.names import (
    GOAL_TITLES,
    LR_SCHEDULE_TITLES,
    SAMPLER_TITLES,
    STAGE_TITLES,
    TUNER_TITLES,
    backbones_in_words,
    latency_in_words,
    param_in_words,
    params_in_words,
    percent,
    size_in_words,
    training_in_words,
    tried_in_words,
    validated,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.93, "93.0 %"), (1.0, "100.0 %"), (0.99999, "99.9 %"), (0.00001, "0.1 %"), (0, "0.0 %"), (None, "–")],
)
def test_percentages_are_never_rounded_to_perfection(share, text):
    assert percent(share) == text


def test_a_model_that_was_not_tested_is_told_by_its_validation_score():
    assert validated(0.803) == "80.3 % on validation photos"


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(999, "999 bytes"), (1_500, "1.5 kB"), (18_640_000, "18.6 MB"), (999_700, "1.0 MB"), (10 * 1024**3, "10.7 GB")],
)
def test_sizes_have_two_or_three_digits(n_bytes, text):
    assert size_in_words(n_bytes) == text


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


@pytest.mark.parametrize(
    ("stage", "params", "words"),
    [
        ("heads", {"taps": "several"}, "quick training"),
        ("fine-tuning", {"depth": 2}, "fine-tuning of the last blocks"),
        ("fine-tuning", {"depth": 0}, "fine-tuning of the whole network"),
        ("fine-tuning", None, "fine-tuning"),
        ("of a newer version", None, "of a newer version"),
    ],
)
def test_how_a_trial_was_trained_is_said_in_plain_words(stage, params, words):
    assert training_in_words(stage, params) == words


def test_the_settings_of_a_fine_tuned_model_are_words():
    params = {"backbone": "mobilenet_v2", "ft_image_size_px": 160, "depth": 0, "ft_learning_rate": 3e-5, "bn": "adapt"}
    assert params_in_words(params) == "all layers trained, learning rate 3e-05, batch norm adapt"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "0.4 ms"), (0.00996, "10 ms"), (0.0123, "12 ms"), (0.9996, "1.0 s"), (1.23, "1.2 s")]
)
def test_latencies_have_two_digits(seconds, text):
    assert latency_in_words(seconds) == text


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (GOAL_TITLES, Goal),
        (LR_SCHEDULE_TITLES, LR_SCHEDULES),
        (SAMPLER_TITLES, Sampler),
        (STAGE_TITLES, Stage),
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
