"""Whoever writes under a lease that is another's by now changes nothing, and the database's clock decides of leases."""

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from automl.errors import LeaseLost
from automl.records import DatasetState, RunState
from automl.store.check_lease import CheckClaim, claim_check, has_checker, leased_check
from automl.store.database import Database, find_dataset, find_run
from automl.store.database_clock import from_now
from automl.store.exports import add_exports, claim_export, retry_exports
from automl.store.lease_owner import LeaseOwner
from automl.store.runs import RunClaim, change_run_state, claim_run, runs_with_lost_lease, take_lease_back
from automl.store.tables import Dataset, Export, Run, TrialSummary, now
from tests.automl.store.conftest import add_run

TRIAL = {"number": 0, "state": "complete", "image_size_px": 96, "started_s": 0.0, "duration_s": 1.0}


def claim(database: Database, run_id: str, lease_s: float = 30.0) -> RunClaim:
    with database.session() as session:
        claimed = claim_run(session, run_id, owner="me", lease_s=lease_s)
        assert claimed is not None
        change_run_state(find_run(session, run_id), RunState.PREPARING)
        return claimed


def take_back(database: Database, claimed: RunClaim) -> bool:
    with database.session() as session:
        lease_until = find_run(session, claimed.run_id).lease_until
        return take_lease_back(session, claimed, lease_until=lease_until)


def add_dataset(database: Database) -> str:
    with database.session() as session:
        dataset = Dataset(name="pets", state=DatasetState.CHECKING)
        session.add(dataset)
        session.flush()
        return dataset.id


def test_who_has_the_lease_writes(database: Database, run_id: str) -> None:
    with database.fenced(claim(database, run_id).hold).session() as session:
        session.add(TrialSummary(run_id=run_id, **TRIAL))
    with database.session() as session:
        assert len(find_run(session, run_id).trials) == 1


def test_who_has_lost_the_lease_changes_nothing(database: Database, run_id: str) -> None:
    claimed = claim(database, run_id)
    fenced = database.fenced(claimed.hold)
    assert take_back(database, claimed)
    with pytest.raises(LeaseLost), fenced.session() as session:
        session.add(TrialSummary(run_id=run_id, **TRIAL))
    with pytest.raises(LeaseLost), fenced.session() as session:
        session.execute(update(Run).where(Run.id == run_id).values(activity="written too late"))
    with database.session() as session:
        run = find_run(session, run_id)
        assert (run.trials, run.activity) == ([], run.activity)
        assert run.activity != "written too late"


def test_a_run_that_has_ended_by_itself_may_still_be_tidied_up(database: Database, run_id: str) -> None:
    fenced = database.fenced(claim(database, run_id).hold)
    with fenced.session() as session:
        change_run_state(find_run(session, run_id), RunState.FAILED)
    with fenced.session() as session:
        assert find_run(session, run_id).state is RunState.FAILED


def test_a_lease_that_was_renewed_is_not_taken_back(database: Database, run_id: str) -> None:
    claimed = claim(database, run_id)
    with database.session() as session:
        before = find_run(session, run_id).lease_until
        session.execute(update(Run).values(lease_until=from_now(99.0)))
    with database.session() as session:
        assert not take_lease_back(session, claimed, lease_until=before)


def test_a_number_is_never_used_again_although_attempts_are_counted_anew(database: Database) -> None:
    run_id = add_run(database, RunState.DONE)
    numbers = []
    for _ in range(3):
        with database.session() as session:
            add_exports(session, run_id)
            claimed = claim_export(session, run_id, lease_s=-1)
            assert claimed is not None
            numbers.append((claimed.attempt, claimed.number))
            session.execute(update(Export).where(Export.format == claimed.format).values(state="FAILED"))
            retry_exports(session, run_id)
    assert numbers == [(1, 1), (1, 2), (1, 3)]


def test_an_export_whose_lease_is_lost_changes_nothing(database: Database) -> None:
    run_id = add_run(database, RunState.DONE)
    with database.session() as session:
        add_exports(session, run_id)
        lost, again = claim_export(session, run_id, lease_s=-1), claim_export(session, run_id, lease_s=30)
    assert lost is not None and again is not None
    with pytest.raises(LeaseLost), database.fenced(lost.hold).session() as session:
        session.execute(update(Run).values(activity="written too late"))
    with database.fenced(again.hold).session() as session:
        session.execute(update(Run).values(activity="written in time"))
    with database.session() as session:
        assert find_run(session, run_id).activity == "written in time"


def test_leases_go_by_the_clock_of_the_database(
    database: Database, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong() -> datetime:
        return datetime.now().astimezone() + timedelta(hours=3)

    for module in ("runs", "exports", "tables"):
        if hasattr(__import__(f"automl.store.{module}", fromlist=["now"]), "now"):
            monkeypatch.setattr(f"automl.store.{module}.now", wrong)
    claim(database, run_id, lease_s=30)
    with database.session() as session:
        assert runs_with_lost_lease(session) == []
        session.execute(update(Run).values(lease_until=from_now(-0.5)))
    with database.session() as session:
        assert [run.id for run in runs_with_lost_lease(session)] == [run_id]


@pytest.mark.parametrize("seconds", [-0.001, 0.0, 30.0, 86_400.0])
def test_a_moment_of_the_database_is_read_as_it_was_meant(database: Database, seconds: float) -> None:
    with database.session() as session:
        moment = session.scalar(select(from_now(seconds)))
    assert moment is not None
    assert (moment - now()).total_seconds() == pytest.approx(seconds, abs=5)


def test_a_run_has_each_trial_once(database: Database, run_id: str) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        session.add_all([TrialSummary(run_id=run_id, **TRIAL) for _ in range(2)])


def test_one_process_at_a_time_checks_a_data_set_and_the_next_one_waits(database: Database) -> None:
    dataset_id = add_dataset(database)
    inside: list[int] = []
    most = 0

    def check() -> None:
        nonlocal most
        with leased_check(database, dataset_id, lease_s=30):
            inside.append(1)
            most = max(most, len(inside))
            time.sleep(0.1)
            inside.pop()

    threads = [threading.Thread(target=check) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    with database.session() as session:
        assert find_dataset(session, dataset_id).lease_number == 3
        assert not has_checker(session, dataset_id)


def test_a_check_is_taken_over_at_once_from_a_process_that_died_here(database: Database) -> None:
    dataset_id = add_dataset(database)
    with database.session() as session:
        dead = str(replace(LeaseOwner.mine(), started=-1))
        session.execute(update(Dataset).values(lease_owner=dead, lease_until=from_now(600.0)))
        assert not has_checker(session, dataset_id)
        assert claim_check(session, dataset_id, 30) is not None
        assert has_checker(session, dataset_id)
        assert claim_check(session, dataset_id, 30) is None


def test_the_lease_of_a_check_is_renewed_while_it_goes_on(database: Database) -> None:
    dataset_id = add_dataset(database)
    with leased_check(database, dataset_id, lease_s=0.9) as fenced:
        time.sleep(1.5)
        with fenced.session() as session:
            assert claim_check(session, dataset_id, 30) is None


def test_a_check_that_was_frozen_changes_nothing_after_another_has_begun(database: Database) -> None:
    dataset_id = add_dataset(database)
    with database.session() as session:
        frozen = claim_check(session, dataset_id, lease_s=-1)
        assert frozen is not None
        assert claim_check(session, dataset_id, lease_s=30) is not None
    assert_lost(database, frozen)


def test_a_check_ends_when_its_data_set_is_deleted(database: Database) -> None:
    dataset_id = add_dataset(database)
    with database.session() as session:
        claimed = claim_check(session, dataset_id, lease_s=30)
        find_dataset(session, dataset_id).deleted_at = now()
    assert claimed is not None
    assert_lost(database, claimed)
    with pytest.raises(LeaseLost), leased_check(database, dataset_id, lease_s=30):
        pass


def assert_lost(database: Database, claimed: CheckClaim) -> None:
    with pytest.raises(LeaseLost), database.fenced(claimed.hold).session() as session:
        session.execute(update(Dataset).values(message="written too late"))
    with database.session() as session:
        assert session.scalars(select(Dataset.message)).all() == [""]
