"""The trainable network: where it is cut, how fast each part learns, and in which precision."""

from dataclasses import replace

import numpy as np
import pytest

from automl.backbone_table import BACKBONES
from automl.models.backbones.building import build_backbone
from automl.models.fine_tuning.network import Batch, NetworkKind, TrainableNetwork
from automl.models.precision import PLAIN, Precision
from automl.models.weights.cache import InstalledWeights


def kind_of(installed: InstalledWeights, *, taps: str, depth: int, precision: Precision = PLAIN) -> NetworkKind:
    return NetworkKind(
        weights=installed, taps=taps, depth=depth, n_classes=2, adapts_batch_norm=False, precision=precision
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BACKBONES))
def test_a_cut_is_the_only_way_from_the_image_to_what_is_behind(name: str) -> None:
    """Building the tail on the cut alone fails where another way leads past it."""
    import keras

    model = build_backbone(name)
    sizes = [len(keras.Model(model.get_layer(cut).output, model.outputs[-1]).layers) for cut in BACKBONES[name].cuts]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.slow
def test_a_head_may_read_each_tap_divided_by_its_norm(weights: dict[str, InstalledWeights]) -> None:
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    kind = kind_of(weights["mobilenet_v2"], taps="several", depth=0)
    plain, units = (np.asarray(TrainableNetwork(one).pooled([images])) for one in (kind, replace(kind, is_unit=True)))
    ends = np.cumsum(weights["mobilenet_v2"].tap_widths)[:-1]
    expected = [tap / np.linalg.norm(tap, axis=1, keepdims=True) for tap in np.split(plain, ends, axis=1)]
    assert units == pytest.approx(np.concatenate(expected, axis=1), abs=1e-5)


@pytest.mark.slow
def test_layers_further_from_the_head_learn_slower(weights: dict[str, InstalledWeights]) -> None:
    network = TrainableNetwork(kind_of(weights["mobilenet_v2"], taps="several", depth=0))
    slowdowns = network.n_cuts_behind
    assert [slowdowns[name] for name in ("Conv1", "block_6_expand", "block_13_expand", "Conv_1")] == [4, 3, 1, 0]


@pytest.mark.slow
@pytest.mark.parametrize(("mixed", "xla"), [(True, False), (False, True), (True, True)])
def test_what_a_gpu_may_prefer_learns_the_same(weights: dict[str, InstalledWeights], mixed: bool, xla: bool) -> None:
    """On the CPU the variants are no faster, but they run."""
    losses = []
    random = np.random.default_rng(0)
    activations = random.uniform(-1, 1, (8, 2, 2, 160)).astype(np.float16)
    for precision in (PLAIN, Precision(mixed, xla)):
        network = TrainableNetwork(kind_of(weights["mobilenet_v2"], taps="last", depth=1, precision=precision))
        network.reset()
        for _ in range(3):
            batch = Batch(inputs=[activations], targets=np.eye(2)[np.arange(8) % 2], weights=np.ones(8))
            network.step(batch, rate=1e-3, lr_decay=1.0, weight_decay=0.01, dropout=0.0, seed=0)
        losses.append(network.take_totals()[0])
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
