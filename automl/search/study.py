"""The lasting record: every trial of a run is a trial of one Optuna study, whichever tuner proposed it."""

from datetime import datetime, timedelta

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.records import Stage, TrialRecord
from automl.records import TrialState as RecordState
from automl.search.space import Params, SearchSpace
from automl.store.database import Database, engine_options, quieten

_STATES = {
    RecordState.COMPLETE: TrialState.COMPLETE,
    RecordState.PRUNED: TrialState.PRUNED,
    RecordState.FAILED: TrialState.FAIL,
}


class StudyLog:
    """Writes finished trials to a study in the database, in batches, since each costs about 0.05 s there.

    `optuna-dashboard` opens the same database as it is. A parameter keeps its name, unless that name already has
    another distribution in this study, which Optuna does not allow: then the stage precedes it, as in
    `fine-tuning/dropout`, and a number follows where even that is taken (`heads/backbones 2`). Trials that an earlier
    attempt at the run has left running are marked as failed.

    Attributes:
        numbers: the run's trials that were in the study when it was opened; an attempt that was killed may have left
            some out.

    Args:
        database: where it is; where it is fenced, nothing is written to the study either once the lease is lost.
        name: of the study.
        started_at: when second 0 of the run's clock was.
    """

    def __init__(self, database: Database, name: str, started_at: datetime) -> None:
        options = engine_options(database.url)
        if database.url.startswith("sqlite"):
            options["connect_args"] = {"timeout": 30}
        storage = optuna.storages.RDBStorage(database.url, engine_kwargs=options)
        quieten(storage.engine)
        database.fence_others(storage.scoped_session)
        self._study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
        self._started_at = started_at
        self._waiting: list[FrozenTrial] = []
        self._distributions: dict[str, BaseDistribution] = {}
        trials = self._study.get_trials(deepcopy=False)
        attributes = [trial.user_attrs for trial in trials]
        self.numbers = frozenset(int(known["number_in_run"]) for known in attributes if "number_in_run" in known)
        for trial in trials:
            self._distributions.update(trial.distributions)
            if not trial.state.is_finished():
                self._study.tell(trial.number, state=TrialState.FAIL)

    def add(self, record: TrialRecord, space: SearchSpace) -> None:
        """Keeps a finished trial for the next `flush`.

        Args:
            space: that of the trial's stage. Parameters that do not lie in it become the attribute `other_params`.
        """
        inside, other = _divide(record.params, space)
        names = self._names(record.stage, inside, space)
        trial = create_trial(
            state=_STATES[record.state],
            value=record.score,
            params={names[name]: value for name, value in inside.items()},
            distributions={name: self._distributions[name] for name in names.values()},
            user_attrs={
                "stage": record.stage.value,
                "number_in_run": record.number,
                "message": record.message,
                "n_bytes": record.n_bytes,
                "latency_s": record.latency_s,
                "epochs": record.epochs,
                **({"other_params": other} if other else {}),
                **({"parts": list(record.parts)} if record.parts else {}),
            },
        )
        begun = self._started_at + timedelta(seconds=record.started_s)
        trial.datetime_start = begun
        trial.datetime_complete = begun + timedelta(seconds=record.duration_s)
        self._waiting.append(trial)

    def flush(self) -> None:
        """Writes the waiting trials; those that could not be written wait for the next time."""
        while self._waiting:
            self._study.add_trial(self._waiting[0])
            self._waiting.pop(0)

    def _names(self, stage: Stage, params: Params, space: SearchSpace) -> dict[str, str]:
        """The names in the study of the parameters that have these names in the search space."""
        distributions = space.to_optuna()
        return {name: self._name(stage, name, distributions[name]) for name in params}

    def _name(self, stage: Stage, name: str, distribution: BaseDistribution) -> str:
        found, n_taken = name, 0
        while self._distributions.setdefault(found, distribution) != distribution:
            n_taken += 1
            found = f"{stage.value}/{name}" if n_taken == 1 else f"{stage.value}/{name} {n_taken}"
        return found


def _divide(params: Params, space: SearchSpace) -> tuple[Params, Params]:
    """The parameters that lie in the space, and the others."""
    dimensions = {dimension.name: dimension for dimension in space.dimensions}
    inside = {name: value for name, value in params.items() if name in dimensions and dimensions[name].contains(value)}
    return inside, {name: value for name, value in params.items() if name not in inside}
