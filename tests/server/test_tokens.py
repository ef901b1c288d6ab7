"""Tokens of programs."""

import re
from datetime import timedelta

import pytest

from automl.records import Role, RunState, TokenScope
from automl.store.accounts import find_account, set_disabled
from automl.store.api_tokens import MAX_TOKENS
from automl.store.tables import ApiToken, now
from tests.server.people import add_person, browser, signed_in


@pytest.fixture
def ann(world) -> str:
    add_person(world, "root", Role.ADMINISTRATOR)
    return add_person(world, "ann")


def make(client, scope="write", **values) -> str:
    page = client.post("/account/tokens", data={"name": "lab", "scope": scope, "days": "7"} | values).text
    return re.search('value="(darkroom_[^"]+)"', page)[1]


def program(world, token):
    client = world.app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def row(session) -> ApiToken:
    return session.query(ApiToken).one()


def test_a_program_acts_for_whoever_made_its_token(world, ann):
    token = make(signed_in(world, "ann"))
    client = program(world, token)
    made = client.post("/api/v1/datasets", json={"name": "pets"})
    assert made.status_code == 201
    assert world.dataset(made.json["id"]).owner_id == ann
    assert client.get("/datasets").status_code == 200
    with world.database.session() as session:
        assert token not in row(session).token_hash
        assert row(session).used_at is not None
    assert token not in signed_in(world, "ann").get("/account").text


@pytest.mark.parametrize(
    ("scope", "reads", "predicts", "writes"),
    [("read", 200, 403, 403), ("predict", 403, 404, 403), ("write", 200, 404, 201)],
)
def test_it_may_do_no_more_than_it_was_made_for(world, ann, scope, reads, predicts, writes):
    client = program(world, make(signed_in(world, "ann"), scope))
    assert client.get("/api/v1/datasets").status_code == reads
    assert client.post("/api/v1/runs/none/predict").status_code == predicts
    assert client.post("/api/v1/datasets", json={"name": "pets"}).status_code == writes


def test_nor_more_than_the_account(world, ann):
    add_person(world, "vic", Role.VIEWER)
    client = program(world, make(signed_in(world, "vic")))
    assert client.post("/api/v1/datasets", json={"name": "pets"}).status_code == 403


def test_it_opens_no_page_of_accounts(world, ann):
    client = program(world, make(signed_in(world, "root")))
    assert client.get("/account").status_code == 403
    assert client.get("/people").status_code == 403
    assert client.post("/account/tokens", data={"name": "x", "scope": "write", "days": "7"}).status_code == 403
    assert client.post("/people/invitations", data={"role": "administrator"}).status_code == 403


def test_it_lets_nobody_in_who_would_stay_when_it_ends(world, ann):
    add_person(world, "eve")
    client = program(world, make(signed_in(world, "root")))
    dataset_id = world.add_dataset()
    run_id = world.add_run(RunState.DONE, dataset_id)
    assert client.post(f"/datasets/{dataset_id}/shares", data={"email": "eve@example.org"}).status_code == 403
    assert client.post(f"/runs/{run_id}/links", data={"shows": "result", "seconds": "604800"}).status_code == 403
    assert signed_in(world, "eve").get(f"/datasets/{dataset_id}").status_code == 404
    assert client.get(f"/runs/{run_id}").status_code == 200


def test_it_ends_when_it_is_revoked_or_its_time_is_up_or_the_account_is_disabled(world, ann):
    here = signed_in(world, "ann")
    revoked = program(world, make(here))
    with world.database.session() as session:
        token_id = row(session).id
    signed_in(world, "root").post(f"/account/tokens/{token_id}/revoke")
    assert revoked.get("/api/v1/datasets").status_code == 200
    here.post(f"/account/tokens/{token_id}/revoke")
    assert revoked.get("/api/v1/datasets").status_code == 401
    late = program(world, make(here))
    with world.database.session() as session:
        row(session).expires_at = now() - timedelta(seconds=1)
    assert late.get("/api/v1/datasets").status_code == 401
    disabled = program(world, make(here))
    assert disabled.get("/api/v1/datasets").status_code == 200
    with world.database.session() as session:
        set_disabled(session, find_account(session, ann), True)
    assert disabled.get("/api/v1/datasets").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer wrong", "Basic YTpi", "x"])
def test_what_is_no_token_opens_nothing(world, ann, header):
    answer = browser(world).get("/api/v1/datasets", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_token_is_not_made_good_by_a_cookie(world, ann):
    answer = signed_in(world, "ann").get("/api/v1/datasets", headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "values", [{"name": " "}, {"name": "x" * 101}, {"scope": "all"}, {"days": "0"}, {"days": "367"}, {"days": "²"}]
)
def test_only_what_is_offered_can_be_made(world, ann, values):
    form = {"name": "lab", "scope": "read", "days": "7"} | values
    assert signed_in(world, "ann").post("/account/tokens", data=form).status_code == 400
    with world.database.session() as session:
        assert session.query(ApiToken).count() == 0


def test_there_are_not_too_many(world, ann):
    with world.database.session() as session:
        for n in range(MAX_TOKENS):
            until = now() + timedelta(days=1)
            session.add(ApiToken(account_id=ann, name="x", token_hash=str(n), scope=TokenScope.READ, expires_at=until))
    form = {"name": "lab", "scope": "read", "days": "7"}
    assert signed_in(world, "ann").post("/account/tokens", data=form).status_code == 409


def test_where_nobody_needs_an_account_a_token_is_not_asked_for(world):
    assert program(world, "left over").get("/api/v1/datasets").status_code == 200
    assert browser(world).post("/account/tokens", data={"name": "x", "scope": "read", "days": "7"}).status_code == 404
