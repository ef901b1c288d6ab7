"""The pages of accounts, which only show something to somebody who has signed in."""

import pytest
from playwright.sync_api import Page, expect

from automl.records import Role
from tests.browser.test_accessibility import AXE, DARK, LIGHT, violations
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
