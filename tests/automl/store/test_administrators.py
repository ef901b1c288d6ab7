"""Who administers a server: there is always somebody, and the first one is made once."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from automl.errors import NotAllowedNow, NotFound
from automl.records import LinkPurpose, Role
from automl.store.accounts import add_account, close_account, find_account, has_administrator, set_disabled, set_role
from automl.store.database import Database
from automl.store.one_time_links import find_link, make_link, use_link
from automl.store.tables import Account, OneTimeLink, SignIn
from tests.server.people import PASSWORD

AWAY: dict[str, Callable[[Session, Account], None]] = {
    "demoted": lambda session, account: set_role(session, account, Role.MEMBER),
    "disabled": lambda session, account: set_disabled(session, account, True),
    "closed": close_account,
}


def add(database: Database, name: str, role: Role = Role.ADMINISTRATOR) -> str:
    with database.session() as session:
        return add_account(session, email=f"{name}@example.org", name=name, role=role, password=PASSWORD).id


@pytest.mark.parametrize("way", AWAY)
def test_two_administrators_who_take_each_other_away_at_once_leave_one(database: Database, way: str) -> None:
    ann, bob = add(database, "ann"), add(database, "bob")
    refused: list[Exception] = []
    has_looked = threading.Event()

    def take_bob_away() -> None:
        try:
            with database.session() as session:
                account = find_account(session, bob)
                has_looked.set()
                AWAY[way](session, account)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            refused.append(error)

    other = threading.Thread(target=take_bob_away)
    with database.session() as session:
        AWAY[way](session, find_account(session, ann))
        session.flush()
        other.start()
        assert has_looked.wait(30)
        other.join(0.3)  # where nothing makes it wait, it looks for other administrators now and still finds one
    other.join(30)
    assert [type(error) for error in refused] == [NotAllowedNow]
    with database.session() as session:
        assert has_administrator(session)


def test_a_link_that_sets_up_is_over_once_there_is_an_administrator(database: Database) -> None:
    with database.session() as session:
        secret = make_link(session, LinkPurpose.SETUP)
        invitation = make_link(session, LinkPurpose.INVITATION)
    add(database, "member", Role.MEMBER)
    with database.session() as session:
        find_link(session, secret)
    add(database, "ann")
    for opens in (find_link, use_link):
        with pytest.raises(NotFound), database.session() as session:
            opens(session, secret)
    with database.session() as session:
        assert find_link(session, invitation).purpose is LinkPurpose.INVITATION


def test_a_link_that_two_use_at_once_works_for_one(database: Database) -> None:
    with database.session() as session:
        secret = make_link(session, LinkPurpose.INVITATION)
    outcomes: list[str] = []
    ready = threading.Barrier(4)

    def use() -> None:
        ready.wait()
        try:
            with database.session() as session:
                use_link(session, secret)
            outcomes.append("used")
        except NotFound:
            outcomes.append("refused")

    people = [threading.Thread(target=use) for _ in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join(60)
    assert sorted(outcomes) == ["refused"] * 3 + ["used"]
    with database.session() as session:
        assert session.scalar(select(func.count(OneTimeLink.id))) == 0


def test_a_closed_account_is_not_let_in_again(database: Database) -> None:
    add(database, "ann")
    bob = add(database, "bob")
    with database.session() as session:
        close_account(session, find_account(session, bob))
    with pytest.raises(NotFound), database.session() as session:
        find_account(session, bob)
    with database.session() as session:
        assert session.scalar(select(func.count(SignIn.id)).where(SignIn.account_id == bob)) == 0
