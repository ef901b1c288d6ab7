from concurrent.futures import ThreadPoolExecutor

import pytest

from automl.records import RunState
from automl.store.database import Database, find_run
from automl.store.runs import (
    RunClaim,
    change_run_state,
    claim_run,
    renew_lease,
    request_cancel,
    runs_with_lost_lease,
)
from tests.automl.store.conftest import add_run


def claim(database: Database, run_id: str, owner: str, lease_s: float = 30.0) -> RunClaim | None:
    with database.session() as session:
        return claim_run(session, run_id, owner=owner, lease_s=lease_s)


def lost(database: Database) -> list[str]:
    with database.session() as session:
        return [run.id for run in runs_with_lost_lease(session)]


def change(database: Database, run_id: str, state: RunState) -> None:
    with database.session() as session:
        change_run_state(find_run(session, run_id), state)


def test_a_message_that_comes_twice_finds_nothing_to_do(database: Database, run_id: str) -> None:
    assert claim(database, run_id, "one")
    assert not claim(database, run_id, "two")
    assert not claim(database, run_id, "one")


def test_of_many_who_claim_at_once_one_gets_the_run(database: Database, run_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda owner: claim(database, run_id, str(owner)), range(8)))
    assert sum(one is not None for one in won) == 1
    with database.session() as session:
        assert find_run(session, run_id).attempts == 1


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.QUEUED])
def test_only_a_queued_run_is_claimed(database: Database, state: RunState) -> None:
    assert not claim(database, add_run(database, state), "me")


def test_a_cancelled_run_is_not_claimed(database: Database, run_id: str) -> None:
    with database.session() as session:
        request_cancel(find_run(session, run_id))
    assert not claim(database, run_id, "me")


def test_a_claim_that_ran_out_before_the_run_began_can_be_taken_over(database: Database, run_id: str) -> None:
    assert claim(database, run_id, "dead", lease_s=-1)
    assert claim(database, run_id, "alive")


def test_only_the_owner_renews(database: Database, run_id: str) -> None:
    claimed = claim(database, run_id, "me")
    with database.session() as session:
        assert renew_lease(session, claimed, lease_s=30)
        assert not renew_lease(session, RunClaim(run_id, claimed.number - 1), lease_s=30)


def test_a_run_that_ended_is_nobodys(database: Database, run_id: str) -> None:
    claimed = claim(database, run_id, "me")
    change(database, run_id, RunState.CANCELLED)
    with database.session() as session:
        assert not renew_lease(session, claimed, lease_s=30)


def test_a_run_under_way_is_lost_when_its_lease_runs_out(database: Database, run_id: str) -> None:
    claim(database, run_id, "dead", lease_s=-1)
    change(database, run_id, RunState.PREPARING)
    assert lost(database) == [run_id]


def test_a_run_with_a_fresh_lease_is_not_lost(database: Database, run_id: str) -> None:
    claim(database, run_id, "me")
    change(database, run_id, RunState.PREPARING)
    assert lost(database) == []


def test_a_run_that_waits_or_ended_is_never_lost(database: Database, run_id: str) -> None:
    claim(database, run_id, "dead", lease_s=-1)
    assert lost(database) == []
    change(database, run_id, RunState.FAILED)
    assert lost(database) == []
