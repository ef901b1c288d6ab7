"""The mean of two models' logits: a fine-tuned network and a head on frozen features err on different photos.

Means of several heads on the same frozen features were tried and left out: over cross-validated training photos of two
data sets they changed the accuracy by less than their noise, and greedy selection by loss (Caruana et al., 2004) made
it worse.
"""

from collections.abc import Callable, Sequence

import numpy as np

from automl.models.heads import Targets
from automl.records import Stage
from automl.search.candidate import Branch, Candidate, Member, is_scored, score_of
from automl.search.objective import Objective

Cost = Callable[[Sequence[Branch], int], tuple[int, float]]
"""Bytes and seconds a photo of a model that runs these branches, its heads having that many bytes."""


def combine(parts: Sequence[Candidate], targets: Targets, objective: Objective, cost: Cost, number: int) -> Candidate:
    """The mean of `parts`; its score is that on the photos that all of them have answered."""
    logits = mean_logits(parts)
    score, loss = score_of(logits, targets, objective, is_scored(logits))
    members = joined_members(parts)
    n_bytes, latency_s = cost(_branches(parts), sum(member.n_bytes for member in members))
    best = min(parts, key=lambda part: part.loss)
    return Candidate(
        number=number,
        stage=Stage.BLEND,
        params={"members": "+".join(str(part.number) for part in parts)},
        members=members,
        image_size_px=max(part.image_size_px for part in parts),
        held_out_logits=logits,
        score=score,
        loss=loss,
        n_bytes=n_bytes,
        latency_s=latency_s,
        best_epoch=best.best_epoch,
        curves=best.curves,
    )


def mean_logits(parts: Sequence[Candidate]) -> np.ndarray:
    """float32 (n_repeats, n_rows, n_classes), NaN where one of the parts has no answer."""
    n_repeats = max(len(part.held_out_logits) for part in parts)
    total: np.ndarray = np.sum([_padded(part.held_out_logits, n_repeats) for part in parts], axis=0)
    return total / len(parts)


def joined_members(parts: Sequence[Candidate]) -> tuple[Member, ...]:
    """The members of all parts, each scaled to its share; linear ones on the same taps are added up."""
    linear: dict[tuple[tuple[Branch, ...], str], tuple[np.ndarray, np.ndarray]] = {}
    deep: list[Member] = []
    for part in parts:
        for member in part.members:
            *before, (kernel, bias) = member.layers
            share = np.float32(1 / len(parts))
            scaled = kernel * share, bias * share
            if before:
                deep.append(Member(member.branches, member.taps, (*before, scaled)))
                continue
            key = member.branches, member.taps
            known = linear.get(key)
            linear[key] = scaled if known is None else (known[0] + scaled[0], known[1] + scaled[1])
    return (*(Member(branches, taps, (layer,)) for (branches, taps), layer in linear.items()), *deep)


def _branches(parts: Sequence[Candidate]) -> tuple[Branch, ...]:
    return tuple(dict.fromkeys(branch for part in parts for branch in part.branches))


def _padded(logits: np.ndarray, n_repeats: int) -> np.ndarray:
    missing = n_repeats - len(logits)
    return np.concatenate([logits, np.full((missing, *logits.shape[1:]), np.nan, logits.dtype)]) if missing else logits
