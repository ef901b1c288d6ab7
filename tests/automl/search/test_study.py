"""Every trial of a run is a trial of one Optuna study in the database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import optuna
import pytest
from sqlalchemy.exc import OperationalError

from automl.errors import LeaseLost
from automl.records import Stage, TrialRecord, TrialState
from automl.search.space import Categorical, Real, SearchSpace, Whole
from automl.search.study import StudyLog
from automl.store.database import Database

SPACE = SearchSpace(
    (
        Categorical("backbones", ("a", "b"), "a"),
        Real(name="dropout", low=0.0, high=0.6, default=0.2),
        Whole(name="patience", low=3, high=15, default=8),
    )
)
FINE_TUNING = SearchSpace(
    (Categorical("backbone", ("a", "b"), "a"), Real(name="dropout", low=0.0, high=0.3, default=0.1))
)
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'db.sqlite3'}"


def record(number: int, score: float | None, state=TrialState.COMPLETE, **other) -> TrialRecord:
    params = {**SPACE.defaults(), "dropout": number / 100, "patience": 3 + number % 5}
    return replace(
        TrialRecord(
            number=number,
            state=state,
            backbones=("a",),
            image_size_px=160,
            params=params,
            score=score,
            started_s=1.0,
            duration_s=2.0,
        ),
        **other,
    )


def fine_tuned(number: int, score: float) -> TrialRecord:
    return record(number, score, stage=Stage.FINE_TUNING, params=FINE_TUNING.defaults())


def load(url: str) -> optuna.Study:
    return optuna.load_study(study_name="run-1", storage=url)


def write(url: str, *records: TrialRecord, space: SearchSpace = SPACE) -> optuna.Study:
    log = StudyLog(Database(url), "run-1", START)
    for trial in records:
        log.add(trial, space)
    log.flush()
    return load(url)


def test_complete_pruned_and_failed_trials_are_told_apart(url):
    study = write(url, record(0, 0.9), record(1, None, TrialState.PRUNED), record(2, None, TrialState.FAILED))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "FAIL"]
    assert [trial.value for trial in study.trials] == [0.9, None, None]
    assert study.best_params == record(0, 0.9).params


def test_a_trial_keeps_what_is_known_of_it(url):
    known = record(7, 0.9, n_bytes=5_000_000, latency_s=0.02, epochs=9, message="fine")
    (trial,) = write(url, known).trials
    assert trial.user_attrs == {
        "stage": "heads",
        "number_in_run": 7,
        "message": "fine",
        "n_bytes": 5_000_000,
        "latency_s": 0.02,
        "epochs": 9,
    }
    assert trial.duration == timedelta(seconds=2)


def test_stages_share_a_study_although_they_share_names(url):
    log = StudyLog(Database(url), "run-1", START)
    log.add(record(0, 0.9), SPACE)
    log.add(fine_tuned(1, 0.95), FINE_TUNING)
    log.add(record(2, 0.8), SPACE)
    log.flush()
    assert [set(trial.params) for trial in load(url).trials] == [
        {"backbones", "dropout", "patience"},
        {"backbone", "fine-tuning/dropout"},
        {"backbones", "dropout", "patience"},
    ]


def test_names_stay_the_same_in_a_later_attempt(url):
    write(url, record(0, 0.9))
    write(url, fine_tuned(1, 0.95), space=FINE_TUNING)
    study = write(url, fine_tuned(2, 0.96), space=FINE_TUNING)
    assert set(study.trials[1].params) == set(study.trials[2].params) == {"backbone", "fine-tuning/dropout"}


def test_a_space_that_has_changed_gets_names_of_its_own(url):
    def space(*backbones: str) -> SearchSpace:
        return SearchSpace((Categorical("backbones", backbones, "a"),))

    for number, names in enumerate([("a",), ("a", "b"), ("a", "b", "c")]):
        study = write(url, record(number, 0.5, params={"backbones": "a"}), space=space(*names))
    assert [list(trial.params) for trial in study.trials] == [["backbones"], ["heads/backbones"], ["heads/backbones 2"]]


def test_what_lies_outside_the_space_is_kept_as_an_attribute(url):
    (trial,) = write(url, record(0, 0.9, params={"backbones": "a", "dropout": 0.9, "units": "3+7"})).trials
    assert trial.params == {"backbones": "a"}
    assert trial.user_attrs["other_params"] == {"dropout": 0.9, "units": "3+7"}


def test_an_ensemble_keeps_its_parts_as_an_attribute(url):
    (trial,) = write(url, record(8, 0.9, stage=Stage.ENSEMBLE, params={}, parts=(3, 7)), space=SearchSpace(())).trials
    assert (trial.params, trial.user_attrs["parts"]) == ({}, [3, 7])


def test_a_second_log_continues_the_same_study(url):
    write(url, record(0, 0.5))
    assert len(write(url, record(1, 0.5)).trials) == 2


def test_a_second_log_knows_which_trials_are_there(url):
    log = StudyLog(Database(url), "run-1", START)
    assert log.numbers == frozenset()
    for number in (0, 3):
        log.add(record(number, 0.5), SPACE)
    log.flush()
    log.add(record(4, 0.5), SPACE)  # it waits when the process is killed
    assert StudyLog(Database(url), "run-1", START).numbers == {0, 3}


def test_trials_that_were_left_running_are_told_failed(url):
    study = optuna.create_study(storage=url, study_name="run-1", direction="maximize")
    study.ask(SPACE.to_optuna())
    StudyLog(Database(url), "run-1", START)
    assert [trial.state.name for trial in load(url).trials] == ["FAIL"]


def test_trials_that_could_not_be_written_are_written_next_time(url, monkeypatch):
    log = StudyLog(Database(url), "run-1", START)
    for number in range(3):
        log.add(record(number, 0.5), SPACE)
    add_trial, failures = optuna.Study.add_trial, iter([False, True])

    def locked(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if next(failures, False):
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        add_trial(study, trial)

    monkeypatch.setattr(optuna.Study, "add_trial", locked)
    with pytest.raises(OperationalError):
        log.flush()
    log.flush()
    assert [trial.user_attrs["number_in_run"] for trial in load(url).trials] == [0, 1, 2]


def test_optuna_says_which_parameter_mattered(url):
    log = StudyLog(Database(url), "run-1", START)
    for number in range(20):
        log.add(record(number, 1 - number / 20), SPACE)
    log.add(fine_tuned(20, 0.99), FINE_TUNING)
    log.flush()
    importance = optuna.importance.get_param_importances(
        load(url), params=["dropout", "patience"], evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
    )
    assert importance["dropout"] > importance["patience"]


def test_a_study_of_a_run_that_another_has_by_now_gets_no_trial(url):
    database = Database(url)
    is_lost = False

    def fence(_connection):
        if is_lost:
            raise LeaseLost

    log = StudyLog(database.fenced(fence), "run-1", START)
    for number in range(2):
        log.add(record(number, 0.5), SPACE)
        if number:
            is_lost = True
            with pytest.raises(LeaseLost):
                log.flush()
        else:
            log.flush()
    assert [trial.user_attrs["number_in_run"] for trial in load(url).trials] == [0]
