"""Signing in with an OpenID provider, which is a real one on this machine."""

from collections.abc import Iterator
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from joserfc.jwk import RSAKey

from automl.errors import BadSetting
from automl.records import Role
from automl.settings import load_settings
from automl.store.accounts import find_by_email, set_disabled
from automl.store.tables import AuditEvent
from server import create_app
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, TestProvider, running_provider, sent_back
from tests.server.people import PASSWORD, add_person, browser

PUBLIC = "http://localhost"


@pytest.fixture(scope="module")
def started() -> Iterator[TestProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(started) -> TestProvider:
    """A good one again, whatever the last test has made of it."""
    good = TestProvider(issuer=started.issuer)
    for name in ("person", "wrong", "is_refusing", "is_broken", "asked", "codes"):
        setattr(started, name, getattr(good, name))
    started.rotate()
    return started


@pytest.fixture
def changed() -> dict[str, str]:
    """Settings that a test wants to be others."""
    return {}


@pytest.fixture
def limits(provider, changed) -> dict[str, str]:
    return {
        "DARKROOM_OPENID_ISSUER": provider.issuer,
        "DARKROOM_OPENID_CLIENT_ID": CLIENT_ID,
        "DARKROOM_OPENID_CLIENT_SECRET": CLIENT_SECRET,
        "DARKROOM_OPENID_TITLE": "Example Club",
        "DARKROOM_OPENID_DOMAINS": "example.org, example.net",
        "DARKROOM_PUBLIC_URL": PUBLIC,
        **changed,
    }


@pytest.fixture
def administrator(world) -> str:
    return add_person(world, "olga", Role.ADMINISTRATOR)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def at_provider(address: str) -> str:
    """Where the provider sends a browser that opens this address."""
    try:
        build_opener(_Stay).open(address, timeout=30)
    except OSError as answer:
        return sent_back(answer.headers["Location"])
    raise AssertionError("the provider sends nobody back")


def gone_there_and_back(client, next_page=None):
    begun = client.get("/sign-in/provider", query_string={"next": next_page} if next_page else {})
    assert begun.status_code == 302, begun.text
    return client.get(at_provider(begun.headers["Location"]))


def who(client):
    answer = client.get("/account")
    return answer.text if answer.status_code == 200 else None


def test_somebody_of_an_allowed_domain_gets_an_account_and_keeps_it(world, administrator, provider):
    client = browser(world)
    assert 'href="/sign-in/provider?next=' in client.get("/sign-in").text
    back = gone_there_and_back(client, "/datasets?page=1")
    assert (back.status_code, back.headers["Location"]) == (303, "/datasets?page=1")
    assert "mia@example.org" in who(client) and "Another password" not in who(client)
    (asked,) = provider.asked
    assert asked["redirect_uri"] == f"{PUBLIC}/sign-in/provider/back"
    assert asked["code_challenge_method"] == "S256" and asked["nonce"] and asked["state"]
    provider.person["email"] = "mia.new@elsewhere.example"  # the subject is who she is, not the address
    again = browser(world)
    gone_there_and_back(again)
    assert "mia@example.org" in who(again)
    with world.database.session() as session:
        actions = [event.action for event in session.query(AuditEvent).order_by(AuditEvent.id)]
    assert actions == ["account_made", "signed_in", "signed_in"]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "mia@elsewhere.example"}, "Nobody with the address mia@elsewhere.example has an account"),
        ({"email": "mia@sub.example.org"}, "Nobody with the address"),
        ({"email_verified": False}, "does not vouch for your e-mail address"),
        ({"email_verified": None}, "does not vouch for your e-mail address"),
        ({"email": None}, "does not vouch for your e-mail address"),
    ],
)
def test_whoever_is_not_meant_to_come_in_is_told_why(world, administrator, provider, claims, words):
    provider.person.update(claims)
    client = browser(world)
    answer = gone_there_and_back(client)
    assert answer.status_code == 403 and words in answer.text
    assert who(client) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody else"},
        {"iss": "https://somebody.example"},
        {"exp": 1},
        {"exp": None},
    ],
    ids=str,
)
def test_an_id_token_that_was_not_made_for_this_is_refused(world, administrator, provider, wrong):
    provider.wrong = wrong
    client = browser(world)
    answer = gone_there_and_back(client)
    assert answer.status_code == 403 and "does not belong to this browser, or is too old" in answer.text
    assert who(client) is None


def test_a_token_that_somebody_else_has_signed_is_refused(world, administrator, provider):
    provider.signs_with = RSAKey.generate_key(2048)
    client = browser(world)
    assert gone_there_and_back(client).status_code == 403
    assert who(client) is None


def test_a_key_that_the_provider_has_changed_is_fetched_again(world, administrator, provider):
    gone_there_and_back(browser(world))
    provider.rotate()
    client = browser(world)
    assert gone_there_and_back(client).status_code == 303
    assert who(client)


def test_what_comes_back_works_once_and_in_the_browser_that_asked(world, administrator, provider):
    client, other = browser(world), browser(world)
    begun = client.get("/sign-in/provider")
    back = at_provider(begun.headers["Location"])
    for stranger in (other, browser(world)):
        assert stranger.get(back).status_code == 403
    assert client.get(back).status_code == 303
    client.post("/sign-out")
    assert client.get(back).status_code == 403
    assert who(client) is None and who(other) is None


def test_stopping_at_the_provider_leads_back_to_signing_in(world, administrator, provider):
    provider.is_refusing = True
    answer = gone_there_and_back(browser(world))
    assert answer.status_code == 403 and "Example Club did not sign you in" in answer.text


def test_a_provider_that_is_away_or_another_one_is_said_to_be(world, administrator, provider):
    provider.is_broken = True
    answer = browser(world).get("/sign-in/provider")
    assert answer.status_code == 503 and "Example Club does not answer" in answer.text
    provider.is_broken = False
    assert browser(world).get("/sign-in/provider").status_code == 302


@pytest.mark.parametrize("changed", [{"DARKROOM_OPENID_ISSUER": "http://127.0.0.1:9"}])
def test_where_nobody_listens_the_password_still_opens(world, administrator):
    assert browser(world).get("/sign-in/provider").status_code == 503
    by_password = {"email": "olga@example.org", "password": PASSWORD}
    assert browser(world).post("/sign-in", data=by_password).status_code == 303


def test_an_account_with_a_password_is_connected_by_that_password_alone(world, administrator, provider):
    add_person(world, "mia")
    client = browser(world)
    back = gone_there_and_back(client, "/bin")
    assert back.headers["Location"] == "/sign-in?next=/bin"
    page = client.get(back.headers["Location"]).text
    assert "Sign in once with its password" in page and 'value="mia@example.org"' in page
    assert who(client) is None
    wrong = client.post("/sign-in", data={"email": "mia@example.org", "password": "not this one"})
    assert wrong.status_code == 403
    done = client.post("/sign-in", data={"email": "mia@example.org", "password": PASSWORD, "next": "/bin"})
    assert done.headers["Location"] == "/bin"
    other = browser(world)
    assert gone_there_and_back(other).status_code == 303
    assert "mia@example.org" in who(other)


def test_the_password_of_one_account_connects_no_other(world, administrator, provider):
    add_person(world, "mia")
    client = browser(world)
    gone_there_and_back(client)
    client.post("/sign-in", data={"email": "olga@example.org", "password": PASSWORD})
    other = browser(world)
    assert gone_there_and_back(other).headers["Location"] == "/sign-in"
    assert who(other) is None


def test_an_address_that_has_come_to_somebody_else_does_not_open_the_account(world, administrator, provider):
    gone_there_and_back(browser(world))
    provider.person["sub"] = "18"
    answer = gone_there_and_back(browser(world))
    assert answer.status_code == 403 and "belongs to an account of somebody else by now" in answer.text


def test_a_disabled_account_stays_out(world, administrator, provider):
    client = browser(world)
    gone_there_and_back(client)
    with world.database.session() as session:
        mia = find_by_email(session, "mia@example.org")
        assert mia is not None
        set_disabled(session, mia, True)
    answer = gone_there_and_back(client)
    assert answer.status_code == 403 and "cannot sign in any more" in answer.text
    assert who(client) is None


def test_before_there_is_an_administrator_nobody_comes_in(world, provider):
    answer = gone_there_and_back(browser(world))
    assert answer.status_code == 403 and "not set up yet" in answer.text


def test_signing_out_offers_to_leave_the_provider_too(world, administrator, provider):
    client = browser(world)
    gone_there_and_back(client)
    out = client.post("/sign-out")
    page = client.get(out.headers["Location"]).text
    assert "still signed in with Example Club" in page
    leave = client.get("/sign-in/provider/leave")
    assert leave.headers["Location"].startswith(f"{provider.issuer}/leave?")
    assert at_provider(leave.headers["Location"]).rstrip("?") == "/sign-in"
    by_password = browser(world)
    by_password.post("/sign-in", data={"email": "olga@example.org", "password": PASSWORD})
    assert by_password.post("/sign-out").headers["Location"] == "/sign-in"


def test_who_has_no_password_closes_the_account_by_its_address(world, administrator, provider):
    client = browser(world)
    gone_there_and_back(client)
    change = {"present": "", "password": "four new words here", "again": "four new words here"}
    assert client.post("/account/password", data={**change, "present": "mia@example.org"}).status_code == 400
    assert client.post("/account/close", data={"present": ""}).status_code == 400
    assert client.post("/account/close", data={"present": "mia@example.org"}).status_code == 303
    assert who(client) is None
    assert gone_there_and_back(client).status_code == 303  # a new account, since nothing is left of the old one


def test_no_page_and_no_log_has_the_secret(world, administrator, provider, capsys):
    client = browser(world)
    pages = [client.get("/sign-in").text, gone_there_and_back(client).text, who(client)]
    provider.wrong = {"aud": "else"}
    pages.append(gone_there_and_back(client).text)
    assert not [page for page in pages if CLIENT_SECRET in page]
    assert CLIENT_SECRET not in capsys.readouterr().out


@pytest.mark.parametrize("changed", [{"DARKROOM_OPENID_ISSUER": ""}])
def test_without_a_provider_there_is_no_button_and_no_way(world, administrator):
    assert "/sign-in/provider" not in browser(world).get("/sign-in").text
    assert browser(world).get("/sign-in/provider").status_code == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"DARKROOM_OPENID_ISSUER": "http://login.example.org"},
        {"DARKROOM_OPENID_CLIENT_ID": ""},
        {"DARKROOM_PUBLIC_URL": ""},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_settings_that_are_not_safe_or_not_complete_are_refused_at_start(tmp_path, limits):
    environment = {**limits, "DARKROOM_HOME": str(tmp_path)}
    with pytest.raises(BadSetting, match="DARKROOM_OPENID_ISSUER"):
        create_app(load_settings(environment))
