"""Proposals by KerasTuner's oracles. They only propose: loop, clock and record belong to the search."""

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.src.engine.trial import Trial, TrialStatus
from sklearn.exceptions import ConvergenceWarning

from automl.records import Sampler
from automl.search.space import SearchSpace
from automl.search.tuners.bayesian_oracle import QuickBayesianOracle
from automl.search.tuners.tuner import History, Proposal, seed_for

_TUNER_ID = "darkroom"
_MAX_TRIALS = 1_000_000
_ORACLES_OWN = "tuner/"
_EPOCHS = "tuner/epochs"
_POOR_QUANTILE = 0.25


class KerasTunerTuner:
    """A Gaussian process over all dimensions, random search or Hyperband, behind the interface of `tuner.Tuner`.

    The history is replayed into the new oracle. Hyperband alone is asked again for what it had proposed, because its
    brackets remember which trial is a promotion of which; the others depend on the finished trials and the seed only.
    """

    def __init__(
        self,
        space: SearchSpace,
        sampler: Sampler,
        *,
        seed: int,
        scratch: Path,
        max_epochs: int,
        history: History = (),
    ) -> None:
        self._oracle = _make_oracle(space, sampler, seed=seed, max_epochs=max_epochs)
        self._oracle.verbose = 0
        self._oracle._set_project_dir(str(scratch), "keras-tuner")
        # A new oracle gets the trials from our own record; this file of all trials would be rewritten for each of them.
        self._oracle.save = _write_nothing
        self._seed = seed
        self._n_observed = 0
        self._scores: list[float] = []
        self._running: Trial | None = None
        for proposal, score in history:
            self._replay(proposal, score)

    def propose(self) -> Proposal | None:
        if self._running is None:
            self._oracle._seed_state = seed_for(self._seed, self._n_observed)
            with _without_noise():
                trial = self._oracle.create_trial(_TUNER_ID)
            if trial.status != TrialStatus.RUNNING:
                return None
            # The oracle hands out NumPy numbers, which JSON and Optuna do not take.
            trial.hyperparameters.values = {
                name: value.item() if isinstance(value, np.generic) else value
                for name, value in trial.hyperparameters.values.items()
            }
            self._running = trial
        return _proposal_of(self._running)

    def beside(self, _proposal: Proposal, _shared: Collection[str], _n: int, /) -> list[Proposal]:
        """None: an oracle cannot be told what some dimensions are to be."""
        return []

    def observe(self, proposal: Proposal, score: float | None) -> None:
        if self._running is not None and _proposal_of(self._running) == proposal:
            trial, self._running = self._running, None
        else:
            trial = self._add(proposal)
        self._end(trial, self._poor_score() if score is None else score)
        if score is not None:
            self._scores.append(score)
        self._n_observed += 1

    def _replay(self, proposal: Proposal, score: float | None) -> None:
        if proposal.epochs is not None and self.propose() != proposal and self._running is not None:
            # It would propose another trial today than was recorded: the bracket goes on without that one.
            trial, self._running = self._running, None
            self._end(trial, None)
        self.observe(proposal, score)

    def _end(self, trial: Trial, score: float | None) -> None:
        with _without_noise():
            if score is None:
                trial.status = TrialStatus.FAILED
            else:
                self._oracle.update_trial(trial.trial_id, {"score": score})
                trial.status = TrialStatus.COMPLETED
            self._oracle.end_trial(trial)

    def _poor_score(self) -> float | None:
        """The score reported for a trial that has none: oracles ignore failed trials and would propose them again."""
        return float(np.quantile(self._scores, _POOR_QUANTILE)) if self._scores else None

    def _add(self, proposal: Proposal) -> Trial:
        """Adds a trial that the oracle did not propose, so that it learns from it too."""
        hyperparameters = self._oracle.hyperparameters.copy()
        hyperparameters.values = dict(proposal.params)
        trial = Trial(hyperparameters, trial_id=f"given-{len(self._oracle.trials)}", status=TrialStatus.RUNNING)
        self._oracle.trials[trial.trial_id] = trial
        self._oracle.start_order.append(trial.trial_id)
        return trial


def _make_oracle(space: SearchSpace, sampler: Sampler, *, seed: int, max_epochs: int) -> Any:
    options: dict[str, Any] = {
        "objective": keras_tuner.Objective("score", "max"),
        "hyperparameters": space.to_keras_tuner(),
        "allow_new_entries": False,
        "tune_new_entries": False,
        "seed": seed_for(seed, 0),  # an oracle takes 0 for "none given"
        # Our own loop decides when failures are too many.
        "max_retries_per_trial": 0,
        "max_consecutive_failed_trials": _MAX_TRIALS,
    }
    match sampler:
        case Sampler.RANDOM:
            return keras_tuner.oracles.RandomSearchOracle(max_trials=_MAX_TRIALS, **options)
        case Sampler.HYPERBAND:
            return keras_tuner.oracles.HyperbandOracle(
                max_epochs=max_epochs, hyperband_iterations=_MAX_TRIALS, **options
            )
        case _:
            return QuickBayesianOracle(max_trials=_MAX_TRIALS, **options)


def _proposal_of(trial: Trial) -> Proposal:
    values = trial.hyperparameters.values
    params = {name: value for name, value in values.items() if not name.startswith(_ORACLES_OWN)}
    return Proposal(params, values.get(_EPOCHS))


def _write_nothing() -> None:
    pass


@contextmanager
def _without_noise() -> Iterator[None]:
    """KerasTuner 1.4 uses an old name of `threading`, and its Gaussian process warns of flat scores."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(currentThread|getName)\(\) is deprecated")
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        yield
