"""The pages of accounts, which only show something to somebody who has signed in."""

import pytest
from playwright.sync_api import Page, expect

from automl.records import Role
from tests.browser.test_accessibility import AXE, DARK, LIGHT, violations
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.server.people import PASSWORD, add_person

pytestmark = pytest.mark.browser


def is_clean(page: Page) -> None:
    for scheme, size in (LIGHT, DARK):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size(size)
        assert violations(page) == [], (page.url, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} is too wide"


def test_an_administrator_makes_a_token_invites_somebody_and_sees_that_it_was_done(page, site):
    add_person(site, "ann", Role.ADMINISTRATOR)
    add_person(site, "somebody-with-a-rather-long-address-that-goes-on-and-on")
    page.add_init_script(path=AXE)
    page.goto("/account")
    is_clean(page)
    page.fill("#email", "ann@example.org")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    expect(page.locator("#tokens")).to_be_visible()
    is_clean(page)
    page.fill("#token-name", "the computer in the lab")
    page.click("#make-token")
    assert page.input_value("#token").startswith("darkroom_")
    is_clean(page)
    page.goto("/people")
    is_clean(page)
    page.click("#invite")
    assert page.input_value("#once").startswith(f"{site.url}/once/")
    is_clean(page)
    page.goto("/people")
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    is_clean(page)
    page.goto("/people/events")
    expect(page.locator("tbody tr")).to_have_count(3)
    is_clean(page)


class TestProvider:
    """Signing in with an OpenID provider, which sends the browser back."""

    @pytest.fixture
    def provider(self):
        with running_provider() as provider:
            yield provider

    @pytest.fixture
    def environment(self, environment, provider):
        return {
            **environment,
            "DARKROOM_OPENID_ISSUER": provider.issuer,
            "DARKROOM_OPENID_CLIENT_ID": CLIENT_ID,
            "DARKROOM_OPENID_CLIENT_SECRET": CLIENT_SECRET,
            "DARKROOM_OPENID_TITLE": "Example Club",
            "DARKROOM_OPENID_DOMAINS": "example.org",
            "DARKROOM_PUBLIC_URL": "http://127.0.0.1",  # and the port that the test's server gets
        }

    @pytest.fixture
    def site(self, site):
        provider = site.app.extensions["darkroom_openid"]
        provider._settings = provider._settings.model_copy(update={"public_url": site.url})
        return site

    @pytest.fixture
    def page(self, browser, site):
        """One that may leave this server, for the provider."""
        context = browser.new_context(base_url=site.url)
        page = context.new_page()
        page.set_default_timeout(10_000)
        yield page
        context.close()

    def test_one_click_signs_in_and_out_again(self, page, site):
        add_person(site, "ann", Role.ADMINISTRATOR)
        page.add_init_script(path=AXE)
        page.goto("/account")
        is_clean(page)
        page.get_by_role("button", name="Sign in with Example Club").click()
        expect(page.get_by_role("heading", name="mia@example.org")).to_be_visible()
        is_clean(page)
        page.get_by_role("button", name="Sign out", exact=True).click()
        is_clean(page)
        page.get_by_role("link", name="sign out there, too").click()
        expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
        expect(page.get_by_text("You are signed out here")).to_be_hidden()

    def test_somebody_who_has_an_account_connects_it_and_who_has_none_is_told(self, page, site, provider):
        add_person(site, "ann", Role.ADMINISTRATOR)
        add_person(site, "mia")
        page.add_init_script(path=AXE)
        page.goto("/bin")
        page.get_by_role("button", name="Sign in with Example Club").click()
        expect(page.get_by_text("An account with your address is here already")).to_be_visible()
        is_clean(page)
        page.fill("#password", PASSWORD)
        page.click("#sign-in")
        expect(page.get_by_role("heading", name="Bin")).to_be_visible()
        page.get_by_role("button", name="Sign out", exact=True).click()
        provider.person = {**provider.person, "sub": "18", "email": "ben@elsewhere.example"}
        page.get_by_role("button", name="Sign in with Example Club").click()
        expect(page.get_by_text("Nobody with the address ben@elsewhere.example has an account here")).to_be_visible()
        is_clean(page)
