"""The networks are built as the table says."""

import math
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

from automl.backbone_table import BACKBONES
from automl.errors import BadSetting
from automl.models.backbones.building import build_backbone

NAMES = list(BACKBONES)


@cache
def built(name: str) -> keras.Model:
    """A network that no test changes; building one takes a second."""
    return build_backbone(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_every_multiple_of_32_px_gives_five_taps(name: str) -> None:
    model = build_backbone(name)
    for height, width in [(64, 96), (160, 32)]:
        maps = model(np.zeros((1, height, width, 3), np.float32), training=False)
        assert len(maps) == 5
        assert tuple(maps[-1].shape[1:3]) == (height // 32, width // 32)


@pytest.mark.parametrize("name", NAMES)
def test_the_taps_are_the_named_layers_and_the_last_is_the_networks_end(name: str) -> None:
    first, second = built(name), build_backbone(name)
    for model in (first, second):  # names must not depend on what was built before in this process
        assert [model.get_layer(tap).output.shape for tap in BACKBONES[name].taps] == [o.shape for o in model.outputs]
        assert model.layers[-1].name == BACKBONES[name].taps[-1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_a_backbone_saves_as_plain_keras(name: str, tmp_path: Path) -> None:
    model = build_backbone(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects=None, safe_mode=True)
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    for ours, theirs in zip(model(image, training=False), loaded(image, training=False), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_costs_what_its_row_says(name: str) -> None:
    model, figures = built(name), BACKBONES[name].figures
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)]
    shapes = keras.Model(model.input, [layer.output for layer in layers]).compute_output_shape((1, 224, 224, 3))
    pixels = [height * width for _, height, width, _ in shapes]
    assert model.count_params() == figures.n_parameters
    assert sum(n * math.prod(layer.kernel.shape) for n, layer in zip(pixels, layers, strict=True)) == (
        figures.n_multiply_adds
    )


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("efficientnet_lite1", [240, 480, 672, 1152, 1280]),
        ("efficientnet_lite2", [288, 528, 720, 1248, 1280]),
        ("efficientnet_lite4", [336, 672, 960, 1632, 1280]),
    ],
)
def test_a_wider_lite_has_channels_in_eights_and_the_same_end(name: str, widths: list[int]) -> None:
    assert [output.shape[-1] for output in built(name).outputs] == widths


def test_pixels_are_scaled_as_the_row_says() -> None:
    row = BACKBONES["efficientnet_lite0"]
    layer = built(row.name).get_layer("efficientnet_lite0_preprocessing")
    np.testing.assert_allclose(layer(np.array([0.0, 127.0, 255.0])), [-127 / 128, 0.0, 1.0], atol=1e-6)


def test_an_unknown_backbone_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(BadSetting, match="mobilenet_v2"):
        build_backbone("resnet50")
