"""Trials in words."""

import pytest

from automl.search.description import describe


@pytest.mark.parametrize(
    ("params", "parts", "words"),
    [
        (
            {"backbones": "mobilenet_v2+mobilenet_v1", "taps": "several", "image_size_px": 224},
            (),
            "MobileNetV2 + MobileNetV1 at 224 px",
        ),
        ({"backbones": "mobilenet_v2", "taps": "last", "image_size_px": 96}, (3, 5), "MobileNetV2 at 96 px"),
        ({"backbone": "mobilenet_v2", "depth": 0, "ft_image_size_px": 160}, (), "MobileNetV2 at 160 px, fine-tuned"),
        (
            {"backbone": "mobilenet_v2", "depth": 2, "ft_image_size_px": 160},
            (),
            "MobileNetV2 at 160 px, its last blocks fine-tuned",
        ),
        ({}, (12, 3), "the mean of tries 13, 4"),
    ],
)
def test_trials_of_every_stage_are_described(params, parts, words):
    assert describe(params, parts) == words
