"""One format at a time, under a lease, in a process that is watched."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.formats import FORMATS
from automl.records import DatasetState, ExportState, RunState
from automl.settings import Settings
from automl.store.database import Database, find_run
from automl.store.exports import MAX_ATTEMPTS, add_exports
from automl.store.tables import Dataset, Export, Run, now
from automl.text.messages import store as store_messages
from tests.worker.conftest import wait_until
from worker.export_supervisor import EXPORTING, ExportSupervisor
from worker.stop_flag import StopFlag

FAKE = Path(__file__).parent / "fake_exporting.py"
MakeSupervisor = Callable[[str], ExportSupervisor]
InBackground = Callable[[Callable[[], object]], threading.Thread]


@pytest.fixture
def run_id(add_run: Callable[..., str], database: Database) -> str:
    run_id = add_run(state=RunState.DONE, finished_at=now())
    with database.session() as session:
        add_exports(session, run_id)
    return run_id


@pytest.fixture
def make_supervisor(
    database: Database, settings: Settings, stopping: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> MakeSupervisor:
    monkeypatch.setenv("PYTHONPATH", str(FAKE.parents[2]))

    def make(behaviour: str) -> ExportSupervisor:
        return ExportSupervisor(database, settings, stopping, command=(sys.executable, str(FAKE), behaviour))

    return make


@pytest.fixture
def first(database: Database, run_id: str) -> Callable[[], Export]:
    def load() -> Export:
        with database.session() as session:
            return find_run(session, run_id).exports[0]

    return load


def test_each_call_makes_one_format_and_says_whether_there_are_more(
    make_supervisor: MakeSupervisor, database: Database, run_id: str
) -> None:
    said = [make_supervisor("finish").make_next(run_id) for _ in FORMATS]
    assert said == [True] * (len(FORMATS) - 1) + [False]
    with database.session() as session:
        assert {row.state for row in find_run(session, run_id).exports} == {ExportState.READY}
    assert not make_supervisor("crash").make_next(run_id)  # nothing is left to be begun


def test_a_process_that_has_written_its_format_may_tidy_up(
    make_supervisor: MakeSupervisor, settings: Settings, run_id: str
) -> None:
    assert make_supervisor("tidy_up").make_next(run_id)
    assert (settings.home / "tidy").exists()


@pytest.mark.parametrize("behaviour", ["crash", "die"])
def test_a_death_is_an_attempt_and_frees_the_format_at_once(
    make_supervisor: MakeSupervisor, first: Callable[[], Export], run_id: str, behaviour: str
) -> None:
    assert make_supervisor(behaviour).make_next(run_id)
    assert (first().state, first().attempts, first().lease_until) == (ExportState.PREPARING, 1, None)


def test_a_format_whose_process_always_dies_is_given_up_and_the_next_one_is_made(
    make_supervisor: MakeSupervisor, database: Database, first: Callable[[], Export], run_id: str
) -> None:
    for _ in range(MAX_ATTEMPTS + 1):
        assert make_supervisor("die").make_next(run_id)
    assert make_supervisor("finish").make_next(run_id)
    assert (first().state, first().message) == (ExportState.FAILED, store_messages.EXPORT_GIVEN_UP)
    with database.session() as session:
        assert find_run(session, run_id).exports[1].state is ExportState.READY


def test_what_the_process_said_is_in_a_log_of_its_own(
    make_supervisor: MakeSupervisor, settings: Settings, run_id: str
) -> None:
    make_supervisor("crash").make_next(run_id)
    assert "something broke" in (settings.home / "logs" / f"export-{run_id}.log").read_text()


def test_a_worker_that_stops_hands_the_format_back_and_leaves_nothing_behind(
    make_supervisor: MakeSupervisor,
    first: Callable[[], Export],
    in_background: InBackground,
    settings: Settings,
    stopping: threading.Event,
    run_id: str,
) -> None:
    said: list[bool] = []
    thread = in_background(lambda: said.append(make_supervisor("wait").make_next(run_id)))
    wait_until((settings.home / "exporting.pid").exists)
    stopping.set()
    thread.join(20)
    assert said == [False]  # the reaper sends it again when the worker is back
    assert (first().state, first().attempts, first().lease_until) == (ExportState.PREPARING, 0, None)
    assert not Path("/proc", (settings.home / "exporting.pid").read_text()).exists()
    assert list((settings.home / "work").iterdir()) == []


def test_photos_that_wait_to_be_checked_go_first(
    make_supervisor: MakeSupervisor,
    first: Callable[[], Export],
    in_background: InBackground,
    database: Database,
    settings: Settings,
    run_id: str,
) -> None:
    said: list[bool] = []
    thread = in_background(lambda: said.append(make_supervisor("wait").make_next(run_id)))
    wait_until((settings.home / "exporting.pid").exists)
    with database.session() as session:
        session.add(Dataset(name="others", state=DatasetState.CHECKING))
    thread.join(20)
    assert said == [True]  # it is made once they are checked
    assert (first().state, first().attempts) == (ExportState.PREPARING, 0)


def test_the_lease_is_renewed_while_it_is_made(
    make_supervisor: MakeSupervisor,
    first: Callable[[], Export],
    in_background: InBackground,
    settings: Settings,
    stopping: threading.Event,
    run_id: str,
) -> None:
    in_background(lambda: make_supervisor("wait").make_next(run_id))
    wait_until((settings.home / "exporting.pid").exists)
    before = first().lease_until
    assert before is not None
    wait_until(lambda: (first().lease_until or before) > before)
    stopping.set()


def test_a_data_set_that_is_deleted_ends_the_process_at_once(
    make_supervisor: MakeSupervisor,
    database: Database,
    in_background: InBackground,
    settings: Settings,
    run_id: str,
) -> None:
    said: list[bool] = []
    thread = in_background(lambda: said.append(make_supervisor("wait").make_next(run_id)))
    wait_until((settings.home / "exporting.pid").exists)
    with database.session() as session:
        session.get_one(Run, run_id).dataset.deleted_at = now()
    thread.join(20)
    assert said == [False]
    assert not Path("/proc", (settings.home / "exporting.pid").read_text()).exists()


def test_a_process_that_cannot_start_fails_its_format(
    database: Database, settings: Settings, first: Callable[[], Export], run_id: str
) -> None:
    with pytest.raises(FileNotFoundError):
        ExportSupervisor(database, settings, threading.Event(), command=("/no/such/program",)).make_next(run_id)
    assert first().state is ExportState.FAILED
    assert "could not be started" in first().message


def test_the_real_command_goes_behind_everything_else() -> None:
    assert EXPORTING[:3] == ("nice", "-n", "10")


def test_a_fork_sees_that_the_worker_stops() -> None:
    flag = StopFlag()
    assert not flag.is_set()
    child = os.fork()
    if child == 0:
        deadline = time.monotonic() + 20
        while not flag.is_set() and time.monotonic() < deadline:
            time.sleep(0.01)
        os._exit(0 if flag.is_set() else 1)
    flag.set()
    assert os.waitpid(child, 0)[1] == 0
