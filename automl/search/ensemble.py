"""Means of models' logits.

A fine-tuned network and a head on frozen features err on different photos. And of many heads that were tried on few
photos, the one that did best was partly lucky: the mean of those that did about as well errs less (`bench.steadied`),
and where all of them are linear and look at the same networks, it is one head again, as small and as quick.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from automl.models.head.settings import Targets
from automl.records import Stage
from automl.search.candidate import Branch, Candidate, Member, is_scored, score_of
from automl.search.objective import Objective

Cost = Callable[[Sequence[Branch], int], tuple[int, float]]
"""Bytes and seconds a photo of a model that runs these branches, its heads having that many bytes."""

_MOST_AVERAGED = 20


def steadied(
    best: Candidate, heads: Sequence[Candidate], targets: Targets, objective: Objective, cost: Cost
) -> Candidate:
    """`best` as the mean of itself and of what did about as well; `best` itself where that is nothing.

    heads: linear ones, best first; `best` may be among them. Those count that need no network that `best` does not
    run, and whose score is within a standard error of that of `best`. The trial's number, stage and curves stay; score
    and loss are those of the mean.
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
    params = {**best.params, "averaged_with": "+".join(str(part.number) for part in parts[1:])}
    return replace(best, params=params, **_mean(parts, targets, objective, cost))


def _standard_error(share: float, n: int) -> float:
    """Of a share of `n` photos; never less than one of them."""
    return max(math.sqrt(max(0.0, share * (1 - share)) / max(1, n)), 1 / max(1, n))


def combine(parts: Sequence[Candidate], targets: Targets, objective: Objective, cost: Cost, number: int) -> Candidate:
    """The mean of `parts`; its score is that on the photos that all of them have answered."""
    best = min(parts, key=lambda part: part.loss)
    return Candidate(
        number=number,
        stage=Stage.BLEND,
        params={"members": "+".join(number for part in parts for number in part_numbers(part))},
        image_size_px=max(part.image_size_px for part in parts),
        best_epoch=best.best_epoch,
        curves=best.curves,
        **_mean(parts, targets, objective, cost),
    )


def _mean(parts: Sequence[Candidate], targets: Targets, objective: Objective, cost: Cost) -> dict[str, Any]:
    """The fields of a candidate that follow from its parts alone."""
    logits, members = mean_logits(parts), joined_members(parts)
    score, loss = score_of(logits, targets, objective, is_scored(logits))
    n_bytes, latency_s = cost(_branches(parts), sum(member.n_bytes for member in members))
    return {
        "members": members,
        "held_out_logits": logits,
        "score": score,
        "loss": loss,
        "n_bytes": n_bytes,
        "latency_s": latency_s,
    }


def part_numbers(part: Candidate) -> list[str]:
    """Its own, and of those that it is the mean of."""
    return [str(part.number), *filter(None, str(part.params.get("averaged_with", "")).split("+"))]


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
