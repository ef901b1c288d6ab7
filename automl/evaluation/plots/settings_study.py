"""The trials of one stage as an Optuna study in memory, for what Optuna can say of their settings."""

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from automl.records import Stage, TrialRecord, TrialState
from automl.search.space import Params, ParamValue, Real, head_space
from automl.search.stages.fine_tuning_space import fine_tune_space

_FEWEST_TRIALS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsStudy:
    """The complete trials of a stage.

    Attributes:
        stage: The stage.
        params: The parameters of each trial, of those settings that were given more than one value.
        scores: The score of each trial, 0-1.
        distributions: The range of each setting.
        importances: The importance of each setting, 0-1 and together 1, the most important first; by PED-ANOVA
            (Watanabe et al., 2023), Optuna's own evaluator.
    """

    stage: Stage
    params: tuple[Params, ...]
    scores: tuple[float, ...]
    distributions: dict[str, BaseDistribution]
    importances: dict[str, float]


def studies_of(trials: Sequence[TrialRecord]) -> list[SettingsStudy]:
    """A study for each stage with at least twelve complete trials that differ in their scores and settings."""
    found = (_study_of([t for t in trials if t.stage is stage], stage) for stage in (Stage.HEADS, Stage.FINE_TUNING))
    return [study for study in found if study is not None]


def is_log(name: str) -> bool:
    """Whether the values of a setting matter by their order of magnitude; the search spaces say so."""
    spaces = head_space(("any",), (224,)), fine_tune_space(("any",), (224,))
    return any(d.name == name and isinstance(d, Real) and d.log for space in spaces for d in space.dimensions)


def _study_of(trials: Sequence[TrialRecord], stage: Stage) -> SettingsStudy | None:
    complete = [t for t in trials if t.state is TrialState.COMPLETE and t.score is not None]
    scores = tuple(float(t.score or 0.0) for t in complete)
    distributions = _distributions(complete)
    if len(complete) < _FEWEST_TRIALS or len(set(scores)) < 2 or not distributions:
        return None
    params: tuple[Params, ...] = tuple({name: t.params[name] for name in distributions} for t in complete)
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # else it tells of every study that it makes
    try:
        study = optuna.create_study(direction="maximize")
        study.add_trials(
            [create_trial(value=s, params=dict(p), distributions=distributions)
             for s, p in zip(scores, params, strict=True)]
        )  # fmt: skip
        importances = {name: float(value) for name, value in optuna.importance.get_param_importances(study).items()}
    finally:
        optuna.logging.set_verbosity(level)
    return SettingsStudy(
        stage=stage, params=params, scores=scores, distributions=distributions, importances=importances
    )


def _distributions(trials: Sequence[TrialRecord]) -> dict[str, BaseDistribution]:
    """Of the settings that every trial has, over the range of the values that were tried."""
    if not trials:
        return {}
    common = [name for name in trials[0].params if all(name in t.params for t in trials)]
    values = {name: [t.params[name] for t in trials] for name in common}
    return {name: _distribution(name, tried) for name, tried in values.items() if len(set(tried)) > 1}


def _distribution(name: str, tried: Sequence[ParamValue]) -> BaseDistribution:
    if any(isinstance(value, str) for value in tried):
        return CategoricalDistribution(sorted({str(value) for value in tried}))
    low, high = min(tried), max(tried)
    if all(isinstance(value, int) for value in tried):
        return IntDistribution(int(low), int(high))
    return FloatDistribution(float(low), float(high), log=is_log(name))
