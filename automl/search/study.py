"""The lasting record: every trial of a run, whoever proposed it, is a trial of one Optuna study."""

from datetime import datetime, timedelta

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.records import TrialRecord
from automl.records import TrialState as RecordState

_STATES = {
    RecordState.COMPLETE: TrialState.COMPLETE,
    RecordState.PRUNED: TrialState.PRUNED,
    RecordState.FAILED: TrialState.FAIL,
}


class StudyLog:
    """Writes finished trials to a study in the database, in batches, since each costs about 0.05 s there.

    `optuna-dashboard` opens the same database as it is. `started_at`: when second 0 of the run was.
    """

    def __init__(self, url: str, name: str, distributions: dict[str, BaseDistribution], started_at: datetime) -> None:
        connect = {"timeout": 30} if url.startswith("sqlite") else {}
        storage = optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": connect})
        self._study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
        self._distributions = distributions
        self._started_at = started_at
        self._waiting: list[FrozenTrial] = []

    def add(self, record: TrialRecord) -> None:
        """Keeps a finished trial for the next `flush`."""
        trial = create_trial(
            state=_STATES[record.state],
            value=record.score,
            params=dict(record.params),
            distributions=self._distributions,
            user_attrs={"number_in_run": record.number, "message": record.message},
        )
        begun = self._started_at + timedelta(seconds=record.started_s)
        trial.datetime_start = begun
        trial.datetime_complete = begun + timedelta(seconds=record.duration_s)
        self._waiting.append(trial)

    def flush(self) -> None:
        """Writes what is waiting."""
        waiting, self._waiting = self._waiting, []
        self._study.add_trials(waiting)
