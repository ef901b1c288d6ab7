"""Means of models' logits.

A fine-tuned network and a head on frozen features make mistakes on different photos, so their mean makes fewer. And of
many heads that were tried on few photos, the one that did best was partly lucky: the mean of those that did about as
well makes fewer mistakes (`bench.steadied`). Where all of them are linear and read the same backbones, that mean is one
head again, as small and as quick.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from automl.models.head.network import Layer
from automl.records import Stage
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.costs import ModelCosts
from automl.search.scoring import Scorer

_MOST_AVERAGED = 20


def average_of_good_heads(
    best: Candidate, heads: Sequence[Candidate], *, scorer: Scorer, costs: ModelCosts
) -> Candidate:
    """The mean of `best` and of the heads that did about as well; `best` itself where there is no such head.

    A head takes part if its score is within one standard error of the best one's, and if it needs no branch that `best`
    does not run anyway. The mean keeps the trial's number, stage and curves; score and loss are its own.

    Args:
        heads: linear heads, best first; `best` may be among them.
    """
    lowest = best.score - _standard_error(best.score, best.n_scored) - 1e-9
    alike = [
        head
        for head in heads
        if head.number != best.number and head.score >= lowest and set(head.branches) <= set(best.branches)
    ]
    if not alike:
        return best
    parts = [best, *alike[: _MOST_AVERAGED - 1]]
    return _averaged(best, parts, _equal_shares(parts), scorer=scorer, costs=costs)


def ensemble_of(parts: Sequence[Candidate], *, number: int, scorer: Scorer, costs: ModelCosts) -> Candidate:
    """The mean of `parts` as a model of its own; it is scored on the photos that all of them have answered.

    Epoch and curves, which describe one training, are those of the part with the lowest loss.
    """
    return _averaged(_of_its_own(parts, number), parts, _equal_shares(parts), scorer=scorer, costs=costs)


def weighted_mean(
    parts: Sequence[Candidate], shares: Sequence[float], *, number: int, scorer: Scorer, costs: ModelCosts
) -> Candidate:
    """The weighted mean of `parts` as a model of its own; see `ensemble_of`. shares: of each, they sum up to 1."""
    return _averaged(_of_its_own(parts, number), parts, shares, scorer=scorer, costs=costs)


def mean_logits(parts: Sequence[Candidate], shares: Sequence[float] | None = None) -> np.ndarray:
    """float32 (n_repeats, n_rows, n_classes), NaN where one of the parts has no answer.

    shares: of each part, they sum up to 1; the same for all by default.
    """
    shares = shares or _equal_shares(parts)
    n_repeats = max(len(part.held_out_logits) for part in parts)
    total: np.ndarray = np.sum(
        [
            np.float32(share) * _padded(part.held_out_logits, n_repeats)
            for part, share in zip(parts, shares, strict=True)
        ],
        axis=0,
    )
    return total


def joined_heads(parts: Sequence[Candidate], shares: Sequence[float] | None = None) -> tuple[BranchHead, ...]:
    """The heads of all parts, each scaled to its share; linear ones that read the same are added up to one.

    shares: of each part, they sum up to 1; the same for all by default.
    """
    shares = shares or _equal_shares(parts)
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


def _equal_shares(parts: Sequence[Candidate]) -> list[float]:
    return [1 / len(parts)] * len(parts)


def _of_its_own(parts: Sequence[Candidate], number: int) -> Candidate:
    """What a mean takes from the part with the lowest loss."""
    return replace(
        min(parts, key=lambda part: part.loss),
        number=number,
        stage=Stage.ENSEMBLE,
        params={},
        image_size_px=max(part.image_size_px for part in parts),
        fold_layers=(),
    )


def _averaged(
    template: Candidate, parts: Sequence[Candidate], shares: Sequence[float], *, scorer: Scorer, costs: ModelCosts
) -> Candidate:
    """`template` with everything that follows from its parts alone."""
    logits, heads = mean_logits(parts, shares), joined_heads(parts, shares)
    score, loss = scorer.score(logits)
    branches = tuple(dict.fromkeys(branch for part in parts for branch in part.branches))
    cost = costs.of(branches, sum(head.n_bytes for head in heads))
    return replace(
        template,
        parts=tuple(number for part in parts for number in part.trial_numbers),
        heads=heads,
        held_out_logits=logits,
        score=score,
        loss=loss,
        n_bytes=cost.n_bytes,
        latency_s=cost.latency_s,
    )


def _standard_error(share: float, n: int) -> float:
    """Of a share of `n` photos; never less than one of them."""
    return max(math.sqrt(max(0.0, share * (1 - share)) / max(1, n)), 1 / max(1, n))


def _padded(logits: np.ndarray, n_repeats: int) -> np.ndarray:
    missing = n_repeats - len(logits)
    return np.concatenate([logits, np.full((missing, *logits.shape[1:]), np.nan, logits.dtype)]) if missing else logits
