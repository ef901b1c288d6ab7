"""Chooses the precision of this machine: on a GPU by timing the first network that is fine-tuned."""

from __future__ import annotations

from functools import partial

import numpy as np

from automl.models.device import has_gpu
from automl.models.fine_tuning.network import Batch, NetworkKind, TrainableNetwork
from automl.models.fine_tuning.precision import PLAIN, Precision, fastest
from automl.models.fine_tuning.timing import quickest_s
from automl.models.weights.cache import InstalledWeights

_SIDE_PX, _N_IMAGES = 160, 32

_precision_of: dict[tuple[str, ...], Precision] = {}
"""The result by the names of the GPUs. One probe serves all backbones, which have the same kinds of layers: it compiles
three networks."""


def best_precision(weights: InstalledWeights) -> Precision:
    """The plain one on a CPU; on a GPU the one that made a step of the first network quickest."""
    if not has_gpu():
        return PLAIN
    gpus = _gpu_names()
    if gpus not in _precision_of:
        _precision_of[gpus] = fastest(partial(_step_s, weights))
    return _precision_of[gpus]


def _gpu_names() -> tuple[str, ...]:
    import tensorflow as tf

    return tuple(device.name for device in tf.config.list_physical_devices("GPU"))


def _step_s(weights: InstalledWeights, precision: Precision) -> float:
    """Seconds for a training step of the whole network on random images."""
    shape = (_N_IMAGES, _SIDE_PX, _SIDE_PX, 3)
    images = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[np.arange(_N_IMAGES) % 2]
    batch = Batch(inputs=[images], targets=targets, weights=np.ones(_N_IMAGES))
    kind = NetworkKind(
        weights=weights, taps="several", depth=0, n_classes=2, adapts_batch_norm=True, precision=precision
    )
    network = TrainableNetwork(kind)

    def step() -> None:
        network.step(batch, rate=0.0, lr_decay=1.0, weight_decay=0.0, dropout=0.0, seed=0)
        network.take_totals()

    step()  # the first step includes tracing and compiling
    return quickest_s(step, 3)
