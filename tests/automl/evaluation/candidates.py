"""Models with heads of random numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from automl.delivery.exporter import Exporter
from automl.evaluation.explain import Explainer
from automl.models.head.training import Curves
from automl.models.weights.cache import InstalledWeights
from automl.records import Stage
from automl.search.candidate import Branch, BranchHead, Candidate


def member(
    weights: Mapping[str, InstalledWeights],
    branches: Sequence[Branch],
    taps: str,
    hidden: Sequence[int] = (),
    *,
    is_unit: bool = False,
) -> BranchHead:
    """A head for three classes. Kernels of one that reads units are larger, so that its answers differ as much."""
    random = np.random.default_rng(len(branches) + len(hidden))
    widths = [weights[branch.backbone].tap_widths for branch in branches]
    n_in, layers = sum(w[-1] if taps == "last" else sum(w) for w in widths), []
    for n_out in (*hidden, 3):
        kernel = random.normal(size=(n_in, n_out)).astype(np.float32) / np.float32(n_in**0.5)
        if is_unit and not layers:
            kernel *= np.float32(n_in**0.5)
        layers.append((kernel, random.normal(size=n_out).astype(np.float32)))
        n_in = n_out
    return BranchHead(tuple(branches), taps, tuple(layers), is_unit)


def candidate(members: Sequence[BranchHead], image_size_px: int, logits: np.ndarray | None = None) -> Candidate:
    """`logits`: of the held-out photos."""
    return Candidate(
        number=0,
        stage=Stage.HEADS,
        params={"taps": members[0].taps},
        heads=tuple(members),
        image_size_px=image_size_px,
        held_out_logits=np.zeros((1, 1, 3), np.float32) if logits is None else logits,
        score=0.5,
        loss=1.0,
        n_bytes=1_000,
        latency_s=0.01,
        best_epoch=1,
        curves=Curves(),
    )


def explainer_of(weights: Mapping[str, InstalledWeights], explained: Candidate, typical: np.ndarray) -> Explainer:
    """With the network that is delivered; of what an export needs beside it, nothing is used."""
    model = Exporter(weights, labels=(), folder=Path(), contract=None).build_keras(explained)
    return Explainer(weights, explained, typical=typical, model=model)
