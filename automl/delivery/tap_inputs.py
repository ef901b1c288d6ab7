"""Which pooled taps the heads of a candidate read."""

from collections.abc import Mapping

from automl.models.weights.cache import InstalledWeights
from automl.search.candidate import Branch, BranchHead, Candidate

Tap = tuple[Branch, int]
"""A tap of a branch, by its number from shallow to last."""


def tap_name(tap: Tap) -> str:
    """The name of the layer of a delivered model that pools the tap."""
    branch, number = tap
    return f"{branch.name}_tap_{number}"


def frozen_taps(candidate: Candidate, weights: Mapping[str, InstalledWeights]) -> list[Tap]:
    """The taps of networks that were not fine-tuned that any head reads, each once."""
    read = [tap for head in candidate.heads for tap in inputs_of(head, weights)]
    return [(branch, number) for branch, number in dict.fromkeys(read) if branch.tuned is None]


def inputs_of(head: BranchHead, weights: Mapping[str, InstalledWeights]) -> list[Tap]:
    """What the head's first kernel acts on, in order."""
    return [(branch, tap) for branch in head.branches for tap in head.used_taps(len(weights[branch.backbone].taps))]


def unit_taps_of(candidate: Candidate, weights: Mapping[str, InstalledWeights]) -> list[Tap]:
    """The taps that any head reads divided by their norm, each once."""
    return list(dict.fromkeys(tap for head in candidate.heads if head.is_unit for tap in inputs_of(head, weights)))


def taps_of(candidate: Candidate, branch: Branch, n_taps: int) -> list[int]:
    """The taps of a branch that any head uses, from shallow to last. n_taps: of its backbone."""
    used = {tap for head in candidate.heads if branch in head.branches for tap in head.used_taps(n_taps)}
    return sorted(used)
