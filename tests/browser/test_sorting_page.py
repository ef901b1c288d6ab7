"""The page of sorted photos in a real browser: corrected by mouse and by keyboard, kept, downloaded and added."""

import re

import pytest
from playwright.sync_api import expect

from automl.records import Decision, Origin
from server.views import sorting as sorting_view
from tests.browser.test_accessibility import AXE, tab_to, violations
from tests.server.sorted_photos import photos, sort
from tests.server.trying import add_tried_run, noise

pytestmark = pytest.mark.browser


@pytest.fixture
def run_id(site):
    some = {f"{label}/{i}.png": noise(10 * n + i) for n, label in enumerate(("red", "green")) for i in range(6)}
    return add_tried_run(site, site.add_checked(some))


@pytest.fixture
def address(site, run_id):
    return sort(site.app.test_client(), run_id)


def card(page, name):
    return page.locator(".sorted-photo", has=page.get_by_text(name, exact=True))


def test_from_a_click_to_the_next_version(page, site, run_id, address):
    page.goto(address)
    doubtful = card(page, "darker.png")
    doubtful.get_by_label("green").click()
    expect(doubtful.locator(".sorted-state")).to_have_text("✓ corrected")
    expect(page.locator("#looked")).to_have_text("You have looked at 1 of 4.")
    sure = card(page, "sure.png")
    sure.get_by_label("red").click()  # it is chosen already: the click says that it is right
    expect(sure.locator(".sorted-state")).to_have_text("✓ looked at")
    page.reload()
    expect(doubtful.get_by_label("green")).to_be_checked()
    expect(page.locator("[data-filter=corrected]")).to_have_text("Corrected 1")
    page.get_by_label("Only those I looked at: 2 photos").check()
    page.get_by_role("button", name="Add them").click()
    expect(page.locator("#added")).to_contain_text("2 photos were added to “pets”.")
    added = {file.name: file.given_label for file in site.files(site.run(run_id).dataset_id) if file.given_label}
    assert added == {"holiday/darker.png": "green", "holiday/sure.png": "red"}
    page.get_by_role("button", name="Train again with them").click()
    page.wait_for_url(re.compile(f"/datasets/.*like={run_id}"))


def test_everything_is_done_by_keyboard(page, site, address):
    page.goto(address)
    tab_to(page, "input[type=radio]")  # of the photo that is doubted most
    assert "darker.png" in page.evaluate("document.activeElement.closest('fieldset').textContent")
    for key in ("ArrowRight", "Enter", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#looked")).to_have_text("You have looked at 2 of 4.")
    assert "sure.png" in page.evaluate("document.activeElement.closest('fieldset').textContent")
    said = {name: (photo.decision, photo.label) for name, photo in photos(site).items()}
    assert said["darker.png"] == (Decision.CLASS, "green")
    assert said["dark.png"] == (Decision.CLASS, "red")
    tab_to(page, "#all-right")
    page.keyboard.press("Enter")
    expect(page.locator("#looked")).to_have_text("You have looked at 4 of 4.")


def test_a_choice_that_could_not_be_saved_says_so(page, site, address):
    page.goto(address)
    page.route("**/verdicts", lambda route: route.abort("connectionrefused"))
    card(page, "dark.png").get_by_label("None of these").click()
    expect(page.locator("#sorting-error")).to_contain_text("could not be saved")
    page.unroute("**/verdicts")
    card(page, "dark.png").get_by_label("None of these").click()
    expect(card(page, "dark.png").locator(".sorted-state")).to_have_text("✓ corrected")
    expect(page.locator("#sorting-error")).to_be_hidden()
    assert photos(site)["dark.png"].decision is Decision.NONE


def test_without_javascript_a_form_sorts_and_a_button_saves_the_page(plain_page, site, run_id, tmp_path):
    for i in range(2):
        (tmp_path / f"{i}.png").write_bytes(noise(80 + i))
    plain_page.goto(f"/runs/{run_id}/try")
    plain_page.locator("#photos-input").set_input_files([tmp_path / "0.png", tmp_path / "1.png"])
    plain_page.get_by_role("button", name="Sort them, and keep them for 14 days").click()
    plain_page.wait_for_url("**/sorted/*")
    card(plain_page, "1.png").get_by_label("I am not sure").check(force=True)
    card(plain_page, "0.png").get_by_label("blue").check(force=True)
    plain_page.get_by_role("button", name="All on this page are right").click()
    expect(plain_page.locator("#looked")).to_have_text("You have looked at 2 of 2.")
    found = photos(site)
    assert (found["0.png"].label, found["1.png"].decision) == ("blue", Decision.UNSURE)
    plain_page.get_by_label("Only those I looked at: 1 photo").check()
    plain_page.get_by_role("button", name="Add them").click()
    expect(plain_page.locator("#added")).to_contain_text("1 photo was added")
    assert [file.origin for file in site.files(site.run(run_id).dataset_id)][-1] is Origin.CONFIRMED


def test_axe_finds_nothing_in_lists_corrections_and_failures(page, site, address, monkeypatch):
    page.add_init_script(path=AXE)
    for most in (6, 2):  # buttons, then a list
        monkeypatch.setattr(sorting_view, "MOST_BUTTONS", most)
        for scheme, size in (("light", {"width": 1280, "height": 800}), ("dark", {"width": 390, "height": 844})):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            page.goto(address)
            control = card(page, "dark.png")
            if most == 2:
                control.locator("select").select_option("None of these")
            else:
                control.get_by_label("green").click()
            expect(control.locator(".sorted-state")).to_have_text("✓ corrected")
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
