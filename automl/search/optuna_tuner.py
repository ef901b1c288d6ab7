"""Proposals by Optuna's TPE sampler, in memory; `study.py` keeps the lasting record."""

import optuna
from optuna.trial import TrialState, create_trial

from automl.search.space import Params, SearchSpace

_N_RANDOM_TRIALS = 8


class OptunaTuner:
    """Tree-structured Parzen estimator over all dimensions together.

    A study on disk costs 0.3-0.5 s for each ask and tell, as much as training a head, so this one lives in memory.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=_N_RANDOM_TRIALS)
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # our own observer tells of trials
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._distributions = space.to_optuna()
        self._asked: optuna.Trial | None = None

    def propose(self) -> Params:
        self._asked = self._study.ask(self._distributions)
        return dict(self._asked.params)

    def observe(self, params: Params, score: float | None) -> None:
        state = TrialState.FAIL if score is None else TrialState.COMPLETE
        if self._asked is not None and self._asked.params == params:
            self._study.tell(self._asked, score, state=state)
            self._asked = None
            return
        self._study.add_trial(create_trial(params=params, distributions=self._distributions, value=score, state=state))
