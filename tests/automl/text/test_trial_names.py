"""How trials were made is said one way everywhere."""

import pytest

from automl.records import Stage, TrialState
from automl.text.trial_names import STAGE_TITLES, training_in_words, tried_in_words


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


def test_every_stage_has_a_title():
    assert set(STAGE_TITLES) == set(Stage)


@pytest.mark.parametrize(
    ("score", "state", "ending"),
    [
        (0.932, TrialState.COMPLETE, "93.2 %"),
        (None, TrialState.PRUNED, "given up early"),
        (None, TrialState.FAILED, "failed"),
        (None, TrialState.RUNNING, "running now"),
        (None, "of a newer version", "no score"),
    ],
)
def test_a_trial_is_said_with_its_score_or_how_it_ended(score, state, ending):
    words = tried_in_words(["mobilenet_v2", "efficientnet_lite0"], 96, score, state)
    assert words == f"small photos (96 px), MobileNetV2 + EfficientNet-Lite0: {ending}"
