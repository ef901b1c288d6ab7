import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from automl.records import DatasetState, RunState
from automl.store.database import Database, find_run
from automl.store.exports import add_exports, claim_export
from automl.store.lease_owner import LeaseOwner
from automl.store.tables import DatasetVersion, Run, now
from worker.reaper import MAX_ATTEMPTS, is_check_waiting, send_lost_messages, take_back_lost_runs

AddRun = Callable[..., str]
AddDataset = Callable[..., str]
LoadRun = Callable[[str], Run]

ELSEWHERE = str(replace(LeaseOwner.mine(), place="elsewhere"))
DEAD_HERE = str(replace(LeaseOwner.mine(), started=-1))
ALIVE_HERE = str(LeaseOwner.mine())


@dataclass
class FakeQueues:
    """Counts as waiting whatever was sent, unless told otherwise."""

    sent: list[tuple[str, ...]] = field(default_factory=list)
    n_forgotten: int = 0

    def train(self, run_id: str) -> None:
        self.sent.append(("train", run_id))

    def check_dataset(self, dataset_id: str) -> None:
        self.sent.append(("light", dataset_id))

    def make_samples(self, dataset_id: str, run_id: str) -> None:
        self.sent.append(("light", dataset_id, run_id))

    def export(self, run_id: str) -> None:
        self.sent.append(("light", run_id))

    def n_waiting(self, queue: str) -> int:
        return sum(message[0] == queue for message in self.sent[self.n_forgotten :])

    def forget(self) -> None:
        self.n_forgotten = len(self.sent)


def in_seconds(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)


def test_a_worker_that_could_not_write_has_its_grace_once_it_can(
    add_run: AddRun, load_run: LoadRun, database: Database
) -> None:
    run_id = add_run(state=RunState.SEARCHING, lease_owner=ALIVE_HERE, lease_until=in_seconds(-1), attempts=1)
    with closing(sqlite3.connect(str(database.engine.url.database), check_same_thread=False)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(1.5, other.rollback)
        release.start()
        take_back_lost_runs(database, grace_s=0)
        release.join()
    assert load_run(run_id).state is RunState.SEARCHING
    take_back_lost_runs(database, grace_s=0)  # by now it could have renewed its lease
    assert load_run(run_id).state is RunState.QUEUED


def test_a_run_whose_lease_ran_out_goes_back_into_the_queue(
    add_run: AddRun, load_run: LoadRun, database: Database
) -> None:
    run_id = add_run(state=RunState.SEARCHING, lease_owner=ELSEWHERE, lease_until=in_seconds(-1), attempts=1)
    take_back_lost_runs(database)
    run = load_run(run_id)
    assert (run.state, run.lease_owner, run.lease_until) == (RunState.QUEUED, "", None)


def test_a_dead_worker_of_this_machine_is_noticed_before_its_lease_runs_out(
    add_run: AddRun, load_run: LoadRun, database: Database
) -> None:
    run_id = add_run(state=RunState.FINISHING, lease_owner=DEAD_HERE, lease_until=in_seconds(30), attempts=1)
    take_back_lost_runs(database)
    assert load_run(run_id).state is RunState.QUEUED


def test_a_living_worker_keeps_its_run(add_run: AddRun, load_run: LoadRun, database: Database) -> None:
    run_id = add_run(state=RunState.SEARCHING, lease_owner=ELSEWHERE, lease_until=in_seconds(30))
    take_back_lost_runs(database)
    assert load_run(run_id).state is RunState.SEARCHING


def test_after_a_sleep_of_the_machine_a_worker_may_renew_its_lease(
    add_run: AddRun, load_run: LoadRun, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = add_run(state=RunState.SEARCHING, lease_owner=ALIVE_HERE, lease_until=in_seconds(-3600))

    def renew(_seconds: float) -> None:
        with database.session() as session:
            run = session.get(Run, run_id)
            assert run is not None
            run.lease_until = in_seconds(30)

    monkeypatch.setattr("worker.reaper.time.sleep", renew)
    take_back_lost_runs(database)
    assert load_run(run_id).state is RunState.SEARCHING


def test_a_hung_worker_loses_its_run_all_the_same(add_run: AddRun, load_run: LoadRun, database: Database) -> None:
    run_id = add_run(state=RunState.SEARCHING, lease_owner=ALIVE_HERE, lease_until=in_seconds(-1), attempts=1)
    take_back_lost_runs(database, grace_s=0)
    assert load_run(run_id).state is RunState.QUEUED


def test_the_third_lost_worker_ends_the_run_in_plain_words(
    add_run: AddRun, load_run: LoadRun, database: Database
) -> None:
    lost = {"state": RunState.SEARCHING, "lease_owner": ELSEWHERE, "lease_until": in_seconds(-1)}
    second, third = add_run(**lost, attempts=MAX_ATTEMPTS - 1), add_run(**lost, attempts=MAX_ATTEMPTS)
    take_back_lost_runs(database)
    assert load_run(second).state is RunState.QUEUED
    assert load_run(third).state is RunState.FAILED
    assert "three times" in load_run(third).error_message


def test_a_lost_run_that_was_to_be_cancelled_is_cancelled(
    add_run: AddRun, load_run: LoadRun, database: Database
) -> None:
    run_id = add_run(state=RunState.SEARCHING, lease_owner=ELSEWHERE, lease_until=in_seconds(-1), cancel_requested=True)
    take_back_lost_runs(database)
    assert load_run(run_id).state is RunState.CANCELLED


def test_a_waiting_run_whose_message_was_lost_is_sent_once(add_run: AddRun, database: Database) -> None:
    run_id = add_run(created_at=in_seconds(-60))
    queues = FakeQueues()
    for _ in range(5):
        send_lost_messages(database, queues)
    assert queues.sent == [("train", run_id)]
    queues.forget()
    send_lost_messages(database, queues)
    assert queues.sent == [("train", run_id), ("train", run_id)]


def test_a_run_that_was_just_made_is_still_on_its_way(add_run: AddRun, database: Database) -> None:
    add_run()
    queues = FakeQueues()
    send_lost_messages(database, queues)
    assert queues.sent == []


def test_a_lost_check_is_sent_again(add_dataset: AddDataset, database: Database) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING)
    queues = FakeQueues()
    for _ in range(3):
        send_lost_messages(database, queues)
    assert queues.sent == [("light", dataset_id)]


def test_a_data_set_that_a_run_will_check_itself_is_left_to_it(
    add_dataset: AddDataset, add_run: AddRun, database: Database
) -> None:
    add_run(add_dataset(DatasetState.CHECKING), state=RunState.PREPARING, lease_until=in_seconds(30))
    queues = FakeQueues()
    send_lost_messages(database, queues)
    assert queues.sent == []


def test_photos_that_came_while_a_run_uses_an_older_version_are_not_left_to_it(
    add_dataset: AddDataset, add_run: AddRun, database: Database
) -> None:
    run_id = add_run(add_dataset(DatasetState.CHECKING), state=RunState.SEARCHING, lease_until=in_seconds(30))
    with database.session() as session:
        run = find_run(session, run_id)
        version = DatasetVersion(number=1, fingerprint="f", key="k", n_images=1, n_classes=1)
        run.dataset.versions.append(version)
        run.version = version
        assert is_check_waiting(session)
    queues = FakeQueues()
    send_lost_messages(database, queues)
    assert queues.sent == [("light", run.dataset_id)]


def test_lost_sample_images_are_made_before_their_run_starts(
    add_dataset: AddDataset, add_run: AddRun, database: Database
) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING, n_files=0)
    run_id = add_run(dataset_id, created_at=in_seconds(-60))
    queues = FakeQueues()
    send_lost_messages(database, queues)
    assert queues.sent == [("light", dataset_id, run_id)]


def test_nothing_is_sent_where_all_is_well(add_dataset: AddDataset, add_run: AddRun, database: Database) -> None:
    add_dataset(DatasetState.READY)
    add_dataset(DatasetState.INVALID)
    add_run(state=RunState.DONE)
    queues = FakeQueues()
    send_lost_messages(database, queues)
    assert queues.sent == []


@pytest.fixture
def delivered(add_run: AddRun, database: Database) -> str:
    """A finished run whose formats are still to be made."""
    run_id = add_run(state=RunState.DONE, finished_at=in_seconds(-60))
    with database.session() as session:
        add_exports(session, run_id)
    return run_id


def test_formats_whose_message_was_lost_are_sent_once_a_run(delivered: str, database: Database) -> None:
    queues = FakeQueues()
    for _ in range(3):
        send_lost_messages(database, queues)
    assert queues.sent == [("light", delivered)]
    queues.forget()
    send_lost_messages(database, queues)
    assert queues.sent == [("light", delivered)] * 2


def test_formats_that_somebody_makes_are_left_to_him_until_his_lease_has_run_out(
    delivered: str, database: Database
) -> None:
    queues = FakeQueues()
    with database.session() as session:
        claim_export(session, delivered, lease_s=30)
    send_lost_messages(database, queues)
    assert queues.sent == []
    with database.session() as session:
        find_run(session, delivered).exports[0].lease_until = in_seconds(-1)
    send_lost_messages(database, queues)
    assert queues.sent == [("light", delivered)]


def test_the_formats_of_a_run_that_has_just_ended_are_still_on_their_way(delivered: str, database: Database) -> None:
    queues = FakeQueues()
    send_lost_messages(database, queues, settle_s=3600)
    assert queues.sent == []


def test_a_check_is_sent_again_although_an_export_waits(
    delivered: str, add_dataset: AddDataset, database: Database
) -> None:
    queues = FakeQueues()
    send_lost_messages(database, queues)
    dataset_id = add_dataset(DatasetState.CHECKING)
    send_lost_messages(database, queues)
    assert ("light", dataset_id) in queues.sent
