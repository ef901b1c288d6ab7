"""What the web pages and optuna-dashboard find of a run while it goes on, and at its end."""

from dataclasses import replace
from datetime import UTC
from types import SimpleNamespace

import optuna
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from automl.formats import FORMATS
from automl.pipeline.database_observer import DatabaseObserver
from automl.records import ExportState, RunResult, RunState, Stage, TrialRecord, TrialState
from automl.search.space import head_space
from automl.search.stages.fine_tuning_space import fine_tune_space
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, find_run
from automl.store.tables import Dataset, Run, now
from tests.reports import made_report

HEADS = head_space(["mobilenet_v2"], [96])
FINE_TUNING = fine_tune_space(["mobilenet_v2"], [96])
PARAMS = {
    Stage.HEADS: HEADS.defaults(),
    Stage.FINE_TUNING: FINE_TUNING.defaults(),
    Stage.DISTILLATION: HEADS.defaults(),
    Stage.ENSEMBLE: {},
}


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def run_id(database):
    with database.session() as session:
        run = Run(dataset=Dataset(name="pets"), state=RunState.SEARCHING, budget_s=60.0)
        session.add(run)
        session.flush()
        return run.id


@pytest.fixture
def observer(database, run_id, tmp_path):
    observer = DatabaseObserver(database, ArtifactStore(tmp_path / "files"), run_id)
    observer.space(Stage.HEADS, HEADS)
    observer.space(Stage.FINE_TUNING, FINE_TUNING)
    return observer


def trial(number: int, stage: Stage, score: float | None = 0.8) -> TrialRecord:
    return TrialRecord(
        number=number,
        state=TrialState.PRUNED if score is None else TrialState.COMPLETE,
        backbones=("mobilenet_v2",),
        image_size_px=96,
        params=PARAMS[stage],
        score=score,
        started_s=1.0,
        duration_s=1.0,
        stage=stage,
        n_bytes=10,
        latency_s=0.1,
        epochs=4,
        parts=(0, 1) if stage is Stage.ENSEMBLE else (),
    )


def best_of(record: TrialRecord) -> SimpleNamespace:
    return SimpleNamespace(number=record.number, score=0.8, params=record.params, parts=record.parts)


def file_of(tmp_path, name: str):
    path = tmp_path / name
    path.write_bytes(name.encode())
    return path


def test_trials_of_every_stage_are_rows_and_come_back_as_they_were(observer, database, run_id):
    records = [trial(0, Stage.HEADS), trial(1, Stage.FINE_TUNING, None), trial(2, Stage.ENSEMBLE)]
    for record in records:
        observer.trial(record, best_of(record))
    with database.session() as session:
        run = find_run(session, run_id)
        assert [row.to_record() for row in run.trials] == records
        assert (run.n_trials, run.best_score, run.best_summary) == (3, 0.8, "the mean of tries 1, 2")
        assert run.best_trial == 2


def test_optuna_reads_the_trials_of_every_stage_in_one_study(observer, database, run_id):
    for number, stage in enumerate(Stage):
        observer.trial(trial(number, stage), None)
    observer.close()
    study = optuna.load_study(study_name=f"run-{run_id}", storage=database.url)
    assert [one.user_attrs["stage"] for one in study.trials] == ["heads", "fine-tuning", "distillation", "blend"]
    assert study.trials[3].user_attrs["parts"] == [0, 1]
    assert study.trials[0].params["taps"] == "several"


def study_of(database, run_id):
    return optuna.load_study(study_name=f"run-{run_id}", storage=database.url)


def test_trials_that_a_killed_attempt_left_out_are_added_by_the_next_one(observer, database, run_id, tmp_path):
    for number, stage in enumerate(Stage):
        observer.trial(trial(number, stage), None)
        if not number:
            observer.state(RunState.FINISHING)  # writes what waits
    assert len(study_of(database, run_id).trials) == 1
    again = DatabaseObserver(database, ArtifactStore(tmp_path / "files"), run_id, elapsed_s=100.0)
    again.space(Stage.HEADS, HEADS)
    again.close()
    assert [one.user_attrs["number_in_run"] for one in study_of(database, run_id).trials] == [0, 1, 2, 3]


def test_second_0_of_the_study_is_that_of_the_runs_clock(database, run_id, tmp_path):
    observer = DatabaseObserver(database, ArtifactStore(tmp_path / "files"), run_id, elapsed_s=100.0)
    observer.space(Stage.HEADS, HEADS)
    observer.trial(replace(trial(0, Stage.HEADS), started_s=99.0), None)
    observer.close()
    (one,) = study_of(database, run_id).trials
    assert -30 < (one.datetime_start.replace(tzinfo=UTC) - now()).total_seconds() < 0


def test_a_trial_that_meets_a_database_that_is_away_is_there_once(observer, database, run_id):
    n_left = 2

    def fail(*_):
        nonlocal n_left
        if n_left:
            n_left -= 1
            raise OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))

    event.listen(database.engine, "before_cursor_execute", fail)
    observer.trial(trial(0, Stage.HEADS), best_of(trial(0, Stage.HEADS)))
    observer._write_trial(trial(0, Stage.HEADS), None)  # as after a commit whose answer was lost
    with database.session() as session:
        assert [row.number for row in find_run(session, run_id).trials] == [0]
    assert n_left == 0


def test_a_study_that_cannot_be_opened_ends_no_run_and_is_opened_later(database, run_id, tmp_path, monkeypatch):
    def locked(*_):
        raise OperationalError("BEGIN", {}, Exception("database is locked"))

    observer = DatabaseObserver(database, ArtifactStore(tmp_path / "files"), run_id)
    with monkeypatch.context() as patch:
        patch.setattr("automl.search.study.StudyLog", locked)
        observer.space(Stage.HEADS, HEADS)
        observer.trial(trial(0, Stage.HEADS), None)
        observer.close()
    observer.close()
    assert len(study_of(database, run_id).trials) == 1


def test_a_run_that_fails_before_its_search_leaves_no_study(database, run_id, tmp_path):
    DatabaseObserver(database, ArtifactStore(tmp_path / "files"), run_id).close()
    assert f"run-{run_id}" not in optuna.get_all_study_names(database.url)


def test_the_winner_is_the_best_trial_even_if_a_better_one_could_not_be_written(observer, database, run_id):
    observer.trial(trial(1, Stage.HEADS), best_of(trial(1, Stage.HEADS)))
    observer.winner(made_report(winner={"trial": 0, "params": PARAMS[Stage.HEADS]}, validation={"score": 0.7}))
    with database.session() as session:
        run = find_run(session, run_id)
        assert (run.best_trial, run.best_score) == (0, 0.7)


def test_a_better_model_takes_the_place_of_the_one_before_it(observer, database, run_id, tmp_path):
    observer.best_so_far(file_of(tmp_path, "first.zip"), 0.5)
    observer.best_so_far(file_of(tmp_path, "second.zip"), 0.7)
    with database.session() as session:
        (artifact,) = find_run(session, run_id).artifacts
        assert artifact.title == "70.0 % on photos it had not learned from"
    (stored,) = (path for path in (tmp_path / "files").rglob("*") if path.is_file())
    assert stored.read_bytes() == b"second.zip"


def test_delivery_ends_the_run_with_the_bundle_and_the_plots_alone(observer, database, run_id, tmp_path):
    observer.best_so_far(file_of(tmp_path, "first.zip"), 0.5)
    observer.state(RunState.FINISHING)
    plot = file_of(tmp_path, "curves.png")
    bundle, report = file_of(tmp_path, "model.zip"), made_report()
    observer.deliver(RunResult(bundle=bundle, report=report, plots=((plot, "Curves"),)))
    with database.session() as session:
        run = find_run(session, run_id)
        assert (run.state, run.result) == (RunState.DONE, report)
        assert sorted(artifact.kind for artifact in run.artifacts) == ["bundle", "plot"]
        assert [row.format for row in run.exports] == [one.name for one in FORMATS]
        assert {row.state for row in run.exports} == {ExportState.PREPARING}


def test_no_try_goes_on_once_the_search_is_over(observer, database, run_id):
    observer.trying(trial(0, Stage.HEADS))
    observer.state(RunState.FINISHING)
    with database.session() as session:
        assert find_run(session, run_id).trying is None


def test_a_note_that_an_earlier_attempt_has_told_is_not_repeated(observer, database, run_id):
    for text in ("one", "two", "one"):
        observer.note(text)
    with database.session() as session:
        assert find_run(session, run_id).notes == ["one", "two"]


class Told:
    """Remembers the events."""

    def __init__(self):
        self.events = []

    def publish(self, run_id, kind, **data):
        self.events.append((kind, data))


@pytest.fixture
def told(observer):
    observer._events = Told()
    return observer._events


def test_a_trial_in_progress_is_kept_with_its_epochs_until_it_has_ended(observer, told, database, run_id):
    record = replace(trial(0, Stage.FINE_TUNING, None), state=TrialState.RUNNING, duration_s=0.0)
    observer.trying(record)
    observer.epoch(1, 0.8, 0.5)
    observer.epoch(2, 0.9, float("nan"))
    with database.session() as session:
        trying = find_run(session, run_id).trying
    assert trying is not None
    assert (trying.number, trying.epochs) == (0, ((1, 0.8, 0.5), (2, 0.9, None)))
    observer.trial(trial(0, Stage.FINE_TUNING), None)
    with database.session() as session:
        assert find_run(session, run_id).trying is None
    assert [kind for kind, _ in told.events] == ["trying", "epoch", "epoch", "trial"]


def test_the_log_tells_of_each_better_model_once_and_of_states_and_notes(observer, database, run_id):
    best = best_of(trial(0, Stage.HEADS))
    observer.trial(trial(0, Stage.HEADS), best)
    observer.trial(trial(1, Stage.HEADS, None), best)
    observer.note("Something.")
    observer.state(RunState.FINISHING)
    with database.session() as session:
        log = list(session.scalars(find_run(session, run_id).log.select()))
    assert [entry.kind for entry in log] == ["best", "note", "state"]
    assert (log[0].score, log[0].used_s) == (0.8, 2.0)


def test_pages_are_told_of_the_end_only_once_there_is_one(observer, told, database, run_id):
    observer.ended()
    assert told.events == []
    with database.session() as session:
        find_run(session, run_id).state = RunState.DONE
    observer.ended()
    assert told.events == [("end", {"state": RunState.DONE})]
