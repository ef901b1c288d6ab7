"""Names are written one way everywhere."""

import pytest

from automl.text.names import backbones_in_words, param_in_words, params_in_words


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


def test_what_has_no_say_in_a_training_is_not_told():
    params = {"normalisation": "unit", "optimizer": "lbfgs", "dropout": 0.2, "inverse_regularisation": 100.0}
    told = "normalisation by length (L2), optimizer logistic regression (L-BFGS), inverse regularisation (C) 100"
    assert params_in_words(params) == told
    assert params_in_words(params | {"optimizer": "sgd"}).endswith("optimizer sgd, dropout 0.2")
