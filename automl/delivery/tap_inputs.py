"""Which pooled taps the heads of a candidate read."""

from collections.abc import Mapping

from automl.models.weights.cache import InstalledWeights
from automl.search.candidate import Branch, Candidate, Member

Tap = tuple[Branch, int]
"""A tap of a branch, by its number from shallow to last."""


def inputs_of(member: Member, weights: Mapping[str, InstalledWeights]) -> list[Tap]:
    """What the member's first kernel acts on, in order."""
    return [(branch, tap) for branch in member.branches for tap in member.used_taps(len(weights[branch.backbone].taps))]


def taps_of(candidate: Candidate, branch: Branch, n_taps: int) -> list[int]:
    """The taps of a branch that any member uses, from shallow to last. n_taps: of its backbone."""
    used = {tap for member in candidate.members if branch in member.branches for tap in member.used_taps(n_taps)}
    return sorted(used)
