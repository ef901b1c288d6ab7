"""Every trial of a run is a trial of one Optuna study in the database."""

from datetime import UTC, datetime

import optuna

from automl.records import TrialRecord, TrialState
from automl.search.space import head_space
from automl.search.study import StudyLog

SPACE = head_space(["a", "b"], [160])


def record(number: int, score: float | None, state: TrialState = TrialState.COMPLETE) -> TrialRecord:
    return TrialRecord(number, state, ("a",), 160, SPACE.defaults(), score, 1.0, 2.0)


def test_finished_and_failed_trials_are_in_the_study(tmp_path):
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    log = StudyLog(url, "run-1", SPACE.to_optuna(), datetime.now(UTC))
    log.add(record(0, 0.9))
    log.add(record(1, None, TrialState.FAILED))
    log.flush()
    study = optuna.load_study(study_name="run-1", storage=url)
    assert [trial.value for trial in study.trials] == [0.9, None]
    assert study.best_params == SPACE.defaults()


def test_a_second_log_continues_the_same_study(tmp_path):
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    for number in range(2):
        log = StudyLog(url, "run-1", SPACE.to_optuna(), datetime.now(UTC))
        log.add(record(number, 0.5))
        log.flush()
    assert len(optuna.load_study(study_name="run-1", storage=url).trials) == 2
