"""Signing in and out."""

import re
from datetime import timedelta

import pytest

from automl.records import LinkPurpose, Role
from automl.store.accounts import find_account, find_by_email, set_disabled
from automl.store.one_time_links import make_link
from automl.store.tables import SignIn, now
from tests.server.people import PASSWORD, add_person, browser, n_sign_ins, signed_in


@pytest.fixture
def ann(world) -> str:
    return add_person(world, "ann", Role.ADMINISTRATOR)


class TestReachedByOthers:
    """A server that listens on a network."""

    @pytest.fixture
    def limits(self):
        return {"DARKROOM_HOST": "0.0.0.0", "DARKROOM_HOSTS": "localhost,photos.example.org"}

    def test_shows_nothing_but_how_to_begin(self, world):
        client = browser(world)
        answer = client.get("/datasets", follow_redirects=True)
        assert answer.request.path == "/sign-in"
        assert "not set up yet" in answer.text
        assert client.post("/samples").status_code == 401
        api = client.get("/api/v1/datasets")
        assert (api.status_code, api.json["error"]["code"]) == (401, "sign_in_needed")
        assert client.get("/healthz").status_code == 200

    def test_the_link_makes_an_administrator_once(self, world):
        dataset_id = world.add_dataset()
        with world.database.session() as session:
            secret = make_link(session, LinkPurpose.SETUP)
        client = browser(world)
        assert "Welcome" in client.get(f"/once/{secret}").text
        form = {"email": "Ann@Example.org ", "name": "Ann", "password": PASSWORD, "again": PASSWORD}
        refused = client.post(f"/once/{secret}", data=form | {"again": "other"})
        assert refused.status_code == 400
        assert "not the same" in refused.text
        assert client.post(f"/once/{secret}", data=form).location == "/"
        with world.database.session() as session:
            account = find_by_email(session, "ann@example.org")
            assert account.role is Role.ADMINISTRATOR
        assert world.dataset(dataset_id).owner_id == account.id
        assert client.get("/datasets").status_code == 200
        assert browser(world).get(f"/once/{secret}").status_code == 404
        assert browser(world).post(f"/once/{secret}", data=form).status_code == 404


def test_on_this_machine_alone_nobody_signs_in_until_there_is_an_account(client, world):
    assert client.get("/datasets").status_code == 200
    assert "sign-out" not in client.get("/").text
    assert client.get("/account").status_code == 404
    world.app.extensions["darkroom_accounts"].looked_s = float("-inf")
    add_person(world, "ann", Role.ADMINISTRATOR)
    assert client.get("/datasets").location == "/sign-in?next=/datasets"


def test_who_signs_in_comes_to_the_page_that_he_asked_for(world, ann):
    client = browser(world)
    form = {"email": " ANN@example.org", "password": PASSWORD, "next": "/datasets?page=2"}
    assert client.post("/sign-in", data=form).location == "/datasets?page=2"
    page = client.get("/datasets").text
    assert "Ann" in page and "Sign out" in page


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "http://[", "evil"])
def test_and_never_to_another_site(world, ann, elsewhere):
    form = {"email": "ann@example.org", "password": PASSWORD, "next": elsewhere}
    assert browser(world).post("/sign-in", data=form).location == "/"


@pytest.mark.parametrize("form", [{"email": "ann@example.org", "password": "x"}, {"email": "eve@example.org"}, {}])
def test_a_wrong_pair_does_not_tell_what_is_wrong(world, ann, form):
    answer = browser(world).post("/sign-in", data=form)
    assert answer.status_code == 403
    assert "do not belong together" in answer.text
    assert n_sign_ins(world, ann) == 0


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(world, ann):
    answer = browser(world).post("/sign-in", data={"email": "ann@example.org", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert re.match("darkroom=[^;]+; Expires=", cookie)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    over_tls = browser(world).post(
        "/sign-in", data={"email": "ann@example.org", "password": PASSWORD}, base_url="https://localhost"
    )
    assert "Secure" in over_tls.headers["Set-Cookie"]


def test_signing_out_ends_it_on_the_server_too(world, ann):
    client = signed_in(world, "ann")
    stolen = client.get_cookie("darkroom").value
    assert client.post("/sign-out").status_code == 303
    assert n_sign_ins(world, ann) == 0
    thief = browser(world)
    thief.set_cookie("darkroom", stolen)
    assert thief.get("/datasets").status_code == 303


def test_a_sign_in_ends_when_its_time_is_up_or_nobody_has_used_it(world, ann):
    for values in ({"expires_at": now() - timedelta(seconds=1)}, {"seen_at": now() - timedelta(days=8)}):
        client = signed_in(world, "ann")
        assert client.get("/account").status_code == 200
        with world.database.session() as session:
            for row in session.query(SignIn):
                for name, value in values.items():
                    setattr(row, name, value)
        assert client.get("/account").status_code == 303


def test_who_is_disabled_is_out_at_once(world, ann):
    bob = add_person(world, "bob")
    client = signed_in(world, "bob")
    with world.database.session() as session:
        set_disabled(session, find_account(session, bob), True)
    assert client.get("/datasets").status_code == 303
    answer = browser(world).post("/sign-in", data={"email": "bob@example.org", "password": PASSWORD})
    assert answer.status_code == 403


def test_another_password_signs_all_other_browsers_out(world, ann):
    here, there = signed_in(world, "ann"), signed_in(world, "ann")
    form = {"present": PASSWORD, "password": "quite another sentence", "again": "quite another sentence"}
    wrong = here.post("/account/password", data=form | {"present": "wrong"})
    assert wrong.status_code == 400
    assert "not your present password" in wrong.text
    assert here.post("/account/password", data=form).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_one_browser_can_be_signed_out_from_another(world, ann):
    here, there = signed_in(world, "ann"), signed_in(world, "ann")
    page = here.get("/account").text
    assert page.count("Sign it out") == 1
    (other,) = re.findall("/account/sign-ins/([0-9a-f]+)/end", page)
    here.post(f"/account/sign-ins/{other}/end")
    assert there.get("/account").status_code == 303
    signed_in(world, "ann")
    here.post("/account/sign-ins/others/end")
    assert n_sign_ins(world, ann) == 1
    assert here.get("/account").status_code == 200


def test_a_request_with_a_cookie_must_say_which_page_sent_it(world, ann):
    client = signed_in(world, "ann")
    del client.environ_base["HTTP_SEC_FETCH_SITE"]
    refused = client.post("/samples")
    assert refused.status_code == 403
    assert client.post("/samples", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/samples", headers={"Origin": "http://localhost"}).status_code == 303


def test_a_page_that_is_drawn_again_by_itself_leads_to_the_form(world, ann):
    answer = browser(world).get("/datasets", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_another_password_by_a_link(world, ann):
    old = signed_in(world, "ann")
    with world.database.session() as session:
        secret = make_link(session, LinkPurpose.PASSWORD, account_id=ann)
    client = browser(world)
    assert "ann@example.org" in client.get(f"/once/{secret}").text
    weak = client.post(f"/once/{secret}", data={"password": "1234567890", "again": "1234567890"})
    assert weak.status_code == 400
    form = {"password": "quite another sentence", "again": "quite another sentence"}
    assert client.post(f"/once/{secret}", data=form).status_code == 303
    assert client.get("/account").status_code == 200
    assert old.get("/account").status_code == 303


def test_an_invitation_makes_an_account_of_the_role_that_it_was_made_for(world, ann):
    with world.database.session() as session:
        secret = make_link(session, LinkPurpose.INVITATION, role=Role.VIEWER)
    client = browser(world)
    form = {"email": "vic@example.org", "name": "Vic", "password": PASSWORD, "again": PASSWORD}
    taken = client.post(f"/once/{secret}", data=form | {"email": "ann@example.org"})
    assert taken.status_code == 400
    assert client.post(f"/once/{secret}", data=form).status_code == 303
    assert client.post("/samples").status_code == 403


def test_the_secret_of_a_link_is_not_logged(world, ann):
    from server.access import path_for_logs

    with world.app.test_request_context("/once/abc-def"):
        assert path_for_logs() == "/once/…"
    with world.app.test_request_context("/shared/model/abc/worker.js"):
        assert path_for_logs() == "/shared/model/…/worker.js"


def test_the_key_of_the_cookies_is_there_whole_or_not_at_all_and_stays(world, ann, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    key = world.settings.home / "cookie.key"
    key.unlink(missing_ok=True)
    world.app.secret_key = None
    with monkeypatch.context() as patch:
        patch.setattr("server.identity.os.link", die)
        with pytest.raises(KeyboardInterrupt):
            signed_in(world, "ann")
    assert not key.exists()
    client = signed_in(world, "ann")
    assert key.stat().st_mode & 0o777 == 0o600
    first = key.read_text()
    world.app.secret_key = None  # as after a start
    assert client.get("/account").status_code == 200
    assert key.read_text() == first and len(first) > 40
