"""Means of models' logits.

A fine-tuned network and a head on frozen features make mistakes on different photos, so their mean makes fewer. And of
many heads that were tried, the one that did best was partly lucky. Where all parts of a mean are linear and read the
same backbones, it is one head again, as small and as quick.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from automl.models.head.network import Layer
from automl.records import Stage
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.costs import ModelCosts
from automl.search.scoring import Scorer


def weighted_mean(
    parts: Sequence[Candidate], shares: Sequence[float], *, number: int, scorer: Scorer, costs: ModelCosts
) -> Candidate:
    """The weighted mean of `parts` as a model of its own; it is scored on the photos that all of them have answered.

    Epoch and curves, which describe one training, are those of the part with the lowest loss.

    Args:
        shares: of each part; they sum up to 1.
        number: of the trial that it is recorded as.
    """
    logits, heads = mean_logits(parts, shares), joined_heads(parts, shares)
    score, loss = scorer.score(logits)
    branches = tuple(dict.fromkeys(branch for part in parts for branch in part.branches))
    cost = costs.of(branches, sum(head.n_bytes for head in heads))
    return replace(
        min(parts, key=lambda part: part.loss),
        number=number,
        stage=Stage.ENSEMBLE,
        params={},
        parts=tuple(number for part in parts for number in part.trial_numbers),
        heads=heads,
        image_size_px=max(part.image_size_px for part in parts),
        held_out_logits=logits,
        score=score,
        loss=loss,
        n_bytes=cost.n_bytes,
        latency_s=cost.latency_s,
        fold_layers=(),
    )


def mean_logits(parts: Sequence[Candidate], shares: Sequence[float]) -> np.ndarray:
    """float32 (n_repeats, n_rows, n_classes), NaN where one of the parts has no answer. shares: they sum up to 1."""
    n_repeats = max(len(part.held_out_logits) for part in parts)
    total: np.ndarray = np.sum(
        [
            np.float32(share) * _padded(part.held_out_logits, n_repeats)
            for part, share in zip(parts, shares, strict=True)
        ],
        axis=0,
    )
    return total


def joined_heads(parts: Sequence[Candidate], shares: Sequence[float]) -> tuple[BranchHead, ...]:
    """The heads of all parts, each scaled to its share; linear ones that read the same are added up to one.

    shares: of each part; they sum up to 1.
    """
    linear: dict[tuple[tuple[Branch, ...], str, bool], Layer] = {}
    deep: list[BranchHead] = []
    for head, share in ((head, share) for part, share in zip(parts, shares, strict=True) for head in part.heads):
        *hidden, (kernel, bias) = head.layers
        scaled = kernel * np.float32(share), bias * np.float32(share)
        if hidden:
            deep.append(replace(head, layers=(*hidden, scaled)))
            continue
        key = head.branches, head.taps, head.is_unit
        known = linear.get(key)
        linear[key] = scaled if known is None else (known[0] + scaled[0], known[1] + scaled[1])
    joined = (BranchHead(branches, taps, (layer,), is_unit) for (branches, taps, is_unit), layer in linear.items())
    return (*joined, *deep)


def _padded(logits: np.ndarray, n_repeats: int) -> np.ndarray:
    missing = n_repeats - len(logits)
    return np.concatenate([logits, np.full((missing, *logits.shape[1:]), np.nan, logits.dtype)]) if missing else logits
