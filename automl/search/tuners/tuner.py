"""The small interface behind which Optuna and KerasTuner propose."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from automl.errors import BadSetting
from automl.models.quiet_tensorflow import import_tensorflow
from automl.records import SAMPLERS, Sampler, TunerKind
from automl.search.space import Params, SearchSpace


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

    def observe(self, proposal: Proposal, score: float | None) -> None:
        """Takes the score of a trial, higher is better.

        Args:
            score: None where the trial failed or was pruned, which counts as a poor score.
        """
        ...


def make_tuner(
    kind: TunerKind,
    sampler: Sampler | None,
    *,
    space: SearchSpace,
    seed: int,
    scratch: Path,
    max_epochs: int,
    history: History = (),
) -> Tuner:
    """A tuner that knows the trials so far.

    Args:
        kind: which library proposes.
        sampler: how it proposes; None for the tuner's own default.
        space: what it may propose.
        seed: for everything random.
        scratch: a folder for the files that KerasTuner's oracles insist on writing; may be deleted afterwards.
        max_epochs: the most epochs that Hyperband may give to a trial.
        history: the trials so far, also those that no tuner has proposed and those of a broken-off attempt. Trials that
            do not lie in `space` are passed over.

    Raises:
        BadSetting: the tuner has no such sampler.
    """
    allowed = SAMPLERS[kind]
    if sampler is not None and sampler not in allowed:
        raise BadSetting(f"The sampler of {kind} must be one of {', '.join(allowed)}, not {sampler}.")
    chosen = sampler or allowed[0]
    known = [(proposal, score) for proposal, score in history if _lies_in(space, proposal.params)]
    if kind is TunerKind.OPTUNA:
        from automl.search.tuners.optuna_tuner import OptunaTuner

        return OptunaTuner(space, chosen, seed=seed, history=known)
    # KerasTuner imports TensorFlow, which a thread of the pipeline may be importing at this moment: two threads that
    # import each other's half-loaded modules would end in a deadlock, which Python turns into an ImportError.
    import_tensorflow()
    from automl.search.tuners.keras_tuner_tuner import KerasTunerTuner

    return KerasTunerTuner(space, chosen, seed=seed, scratch=scratch, max_epochs=max_epochs, history=known)


def seed_for(seed: int, n_observed: int) -> int:
    """The seed for the proposal after `n_observed` trials, 1 to 2^31, as if drawn at random."""
    return int(np.random.SeedSequence([seed, n_observed]).generate_state(1)[0]) // 2 + 1


def _lies_in(space: SearchSpace, params: Params) -> bool:
    names = {dimension.name for dimension in space.dimensions}
    return names == params.keys() and space.contains(params)
