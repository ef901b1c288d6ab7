import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from automl.records import RunState
from automl.settings import Settings
from automl.store.database import Database, find_run
from automl.store.run_clock import run_clock
from automl.store.runs import request_cancel, request_more_time, request_stop
from automl.store.tables import Artifact, Run, now
from tests.worker.conftest import wait_until
from worker import supervisor as supervisor_module
from worker.supervisor import Supervisor, hand_back

MakeSupervisor = Callable[[str], Supervisor]
LoadRun = Callable[[str], Run]
InBackground = Callable[[Callable[[], None]], threading.Thread]


def test_a_finished_run_stays_as_its_pipeline_left_it(
    make_supervisor: MakeSupervisor, load_run: LoadRun, run_id: str
) -> None:
    make_supervisor("finish").supervise_next()
    run = load_run(run_id)
    assert (run.state, run.error_code, run.lease_owner, run.attempts) == (RunState.DONE, "", "", 1)


def test_a_crash_becomes_a_failure_in_plain_words(
    make_supervisor: MakeSupervisor, load_run: LoadRun, run_id: str, settings: Settings
) -> None:
    make_supervisor("crash").supervise_next()
    run = load_run(run_id)
    assert (run.state, run.error_code) == (RunState.FAILED, "internal")
    assert f"run-{run_id}.log" in run.error_message
    assert "something broke" in (settings.home / "logs" / f"run-{run_id}.log").read_text()


def test_a_killed_pipeline_names_memory_and_the_best_so_far(
    make_supervisor: MakeSupervisor, database: Database, load_run: LoadRun, run_id: str
) -> None:
    with database.session() as session:
        kept = Artifact(
            run_id=run_id, kind="best_so_far", name="m.zip", media_type="application/zip", key="k", n_bytes=1
        )
        session.add(kept)
    make_supervisor("die").supervise_next()
    run = load_run(run_id)
    assert run.state is RunState.FAILED
    assert "memory" in run.error_message
    assert "can still be downloaded" in run.error_message


def test_a_pipeline_that_cannot_start_fails_the_run(
    database: Database, settings: Settings, load_run: LoadRun, run_id: str
) -> None:
    with pytest.raises(FileNotFoundError):
        Supervisor(database, settings, threading.Event(), command=("/no/such/program",)).supervise_next()
    assert load_run(run_id).state is RunState.FAILED
    assert "could not be started: No such file" in load_run(run_id).error_message


def test_stop_reaches_the_pipeline_which_then_delivers(
    make_supervisor: MakeSupervisor,
    database: Database,
    load_run: LoadRun,
    run_id: str,
    in_background: InBackground,
    under_way: Callable[[str], None],
) -> None:
    watch = in_background(lambda: make_supervisor("wait_for_stop").supervise_next())
    under_way(run_id)
    with database.session() as session:
        find_run(session, run_id).best_score = 0.9
        request_stop(find_run(session, run_id))
    watch.join(5)
    assert load_run(run_id).state is RunState.DONE


def test_more_time_reaches_the_pipeline(
    make_supervisor: MakeSupervisor,
    database: Database,
    settings: Settings,
    run_id: str,
    in_background: InBackground,
    under_way: Callable[[str], None],
) -> None:
    watch = in_background(lambda: make_supervisor("wait_for_time").supervise_next())
    under_way(run_id)
    with database.session() as session:
        request_more_time(find_run(session, run_id), 300.0, max_budget_s=3600.0, used_s=1.0, progress=0.1)
    watch.join(5)
    assert (settings.home / "told.txt").read_text() == "budget 360.000\n"


def test_the_time_that_a_pipeline_takes_to_start_is_counted(
    settings: Settings, make_supervisor: MakeSupervisor, run_id: str
) -> None:
    make_supervisor("tell_age").supervise_next()
    # Starting Python takes some hundredths of a second at least.
    assert 0.01 < float((settings.home / "age.txt").read_text()) < 60


def test_whoever_watches_is_told_of_the_start_and_of_an_end_that_the_pipeline_could_not_tell(
    database: Database, settings: Settings, make_supervisor: MakeSupervisor, run_id: str
) -> None:
    supervisor, told = make_supervisor("crash"), Told()
    supervisor._events = told
    supervisor.supervise_next()
    assert told.kinds == [("state", RunState.PREPARING), ("end", RunState.FAILED)]


class Told:
    def __init__(self) -> None:
        self.kinds: list[tuple[str, RunState]] = []

    def publish(self, _run_id: str, kind: str, **data: RunState) -> None:
        self.kinds.append((kind, data["state"]))


def test_a_run_that_is_handed_back_keeps_the_progress_that_was_shown(
    make_supervisor: MakeSupervisor,
    settings: Settings,
    load_run: LoadRun,
    run_id: str,
    stopping: threading.Event,
    in_background: InBackground,
    under_way: Callable[[str], None],
) -> None:
    watch = in_background(lambda: make_supervisor("wait_for_stop").supervise_next())
    under_way(run_id)
    shown = run_clock(load_run(run_id), settings.lease_s).progress
    stopping.set()
    watch.join(5)
    assert run_clock(load_run(run_id), settings.lease_s).progress >= shown > 0


def test_cancel_ends_a_deaf_pipeline_and_its_children_within_five_seconds(
    make_supervisor: MakeSupervisor,
    database: Database,
    settings: Settings,
    load_run: LoadRun,
    run_id: str,
    in_background: InBackground,
) -> None:
    in_background(lambda: make_supervisor("be_deaf").supervise_next())
    wait_until((settings.home / "child.pid").exists)
    clicked_s = time.monotonic()
    with database.session() as session:
        request_cancel(find_run(session, run_id))
    wait_until(lambda: load_run(run_id).state is RunState.CANCELLED)
    assert time.monotonic() - clicked_s < 5
    child = int((settings.home / "child.pid").read_text())
    wait_until(lambda: not _runs(child))


def test_a_run_is_handed_back_when_the_worker_stops(
    make_supervisor: MakeSupervisor,
    load_run: LoadRun,
    run_id: str,
    stopping: threading.Event,
    in_background: InBackground,
    under_way: Callable[[str], None],
) -> None:
    watch = in_background(lambda: make_supervisor("wait_for_stop").supervise_next())
    under_way(run_id)
    stopping.set()
    watch.join(5)
    run = load_run(run_id)
    assert (run.state, run.lease_owner, run.lease_until, run.attempts) == (RunState.QUEUED, "", None, 0)


def test_the_lease_is_renewed_and_the_budget_counted(
    make_supervisor: MakeSupervisor,
    database: Database,
    load_run: LoadRun,
    run_id: str,
    stopping: threading.Event,
    in_background: InBackground,
) -> None:
    with database.session() as session:
        find_run(session, run_id).used_s = 100.0
    in_background(lambda: make_supervisor("wait_for_stop").supervise_next())
    wait_until(lambda: load_run(run_id).used_s > 101.5)
    lease_until = load_run(run_id).lease_until
    assert lease_until is not None
    assert lease_until > now() + timedelta(seconds=3)
    stopping.set()


def test_a_second_delivery_finds_nothing_to_do(
    make_supervisor: MakeSupervisor, database: Database, load_run: LoadRun, run_id: str
) -> None:
    with database.session() as session:
        find_run(session, run_id).state = RunState.SEARCHING
    make_supervisor("crash").supervise_next()
    assert load_run(run_id).state is RunState.SEARCHING


def test_a_supervisor_that_lost_its_lease_kills_its_pipeline_and_writes_nothing(
    make_supervisor: MakeSupervisor,
    database: Database,
    load_run: LoadRun,
    run_id: str,
    in_background: InBackground,
    under_way: Callable[[str], None],
) -> None:
    watch = in_background(lambda: make_supervisor("wait_for_stop").supervise_next())
    under_way(run_id)
    with database.session() as session:
        run = find_run(session, run_id)
        run.lease_owner, run.lease_number = "somebody else", run.lease_number + 1
    watch.join(5)
    run = load_run(run_id)
    assert (run.state, run.lease_owner) == (RunState.PREPARING, "somebody else")


def test_a_pipeline_that_lingers_after_its_work_is_ended(
    make_supervisor: MakeSupervisor, load_run: LoadRun, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "EXIT_GRACE_S", 0.2)
    make_supervisor("linger").supervise_next()
    assert load_run(run_id).state is RunState.DONE


def test_a_database_that_is_away_for_longer_than_the_lease_costs_nothing(
    make_supervisor: MakeSupervisor,
    load_run: LoadRun,
    run_id: str,
    settings: Settings,
    in_background: InBackground,
    under_way: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor = make_supervisor("wait_for_stop")
    look, away_until_s = supervisor._look, time.monotonic() + settings.lease_s + 2
    n_failed = 0

    def fail_first(session: Session, run: Run | None, watch: object) -> object:
        nonlocal n_failed
        if time.monotonic() < away_until_s:
            n_failed += 1
            raise OperationalError("SELECT", {}, Exception("database is locked"))
        if run is not None:
            run.stop_requested = True
        return look(session, run, watch)  # type: ignore[arg-type]

    monkeypatch.setattr(supervisor, "_look", fail_first)
    in_background(lambda: supervisor.supervise_next()).join(30)
    run = load_run(run_id)
    assert n_failed > 5
    assert (run.state, run.attempts) == (RunState.DONE, 1)


def test_a_pipeline_that_has_waited_for_the_database_for_too_long_goes_on_later(
    make_supervisor: MakeSupervisor, load_run: LoadRun, run_id: str
) -> None:
    make_supervisor("miss_database").supervise_next()
    run = load_run(run_id)
    assert (run.state, run.attempts, run.error_message) == (RunState.QUEUED, 0, "")
    assert "database" in run.activity


def test_a_supervisor_whose_run_was_taken_back_fails_nothing(
    make_supervisor: MakeSupervisor, database: Database, load_run: LoadRun, run_id: str
) -> None:
    supervisor = make_supervisor("crash")
    look = supervisor._watch

    def take_back(watch: object) -> object:
        ending = look(watch)  # type: ignore[arg-type]
        with database.session() as session:
            hand_back(find_run(session, run_id), "Waiting to go on", 30.0)
        return ending

    supervisor._watch = take_back  # type: ignore[method-assign, assignment]
    supervisor.supervise_next()
    assert load_run(run_id).state is RunState.QUEUED


def _runs(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
