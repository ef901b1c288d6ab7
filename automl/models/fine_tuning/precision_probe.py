"""Chooses the precision of this machine: on a GPU by timing the first network that is fine-tuned."""

from __future__ import annotations

from functools import partial

import numpy as np

from automl.models.device import gpu_name, has_gpu, tensorflow_version
from automl.models.fine_tuning.network import Batch, NetworkKind, TrainableNetwork
from automl.models.measured import is_measured, measured
from automl.models.precision import PLAIN, Precision, fastest
from automl.models.timing import quickest_s
from automl.models.weights.cache import InstalledWeights

_SIDE_PX, _N_IMAGES = 160, 32


def best_precision(weights: InstalledWeights) -> Precision:
    """The plain one on a CPU; on a GPU the one that made a step of the first network quickest.

    One probe, which compiles three networks, serves all backbones, since they have the same kinds of layers. Its answer
    is kept for the next runs on this machine.
    """
    if not has_gpu():
        return PLAIN
    return Precision.of_words(measured(_question(), lambda: fastest(partial(_step_s, weights)).in_words()))


def is_known() -> bool:
    """Whether `best_precision` has its answer without a probe."""
    return not has_gpu() or is_measured(_question())


def _question() -> str:
    return f"training step on {gpu_name()} with {tensorflow_version()}"


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
