"""Proposals by KerasTuner's Bayesian oracle. It only proposes: the loop, the clock and the record are ours."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras_tuner
import numpy as np
from keras_tuner.src.engine.trial import Trial, TrialStatus
from sklearn.exceptions import ConvergenceWarning

from automl.search.space import Params, SearchSpace

_TUNER_ID = "darkroom"
_MAX_TRIALS = 1_000_000


class KerasTunerTuner:
    """A Gaussian process over all dimensions, behind the interface of `tuner.Tuner`."""

    def __init__(self, space: SearchSpace, seed: int, scratch: Path) -> None:
        self._oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            objective=keras_tuner.Objective("score", "max"),
            max_trials=_MAX_TRIALS,
            hyperparameters=space.to_keras_tuner(),
            allow_new_entries=False,
            tune_new_entries=False,
            seed=seed,
            # Our own loop decides when failures are too many.
            max_retries_per_trial=0,
            max_consecutive_failed_trials=_MAX_TRIALS,
        )
        self._oracle.verbose = 0
        self._oracle._set_project_dir(str(scratch), "keras-tuner")
        self._proposed: Trial | None = None

    def propose(self) -> Params | None:
        with _without_noise():
            trial = self._oracle.create_trial(_TUNER_ID)
        if trial.status != TrialStatus.RUNNING:
            return None
        self._proposed = trial
        # The oracle hands out NumPy numbers, which JSON and Optuna do not take.
        values = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in trial.hyperparameters.values.items()
        }
        trial.hyperparameters.values = values
        return dict(values)

    def observe(self, params: Params, score: float | None) -> None:
        trial = self._proposed
        if trial is None or trial.hyperparameters.values != params:
            trial = self._add(params)
        with _without_noise():
            if score is None:
                trial.status = TrialStatus.FAILED
            else:
                self._oracle.update_trial(trial.trial_id, {"score": score})
                trial.status = TrialStatus.COMPLETED
            self._oracle.end_trial(trial)
        if trial is self._proposed:
            self._proposed = None

    def _add(self, params: Params) -> Trial:
        """A trial that the oracle did not propose, so that it learns from it all the same."""
        hyperparameters = self._oracle.hyperparameters.copy()
        hyperparameters.values = dict(params)
        trial = Trial(hyperparameters, trial_id=f"given-{len(self._oracle.trials)}", status=TrialStatus.RUNNING)
        self._oracle.trials[trial.trial_id] = trial
        self._oracle.start_order.append(trial.trial_id)
        return trial


@contextmanager
def _without_noise() -> Iterator[None]:
    """KerasTuner 1.4 uses a name that `threading` has changed, and its Gaussian process complains of flat scores."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(currentThread|getName)\(\) is deprecated")
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        yield
