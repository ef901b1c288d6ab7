"""The trainable network: where it is cut, how fast each part learns, and in which precision."""

import numpy as np
import pytest

from automl.models.backbones.table import BACKBONES, build_backbone
from automl.models.fine_tuning.network import NetworkKind, TrainableNetwork
from automl.models.weights.cache import InstalledWeights


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BACKBONES))
def test_a_cut_is_the_only_way_from_the_image_to_what_is_behind(name: str) -> None:
    """Building the tail on the cut alone fails where another way leads past it."""
    import keras

    model = build_backbone(name)
    sizes = [len(keras.Model(model.get_layer(cut).output, model.outputs[-1]).layers) for cut in BACKBONES[name].cuts]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.slow
def test_layers_further_from_the_head_learn_slower(weights: dict[str, InstalledWeights]) -> None:
    network = TrainableNetwork(NetworkKind(weights["mobilenet_v2"], "several", 0, 2, adapts_batch_norm=False))
    slowdowns = network.n_cuts_behind
    assert [slowdowns[name] for name in ("Conv1", "block_6_expand", "block_13_expand", "Conv_1")] == [4, 3, 1, 0]


@pytest.mark.slow
@pytest.mark.parametrize(("mixed", "xla"), [(True, False), (False, True), (True, True)])
def test_what_a_gpu_may_prefer_learns_the_same(weights: dict[str, InstalledWeights], mixed: bool, xla: bool) -> None:
    """On the CPU the variants are no faster, but they run."""
    losses = []
    random = np.random.default_rng(0)
    activations = random.uniform(-1, 1, (8, 2, 2, 160)).astype(np.float16)
    for kind in (
        NetworkKind(weights["mobilenet_v2"], "last", 1, 2, False),
        NetworkKind(weights["mobilenet_v2"], "last", 1, 2, False, mixed, xla),
    ):
        network = TrainableNetwork(kind)
        network.reset()
        for _ in range(3):
            network.step([activations], np.eye(2)[np.arange(8) % 2], np.ones(8), 1e-3, 1.0, 0.01, 0.0, 0)
        losses.append(network.take_totals()[0])
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
