"""The pages of administrators: who may sign in, and what was done."""

import html
import re
import time

import pytest
from limits import RateLimitItemPerSecond

from automl.records import AuditAction, Role, RunState
from automl.store.accounts import find_account
from automl.store.audit import KEPT_DAYS, PAGE, events_before, record_event
from automl.store.links import links_of
from automl.store.tables import AuditEvent, now
from server.attempts import MOST_FAILURES, FailedAttempts
from tests.redis_server import running_redis
from tests.server.people import PASSWORD, add_person, browser, signed_in


@pytest.fixture
def ann(world) -> str:
    return add_person(world, "ann", Role.ADMINISTRATOR)


@pytest.fixture
def bob(world, ann) -> str:
    return add_person(world, "bob")


@pytest.fixture
def admin(world, ann):
    return signed_in(world, "ann")


def events(world) -> list[tuple[str, str, str]]:
    with world.database.session() as session:
        return [(event.action, event.who, event.detail) for event in events_before(session)]


def link_on(page: str) -> str:
    return re.search('value="http://localhost(/once/[^"]+)"', page)[1]


def role_of(world, account_id):
    with world.database.session() as session:
        return find_account(session, account_id).role


def test_somebody_is_invited_by_a_link(world, admin):
    path = link_on(admin.post("/people/invitations", data={"role": "viewer"}).text)
    form = {"email": "vic@example.org", "name": "Vic", "password": PASSWORD, "again": PASSWORD}
    assert browser(world).post(path, data=form).status_code == 303
    assert "vic@example.org" in admin.get("/people").text
    assert events(world)[:2] == [
        ("link_used", "vic@example.org", "invitation"),
        ("invited", "ann@example.org", "viewer"),
    ]


def test_an_invitation_can_be_taken_back(world, admin, bob):
    path = link_on(admin.post("/people/invitations", data={"role": "viewer"}).text)
    (address,) = re.findall('action="(/people/invitations/[^/"]+/take-back)"', admin.get("/people").text)
    assert signed_in(world, "bob").post(address).status_code == 403
    assert browser(world).get(path).status_code == 200
    assert admin.post(address).status_code == 303
    assert browser(world).get(path).status_code == 404
    assert events(world)[0] == ("invitation_ended", "ann@example.org", "")
    admin.post(address)
    assert [action for action, _, _ in events(world)].count("invitation_ended") == 1


def test_a_forgotten_password_is_replaced_by_a_link(world, admin, bob):
    there = signed_in(world, "bob")
    page = admin.post(f"/people/{bob}/reset-link").text
    assert there.get("/account").status_code == 200
    form = {"password": "quite another sentence", "again": "quite another sentence"}
    assert browser(world).post(link_on(page), data=form).status_code == 303
    assert there.get("/account").status_code == 303
    assert ("reset_link_made", "ann@example.org", "bob@example.org") in events(world)


def test_another_role_counts_at_once(world, admin, bob):
    there = signed_in(world, "bob")
    assert there.get("/people").status_code == 403
    assert admin.post(f"/people/{bob}/role", data={"role": "administrator"}).status_code == 303
    assert there.get("/people").status_code == 200
    assert events(world)[0] == ("role_changed", "ann@example.org", "bob@example.org: administrator")
    assert admin.post(f"/people/{bob}/role", data={"role": "king"}).status_code == 400
    assert role_of(world, bob) is Role.ADMINISTRATOR


def test_somebody_is_locked_out_and_let_in_again(world, admin, bob):
    there = signed_in(world, "bob")
    admin.post(f"/people/{bob}/disable")
    assert there.get("/account").status_code == 303
    assert "cannot sign in" in admin.get("/people").text
    admin.post(f"/people/{bob}/enable")
    assert signed_in(world, "bob").get("/account").status_code == 200
    assert [action for action, _, _ in events(world)][1:3] == ["enabled", "disabled"]


def test_the_last_administrator_stays_one(world, ann, admin):
    assert admin.post(f"/people/{ann}/role", data={"role": "member"}).status_code == 409
    assert admin.post(f"/people/{ann}/disable").status_code == 409
    assert role_of(world, ann) is Role.ADMINISTRATOR
    assert [action for action, _, _ in events(world)] == ["signed_in"]


def test_an_account_that_is_not_there_is_not_changed(world, admin):
    for what in ("disable", "enable", "reset-link"):
        assert admin.post(f"/people/none/{what}").status_code == 404


def test_where_nobody_needs_an_account_nobody_is_invited(world):
    client = browser(world)
    assert client.get("/people").status_code == 404
    assert client.post("/people/invitations", data={"role": "member"}).status_code == 404


def test_signing_in_and_failing_to_is_written_down_without_what_may_be_a_password(world, ann):
    client = browser(world)
    client.post("/sign-in", data={"email": "ann@example.org", "password": "wrong"})
    client.post("/sign-in", data={"email": "my own password", "password": "wrong"})
    client.post("/sign-in", data={"email": "ann@example.org", "password": PASSWORD})
    assert events(world) == [
        ("signed_in", "ann@example.org", ""),
        ("sign_in_failed", "", ""),
        ("sign_in_failed", "", "ann@example.org"),
    ]
    with world.database.session() as session:
        assert {event.sender for event in events_before(session)} == {"127.0.0.1"}


def test_passwords_cannot_be_tried_out(world, ann):
    stays = signed_in(world, "ann")
    form = {"email": "ann@example.org", "password": "wrong"}
    for email in ("ann@example.org", "nobody@example.org"):
        answers = [browser(world).post("/sign-in", data=form | {"email": email}) for _ in range(MOST_FAILURES + 1)]
        assert [answer.status_code for answer in answers] == [403] * MOST_FAILURES + [429]
    right = browser(world).post("/sign-in", data=form | {"email": " ANN@example.org ", "password": PASSWORD})
    assert right.status_code == 429
    assert "quarter of an hour" in right.text
    assert stays.get("/account").status_code == 200


def test_who_waits_can_try_again_and_who_signs_in_begins_anew(world, monkeypatch):
    monkeypatch.setattr("server.attempts._LIMIT", RateLimitItemPerSecond(MOST_FAILURES, 2))
    attempts = FailedAttempts(world.settings)
    assert all(attempts.begin("a@b") for _ in range(MOST_FAILURES))
    assert not attempts.begin("A@b ")
    assert attempts.begin("b@b")
    deadline = time.monotonic() + 30
    while not attempts.begin("a@b"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    attempts.forget("a@b")
    assert all(attempts.begin("a@b") for _ in range(MOST_FAILURES))


def test_processes_count_attempts_together_and_alone_while_redis_is_away(world, tmp_path):
    with running_redis(tmp_path) as url:
        settings = world.settings.model_copy(update={"broker_url": url})
        ours, others = FailedAttempts(settings), FailedAttempts(settings)
        assert all((ours, others)[n % 2].begin("a@b") for n in range(MOST_FAILURES))
        assert not ours.begin("a@b") and not others.begin("a@b")
        others.forget("a@b")
        assert ours.begin("a@b")
    assert all(ours.begin("a@b") for _ in range(MOST_FAILURES))
    assert not ours.begin("a@b")


def test_many_passwords_at_once_are_no_more_than_one_by_one(world, ann, monkeypatch):
    """Each is counted before it is looked at: while the first is, the others count already."""
    looked = []

    def slow(*_):
        looked.append(1)
        if len(looked) <= MOST_FAILURES:
            browser(world).post("/sign-in", data={"email": "ann@example.org", "password": "wrong"})

    monkeypatch.setattr("server.pages.accounts.account_of", slow)
    browser(world).post("/sign-in", data={"email": "ann@example.org", "password": "wrong"})
    assert len(looked) == MOST_FAILURES


def test_so_are_deletion_sharing_tokens_links_and_signing_out(world, admin, bob):
    dataset_id = world.add_dataset()
    admin.post(f"/datasets/{dataset_id}/shares", data={"email": "bob@example.org"})
    admin.post(f"/datasets/{dataset_id}/shares/{bob}/end")
    admin.delete(f"/api/v1/datasets/{dataset_id}")
    admin.post(f"/api/v1/datasets/{dataset_id}/restore")
    admin.post("/account/tokens", data={"name": "lab", "scope": "read", "days": "7"})
    run_id = world.add_run(RunState.DONE, dataset_id)
    admin.post(f"/runs/{run_id}/links", data={"shows": "photos", "seconds": str(7 * 86_400)})
    with world.database.session() as session:
        (link,) = links_of(session, run_id)
    for _ in range(2):
        admin.post(f"/runs/{run_id}/links/{link.id}/take-back")
    for _ in range(2):
        admin.post("/sign-out")
    found = [(action, detail) for action, _, detail in events(world)]
    assert found[:-1] == [
        ("signed_out", ""),
        ("link_ended", "result"),
        ("link_made", "photos"),
        ("token_made", "lab (read)"),
        ("restored", ""),
        ("deleted", ""),
        ("share_ended", "bob@example.org"),
        ("shared", "bob@example.org"),
    ]


def test_the_page_shows_what_was_done_the_newest_first_in_pages(world, admin):
    with world.database.session() as session:
        for number in range(2 * PAGE):
            record_event(session, AuditAction.SHARED, account_id=None, detail=f"<{number}>")
    first = admin.get("/people/events").text
    assert "ann@example.org" not in first
    assert f"&lt;{2 * PAGE - 1}&gt;" in first
    second = admin.get(html.unescape(re.search('rel="next" href="([^"]+)"', first)[1])).text
    assert [int(n) for n in re.findall(r"&lt;(\d+)&gt;", second)] == list(range(PAGE - 1, -1, -1))
    last = admin.get(html.unescape(re.search('rel="next" href="([^"]+)"', second)[1])).text
    assert "ann@example.org" in last and 'rel="next"' not in last
    for nonsense in ("x", "-1", "9" * 40, "0", "²"):
        assert admin.get(f"/people/events?before={nonsense}").status_code == 200


def test_it_is_for_administrators_and_kept_for_a_year(world, admin, bob):
    assert signed_in(world, "bob").get("/people/events").status_code == 403
    with world.database.session() as session:
        for event in session.query(AuditEvent):
            event.at = now().replace(year=now().year - 2)
    assert KEPT_DAYS < 2 * 365
    browser(world).post("/sign-in", data={})
    assert events(world) == [("sign_in_failed", "", "")]
