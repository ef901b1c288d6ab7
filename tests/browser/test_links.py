"""Read-only links in a browser: made and taken back with the keyboard alone, and what a phone keeps of them."""

import re

import pytest
from playwright.sync_api import expect

from automl.store.links import links_of, take_back
from tests.browser.test_accessibility import tab_to
from tests.browser.test_phone_page import READY
from tests.server.rich_result import add_rich_result

pytestmark = pytest.mark.browser


@pytest.fixture
def run_id(site):
    return add_rich_result(site)


def make_link(page, run_id):
    """With the keyboard alone; returns the address."""
    page.goto(f"/runs/{run_id}")
    tab_to(page, "#share-form summary")
    page.keyboard.press("Enter")
    tab_to(page, "#share-form input[type=radio]")
    tab_to(page, "#make-link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your link is ready")).to_be_visible()
    expect(page.get_by_role("img", name="QR code of the link above").locator("svg")).to_be_visible()
    return page.locator("#link-address").input_value()


def test_a_link_is_made_and_taken_back_with_the_keyboard(page, site, run_id):
    address = make_link(page, run_id)
    page.locator("#open-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator(READY)).to_be_attached(timeout=30_000)
    page.goto(f"/runs/{run_id}")
    tab_to(page, ".take-back summary")
    page.keyboard.press("Enter")
    tab_to(page, ".take-back button")
    page.keyboard.press("Enter")
    expect(page.locator("#links")).to_have_count(0)
    page.goto(address)
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_a_phone_forgets_the_model_of_a_link_that_was_taken_back(page, site, run_id):
    page.goto(make_link(page, run_id))
    expect(page.locator("#kept")).to_contain_text("Kept on this device", timeout=30_000)
    assert any(re.match("phone-", name) for name in page.evaluate("caches.keys()"))
    with site.database.session() as session:
        take_back(session, run_id, links_of(session, run_id)[0].id)
    page.reload()
    expect(page.get_by_text("This link opens nothing.")).to_be_visible()
    page.wait_for_function("async () => (await caches.keys()).length === 0")
