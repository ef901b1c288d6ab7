"""How trials were made is said one way everywhere."""

import pytest

from automl.records import Stage
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
    ("size_px", "score", "state", "expected"),
    [
        (96, 0.9321, "complete", "small photos (96 px), MobileNetV2: 93.2 %"),
        (160, None, "pruned", "medium-sized photos (160 px), MobileNetV2: given up early"),
        (224, None, "failed", "large photos (224 px), MobileNetV2: failed"),
        (224, None, "running", "large photos (224 px), MobileNetV2: running now"),
    ],
)
def test_a_try_in_words_says_how_it_ended(size_px, score, state, expected):
    assert tried_in_words(["mobilenet_v2"], image_size_px=size_px, score=score, state=state) == expected
