from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from automl.backbone_table import BACKBONES
from automl.errors import BadWeights
from automl.models.backbones.building import build_backbone
from automl.models.weights.cache import InstalledWeights, load_backbone
from automl.models.weights.convert import Dense
from automl.models.weights.verification import EXPECTED, check_weights, classify, fit_statistics, photographs

pytestmark = pytest.mark.slow

NAMES = [name for name, row in BACKBONES.items() if row.has_known_statistics]


def load_head(path: Path) -> tuple[Dense, ...]:
    """Reads what `save_head` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return tuple(Dense(arrays[f"kernel_{i}"], arrays[f"bias_{i}"]) for i in range(len(arrays.files) // 2))


@pytest.fixture(scope="module")
def v2(weights: dict[str, InstalledWeights]) -> keras.Model:
    return load_backbone(weights["mobilenet_v2"])


@pytest.fixture
def v2_to_damage(v2: keras.Model) -> Iterator[keras.Model]:
    """MobileNetV2 with its real numbers, which are put back afterwards."""
    sound = v2.get_weights()
    yield v2
    v2.set_weights(sound)


@pytest.mark.parametrize("name", NAMES)
def test_the_installed_weights_fit_the_photographs(weights: dict[str, InstalledWeights], name: str) -> None:
    check_weights(load_backbone(weights[name]), head=())


@pytest.mark.parametrize("name", ["mobilenet_v1", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_the_original_classifier_calls_the_photographs_right(weights: dict[str, InstalledWeights], name: str) -> None:
    head = load_head(weights[name].head_path)
    features = np.asarray(load_backbone(weights[name])(photographs(), training=False)[-1]).mean(axis=(1, 2))
    for scores, (_what, classes, n_guesses) in zip(classify(features, head), EXPECTED, strict=False):
        assert classes & {int(i) for i in np.argsort(-scores)[:n_guesses]}


def test_another_networks_classifier_is_refused(weights: dict[str, InstalledWeights]) -> None:
    head = load_head(weights["mobilenet_v1"].head_path)
    mixed = (Dense(np.roll(head[0].kernel, 100, axis=1), head[0].bias),)
    with pytest.raises(BadWeights, match="does not recognise a photograph of a cat"):
        check_weights(load_backbone(weights["mobilenet_v1"]), mixed)


def test_random_weights_are_refused() -> None:
    with pytest.raises(BadWeights, match="do not belong together"):
        check_weights(build_backbone("mobilenet_v2"), head=())


def swap(first: str, second: str) -> Callable[[keras.Model], None]:
    def damage(model: keras.Model) -> None:
        one, other = model.get_layer(first), model.get_layer(second)
        numbers = one.get_weights()
        one.set_weights(other.get_weights())
        other.set_weights(numbers)

    return damage


def shuffle(name: str) -> Callable[[keras.Model], None]:
    def damage(model: keras.Model) -> None:
        (kernel,) = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([np.random.default_rng(0).permuted(kernel.ravel()).reshape(kernel.shape)])

    return damage


def move_by_one_channel(name: str) -> Callable[[keras.Model], None]:
    def damage(model: keras.Model) -> None:
        (kernel,) = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([np.roll(kernel, 1, axis=2 if kernel.shape[3] == 1 else 3)])

    return damage


def forget(name: str) -> Callable[[keras.Model], None]:
    def damage(model: keras.Model) -> None:
        fresh = build_backbone("mobilenet_v2").get_layer(name).get_weights()
        model.get_layer(name).set_weights(fresh)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        swap("block_7_depthwise", "block_8_depthwise"),
        swap("block_11_project_BN", "block_12_project_BN"),
        swap("block_14_expand", "block_15_expand"),
        shuffle("Conv1"),
        shuffle("block_1_expand"),
        shuffle("block_9_project"),
        shuffle("Conv_1"),
        move_by_one_channel("block_5_depthwise"),
        move_by_one_channel("block_16_project"),
        move_by_one_channel("Conv_1"),
        forget("block_4_depthwise"),
        forget("block_13_expand_BN"),
        forget("Conv_1_bn"),
    ],
)
def test_one_damaged_layer_is_refused(v2_to_damage: keras.Model, damage: Callable[[keras.Model], None]) -> None:
    damage(v2_to_damage)
    with pytest.raises(BadWeights, match="do not belong together"):
        check_weights(v2_to_damage, head=())


def test_dead_layers_are_no_fit(v2_to_damage: keras.Model) -> None:
    v2_to_damage.get_layer("block_6_depthwise").set_weights([np.zeros((3, 3, 192, 1))])
    fits = {fit.layer: fit for fit in fit_statistics(v2_to_damage)}
    assert fits["block_6_depthwise_BN"].correlation == 0.0
