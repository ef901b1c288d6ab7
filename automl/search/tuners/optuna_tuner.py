"""Proposals by Optuna's samplers, in memory; `study.py` keeps the lasting record."""

import warnings
from collections.abc import Collection, Sequence

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, PartialFixedSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.records import Sampler
from automl.search.space import Params, SearchSpace
from automl.search.tuners.tuner import History, Proposal, seed_for

_N_RANDOM_TRIALS = 8
_MAX_REMEMBERED = 600
_N_BEST_KEPT = 100
_N_LATEST_KEPT = 200
_MAX_FOREIGN_IN_A_ROW = 50


class OptunaTuner:
    """TPE over all dimensions together, random search, or CMA-ES, whose categorical dimensions TPE samples.

    A study on disk costs 0.3-0.5 s for each ask and tell, as much as training a head, so this one lives in memory.
    TPE's time for a proposal grows with the trials that it knows (about 0.1 s for 1,000), so from time to time all but
    the best and the latest ones are forgotten.
    """

    def __init__(self, space: SearchSpace, sampler: Sampler, *, seed: int, history: History = ()) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # our own observers report the trials
        self._space = space
        self._distributions = space.to_optuna()
        self._n_expert = 0
        self._sampler = sampler
        self._seed = seed
        self._n_observed = 0
        self._n_foreign_in_a_row = 0
        self._asked: list[optuna.Trial] = []
        self._study = _study_of([])
        for proposal, score in history:
            self._replay(proposal, score)

    def propose(self) -> Proposal:
        if not self._asked:
            self._asked = [self._ask(self._make_sampler())]
        return Proposal(dict(self._asked[0].params))

    def beside(self, proposal: Proposal, shared: Collection[str], n: int, /) -> list[Proposal]:
        """Of TPE, those that are being tried count as poor, so that the next one lies elsewhere (constant liar).

        None of CMA-ES, which asks for a generation in an order that a broken-off run could not repeat.
        """
        if self._sampler is Sampler.CMA_ES:
            return []
        fixed = {name: value for name, value in proposal.params.items() if name in shared}
        proposals = []
        for _ in range(n):
            self._asked.append(self._ask(_with_fixed(self._make_sampler(), fixed)))
            proposals.append(Proposal(dict(self._asked[-1].params)))
        return proposals

    def observe(self, proposal: Proposal, score: float | None) -> None:
        # Pruned, not failed: TPE ranks pruned trials below the others, but would overlook a failed one.
        state = TrialState.PRUNED if score is None else TrialState.COMPLETE
        asked = next((trial for trial in self._asked if trial.params == proposal.params), None)
        if asked is not None:
            self._study.tell(asked, score, state=state)
            self._asked.remove(asked)
        else:
            self._study.add_trial(
                create_trial(params=proposal.params, distributions=self._distributions, value=score, state=state)
            )
        self._n_observed += 1
        self._n_expert += self._space.is_expert_choice(proposal.params)
        if self._n_observed >= _MAX_REMEMBERED and not self._asked:
            self._forget()

    def _ask(self, sampler: BaseSampler) -> optuna.Trial:
        self._study.sampler = sampler
        return self._study.ask(self._distributions)

    def _make_sampler(self) -> BaseSampler:
        """A new one for each proposal, so that no random state is carried from one to the next."""
        seed = seed_for(self._seed, self._n_observed + len(self._asked))
        # The expert's trials are all alike: without others beside them TPE would hardly leave their values.
        n_random = _N_RANDOM_TRIALS + self._n_expert
        match self._sampler:
            case Sampler.RANDOM:
                return RandomSampler(seed=seed)
            case Sampler.CMA_ES:
                tpe = TPESampler(seed=seed, n_startup_trials=n_random)
                return CmaEsSampler(seed=seed, independent_sampler=tpe, warn_independent_sampling=False)
            case _:
                with_others = len(self._asked) > 0
                return TPESampler(seed=seed, multivariate=True, n_startup_trials=n_random, constant_liar=with_others)

    def _replay(self, proposal: Proposal, score: float | None) -> None:
        """Observes a trial of the history.

        CMA-ES keeps its state in the trials that it proposed itself, so it is asked for them again. After many trials
        in a row that it would not have proposed it is no longer asked; it learns from the trials all the same.
        """
        if self._sampler is Sampler.CMA_ES and self._n_foreign_in_a_row < _MAX_FOREIGN_IN_A_ROW:
            self._ask_again(proposal.params)
        self.observe(proposal, score)

    def _ask_again(self, params: Params) -> None:
        before = self._study.get_trials(deepcopy=False)
        asked = self._ask(_with_fixed(self._make_sampler(), self._categorical(params)))
        self._n_foreign_in_a_row += 1
        if asked.params == params:
            self._n_foreign_in_a_row = 0
            self._asked = [asked]
        else:  # its seed depends on the number of the trial, so the wrong proposal must not stay in the study
            self._study = _study_of(before)

    def _categorical(self, params: Params) -> Params:
        """The categorical values, which CMA-ES does not sample; they are fixed when it is asked again."""
        return {
            name: params[name]
            for name, distribution in self._distributions.items()
            if isinstance(distribution, CategoricalDistribution)
        }

    def _forget(self) -> None:
        trials = self._study.get_trials(deepcopy=False)
        if len(trials) < _MAX_REMEMBERED:
            return
        complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
        best = sorted(complete, key=lambda trial: -(trial.value or 0.0))[:_N_BEST_KEPT]
        kept = {trial.number for trial in [*best, *trials[-_N_LATEST_KEPT:]]}
        self._study = _study_of([trial for trial in trials if trial.number in kept])


def _study_of(trials: Sequence[FrozenTrial]) -> optuna.Study:
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    return study


def _with_fixed(sampler: BaseSampler, params: Params) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return PartialFixedSampler(params, sampler)
