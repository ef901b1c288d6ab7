"""What another password ends, and that the present one cannot be tried out."""

import re

import pytest

from automl.records import LinkPurpose, Role
from automl.store.audit import events_before
from automl.store.one_time_links import make_link
from server.attempts import MOST_FAILURES
from tests.server.people import PASSWORD, add_person, browser, signed_in

NEW = {"password": "quite another sentence", "again": "quite another sentence"}


@pytest.fixture
def ann(world) -> str:
    return add_person(world, "ann", Role.ADMINISTRATOR)


def program(world, client, name="lab"):
    """A program with a token of whoever has signed in with this browser."""
    page = client.post("/account/tokens", data={"name": name, "scope": "write", "days": "7"}).text
    one = world.app.test_client()
    one.environ_base["HTTP_AUTHORIZATION"] = "Bearer " + re.search('value="(darkroom_[^"]+)"', page)[1]
    assert one.get("/api/v1/datasets").status_code == 200
    return one


def actions(world) -> list[tuple[str, str]]:
    with world.database.session() as session:
        return [(event.action, event.detail) for event in events_before(session)]


def test_who_changes_it_is_asked_whether_the_tokens_end(world, ann):
    here = signed_in(world, "ann")
    assert "end_tokens" not in here.get("/account").text
    lab = program(world, here)
    page = here.get("/account").text
    assert 'name="end_tokens"' in page and "lab" in page
    assert here.post("/account/password", data=NEW | {"present": PASSWORD}).status_code == 303
    assert lab.get("/api/v1/datasets").status_code == 200
    again = NEW | {"present": NEW["password"], "end_tokens": "yes"}
    assert here.post("/account/password", data=again).status_code == 303
    assert lab.get("/api/v1/datasets").status_code == 401
    assert here.get("/account").status_code == 200
    assert actions(world)[0] == ("token_revoked", "lab")


def test_by_a_link_for_another_password_they_end(world, ann):
    add_person(world, "bob")
    his, hers = (program(world, signed_in(world, name), name) for name in ("bob", "ann"))
    with world.database.session() as session:
        secret = make_link(session, LinkPurpose.PASSWORD, account_id=ann)
    client = browser(world)
    assert "need new tokens" in client.get(f"/once/{secret}").text
    assert client.post(f"/once/{secret}", data=NEW).status_code == 303
    assert (hers.get("/api/v1/datasets").status_code, his.get("/api/v1/datasets").status_code) == (401, 200)
    assert ("token_revoked", "ann") in actions(world)


@pytest.mark.parametrize("address", ["/account/password", "/account/close"])
def test_the_present_one_cannot_be_tried_out_with_a_browser_that_was_left_signed_in(world, ann, address):
    add_person(world, "boss", Role.ADMINISTRATOR)
    here = signed_in(world, "ann")
    answers = [here.post(address, data=NEW | {"present": "wrong"}).status_code for _ in range(MOST_FAILURES)]
    assert answers == [400] * MOST_FAILURES
    assert actions(world)[0] == ("password_wrong", "")
    slowed = here.post(address, data=NEW | {"present": PASSWORD})
    assert slowed.status_code == 429
    assert "quarter of an hour" in slowed.text
    there = browser(world).post("/sign-in", data={"email": "ann@example.org", "password": PASSWORD})
    assert there.status_code == 429
    assert here.get("/account").status_code == 200


def test_nobody_keeps_the_database_from_others_while_his_password_is_compared(world, ann, monkeypatch):
    """Strangers may send hundreds, which wait for each other; there are few connections."""
    here, pool, held = signed_in(world, "ann"), world.database.engine.pool, []
    for place in ("automl.store.accounts.is_right", "server.pages.accounts.is_right"):
        monkeypatch.setattr(place, lambda *_: held.append(pool.checkedout()))
    browser(world).post("/sign-in", data={"email": "ann@example.org", "password": "wrong"})
    here.post("/account/password", data=NEW | {"present": "wrong"})
    assert held == [0, 0]


def test_a_right_one_lets_the_counting_begin_anew(world, ann):
    here = signed_in(world, "ann")
    for _ in range(MOST_FAILURES - 1):
        here.post("/account/password", data=NEW | {"present": "wrong"})
    assert here.post("/account/password", data=NEW | {"present": PASSWORD}).status_code == 303
    assert here.post("/account/password", data=NEW | {"present": "wrong"}).status_code == 400
