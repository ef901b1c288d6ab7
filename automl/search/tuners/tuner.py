"""The small interface behind which Optuna and KerasTuner propose."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from automl.search.space import Params


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to try.

    Attributes:
        params: a value for each dimension of the space.
        epochs: the most that it may train for, where the tuner decides that (Hyperband).
    """

    params: Params
    epochs: int | None = None


History = Sequence[tuple[Proposal, float | None]]
"""Finished trials and their scores, oldest first."""


class Tuner(Protocol):
    """Proposes what to try next, and learns from every score, also of trials that it has not proposed.

    Proposals depend on the seed and on what was observed, in its order, and on nothing else. So a new tuner with the
    history of another one goes on as that one would have.
    """

    def propose(self) -> Proposal | None:
        """What to try next, the same until it was observed; None when the space is exhausted."""
        ...

    def beside(self, proposal: Proposal, shared: Collection[str], n: int, /) -> list[Proposal]:
        """Up to `n` further proposals that are tried together with the one that `propose` has made.

        They are made without knowing how the others do. Each must be observed; none is proposed by a tuner that cannot.

        Args:
            proposal: what `propose` has returned.
            shared: names of the dimensions in which all of them must agree.
            n: how many there may be.
        """
        ...

    def observe(self, proposal: Proposal, score: float | None) -> None:
        """Takes the score of a trial, higher is better.

        Args:
            score: None where the trial failed or was pruned, which counts as a poor score.
        """
        ...


def seed_for(seed: int, n_observed: int) -> int:
    """The seed for the proposal after `n_observed` trials, 1 to 2^31, as if drawn at random."""
    return int(np.random.SeedSequence([seed, n_observed]).generate_state(1)[0]) // 2 + 1
