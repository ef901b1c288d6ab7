"""Whose run comes next."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from automl.records import DatasetState, RunState
from automl.store.database import Database, find_run
from automl.store.run_queue import Turn, claim_next_run, turn_of, waiting_runs
from automl.store.tables import Account, Dataset, DatasetFile, Run

START = datetime(2026, 1, 1).astimezone()

Ask = Callable[..., str]


@pytest.fixture
def ask(database: Database) -> Ask:
    """Adds a run of somebody, each a minute later than the one before."""
    accounts: dict[str, str] = {}
    n_asked = 0

    def add(name: str, state: RunState = RunState.QUEUED, *, n_files: int = 1, **values: object) -> str:
        nonlocal n_asked
        with database.session() as session:
            if name not in accounts:
                account = Account(email=f"{name}@example.org")
                session.add(account)
                session.flush()
                accounts[name] = account.id
            files = [DatasetFile(name=f"cat/{i}.jpg") for i in range(n_files)]
            dataset = Dataset(name="pets", state=DatasetState.CHECKING, files=files)
            values = {"budget_s": 60.0, "created_at": START + timedelta(minutes=n_asked), "name": name} | values
            run = Run(dataset=dataset, state=state, started_by_id=accounts[name], **values)
            session.add(run)
            session.flush()
            n_asked += 1
            return run.id

    return add


def in_order(session: Session, **options: int) -> list[str]:
    return [find_run(session, run.id).name for run in waiting_runs(session, **options)]


def test_one_member_s_twenty_runs_do_not_keep_another_s_first_waiting(database: Database, ask: Ask):
    for _ in range(20):
        ask("ann")
    ask("bob")
    with database.session() as session:
        assert in_order(session)[:3] == ["ann", "bob", "ann"]


def test_who_has_a_run_under_way_comes_after_who_has_none(database: Database, ask: Ask):
    ask("ann", RunState.SEARCHING)
    ask("ann")
    ask("bob")
    ask("bob")
    ask("cid", RunState.DONE)
    ask("cid")
    with database.session() as session:
        assert in_order(session) == ["bob", "cid", "ann", "bob"]


def test_without_accounts_it_is_the_order_in_which_they_were_asked_for(database: Database, ask: Ask):
    ids = [ask("ann") for _ in range(4)]
    with database.session() as session:
        for run_id in ids:
            find_run(session, run_id).started_by_id = None
        session.flush()
        assert [run.id for run in waiting_runs(session)] == ids


def test_no_account_has_more_under_way_than_it_may(database: Database, ask: Ask):
    ask("ann", RunState.SEARCHING)
    ask("ann", RunState.FINISHING)
    ask("ann")
    ask("bob", RunState.PREPARING)
    ask("bob")
    ask("bob")
    with database.session() as session:
        assert in_order(session, runs_at_once=2) == ["bob"]


def test_runs_that_cannot_be_begun_with_are_left_out(database: Database, ask: Ask):
    ask("samples that are still being made", n_files=0)
    ask("in the bin", deleted_at=START)
    ask("ann")
    with database.session() as session:
        assert in_order(session) == ["ann"]


def test_each_worker_gets_the_next_run_and_the_last_one_nothing(database: Database, ask: Ask):
    first, second = ask("ann"), ask("ann")
    others = ask("bob")
    claimed = []
    for _ in range(4):
        with database.session() as session:
            claim = claim_next_run(session, owner="w", lease_s=30)
            if claim:
                find_run(session, claim.run_id).state = RunState.PREPARING
            claimed.append(claim and claim.run_id)
    assert claimed == [first, others, second, None]


def test_a_turn_tells_how_many_are_ahead_and_for_how_long_at_most(database: Database, ask: Ask):
    ask("ann", RunState.SEARCHING, budget_s=100.0, used_s=40.0)
    ask("ann", RunState.SEARCHING, budget_s=600.0, used_s=0.0)
    ask("bob", budget_s=200.0)
    ask("bob", budget_s=200.0)
    last = ask("cid", budget_s=200.0)
    with database.session() as session:
        # The worker that is free after 60 s takes bob's first run, for 200 s; then it is cid's turn, not bob's again.
        assert turn_of(session, find_run(session, last)) == Turn(n_ahead=3, within_s=260.0)


def test_where_nothing_is_under_way_it_is_its_turn_at_once(database: Database, ask: Ask):
    with database.session() as session:
        assert turn_of(session, find_run(session, ask("ann"))) == Turn(n_ahead=0, within_s=0.0)
