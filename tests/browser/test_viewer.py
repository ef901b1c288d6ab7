"""One photo large, over any page that shows photos: with the mouse, the keyboard, a finger, and without a script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.every_page import try_photos
from tests.browser.test_accessibility import tab_to
from tests.server.rich_result import add_rich_result
from tests.server.trying import add_tried_run

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SWIPE = """([stage, right]) => {
  const touch = (x) => new Touch({ identifier: 1, target: stage, clientX: x, clientY: 100 });
  stage.dispatchEvent(new TouchEvent("touchstart", { touches: [touch(200)], bubbles: true }));
  stage.dispatchEvent(new TouchEvent("touchend", { changedTouches: [touch(200 + right)], bubbles: true }));
}"""


@pytest.fixture
def run_id(site):
    return add_rich_result(site)


@pytest.fixture
def red(site, run_id):
    """The address of the page of a class of the run's data set."""
    return f"/datasets/{site.run(run_id).dataset_id}/photos?label=red"


def viewer(page):
    return page.get_by_role("dialog")


def title(page):
    return page.locator("#viewer-title")


def is_large(page):
    """The picture is the large one, and it is there."""
    expect(page.locator("#viewer-picture")).to_have_attribute("src", re.compile("/picture$"))
    assert page.locator("#viewer-picture").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_the_keyboard_opens_it_goes_through_the_photos_ticks_and_comes_back(page, red):
    page.goto(red)
    tab_to(page, "a.enlarge")
    page.keyboard.press("Enter")
    expect(title(page)).to_have_text("0.jpg")
    expect(viewer(page).get_by_text("1 of 6")).to_be_visible()
    expect(viewer(page).get_by_text("You said red.")).to_be_visible()
    is_large(page)
    page.keyboard.press("ArrowLeft")  # there is none before
    expect(title(page)).to_have_text("0.jpg")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(title(page)).to_have_text("2.jpg")
    tab_to(page, "#viewer-tick input")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(viewer(page)).to_be_hidden()
    assert page.evaluate("document.activeElement.querySelector('img').title") == "red/2.jpg"
    expect(page.get_by_role("checkbox", name="red: 2.jpg")).to_be_checked()
    expect(page.locator("#n-ticked")).to_have_text("1 ticked")


def test_the_focus_stays_in_it(page, red):
    page.goto(red)
    page.locator("a.enlarge").first.click()
    expect(viewer(page).get_by_role("combobox", name="It is really")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")


def test_a_mistake_is_corrected_in_it_and_undone_and_the_page_behind_follows(page, site, run_id):
    page.goto(f"/runs/{run_id}/mistakes")
    page.locator("#mistakes a.enlarge").first.click()
    expect(viewer(page).get_by_role("table", name="How likely each class is")).to_be_visible()
    heat = viewer(page).get_by_role("button", name="Show what it looked at")
    heat.click()
    expect(heat).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#viewer-picture")).to_have_attribute("src", re.compile("heat.jpg"))
    heat.click()
    is_large(page)
    choice = viewer(page).get_by_role("combobox", name="It is really")
    expect(choice).to_have_value("")
    choice.select_option("blue")
    viewer(page).get_by_role("button", name="Correct").click()
    expect(viewer(page).get_by_text("Moved 1 photo to 'blue'")).to_be_visible()
    expect(title(page)).to_be_focused()
    viewer(page).get_by_role("button", name="Undo").click()
    expect(viewer(page).get_by_text("You said red.")).to_be_visible()
    viewer(page).get_by_role("combobox", name="It is really").select_option(label="none of these: leave it out")
    viewer(page).get_by_role("button", name="Correct").click()
    expect(viewer(page).get_by_text("It is left out")).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press("Escape")
    expect(page.get_by_text("It is left out of these photos now.")).to_be_visible()
    expect(page.locator("#mistakes a.enlarge").first).to_be_focused()


def test_a_heat_map_opens_as_one_and_a_similar_photo_among_the_similar_ones(page, run_id):
    page.goto(f"/runs/{run_id}/mistakes")
    page.locator("#mistakes a.enlarge-heat").first.click()
    expect(page.locator("#viewer-picture")).to_have_attribute("src", re.compile("heat.jpg"))
    viewer(page).get_by_role("button", name="Close").click()
    page.locator(".nearest a.enlarge").first.click()
    expect(viewer(page).get_by_text("1 of 3")).to_be_visible()


def test_a_finger_goes_to_the_neighbours(page, red):
    page.set_viewport_size(PHONE)
    page.goto(red)
    page.locator("a.enlarge").nth(1).click()
    stage = page.locator(".viewer-stage").element_handle()
    page.evaluate(SWIPE, [stage, -120])
    expect(title(page)).to_have_text("2.jpg")
    page.evaluate(SWIPE, [stage, 120])
    expect(title(page)).to_have_text("1.jpg")
    page.evaluate(SWIPE, [stage, 20])  # a tap
    expect(title(page)).to_have_text("1.jpg")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_answer_on_the_try_page_is_enlarged_from_the_file_with_its_heat_map(page, site):
    page.goto(f"/runs/{add_tried_run(site)}/try")
    try_photos(page)
    page.locator("button.enlarge").first.click()
    expect(title(page)).to_have_text("a.png")
    expect(viewer(page).get_by_text("It says red")).to_be_visible()
    expect(page.locator("#viewer-picture")).to_have_js_property("naturalWidth", 24)
    viewer(page).get_by_role("button", name="Show what it looked at").click()
    expect(viewer(page).get_by_text("Bright areas supported its answer")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(title(page)).to_have_text("b.png")
    page.keyboard.press("Escape")
    expect(page.locator("button.enlarge").nth(1)).to_be_focused()


def test_a_change_in_another_window_is_told_and_shown_before_it_is_undone(page, site, run_id, red):
    page.goto(red)
    page.locator("a.enlarge").first.click()
    expect(viewer(page).get_by_text("You said red.")).to_be_visible()
    other = page.context.new_page()
    other.goto(red)
    other.locator("a.enlarge").first.click()
    viewer(other).get_by_role("combobox", name="It is really").select_option(label="none of these: leave it out")
    viewer(other).get_by_role("button", name="Correct").click()
    expect(viewer(other).get_by_text("It is left out")).to_be_visible()
    viewer(page).get_by_role("combobox", name="It is really").select_option("blue")
    viewer(page).get_by_role("button", name="Correct").click()
    expect(viewer(page).get_by_text("something was changed that goes against what you asked for")).to_be_visible()
    expect(viewer(page).get_by_text("It is left out")).to_be_visible()
    viewer(page).get_by_role("combobox", name="It is really").select_option("blue")
    viewer(page).get_by_role("button", name="Correct").click()  # it knows of it now
    expect(viewer(page).get_by_text("Moved 1 photo to 'blue'")).to_be_visible()


def test_without_a_script_a_change_in_another_window_is_asked_about(plain_page, red):
    plain_page.goto(red)
    other = plain_page.context.new_page()
    for one in (plain_page, other):
        one.goto(red)
        one.get_by_role("checkbox").first.check()
    other.get_by_role("button", name="Leave them out").click()
    plain_page.get_by_label("Move them to").fill("blue")
    plain_page.get_by_role("button", name="Move", exact=True).click()
    expect(plain_page.get_by_role("heading", name="These photos were changed meanwhile")).to_be_visible()
    expect(plain_page.locator("#changes")).to_contain_text("Left out 1 photo")
    plain_page.get_by_role("button", name="Do it all the same").click()
    plain_page.goto(red.partition("/photos")[0])
    expect(plain_page.locator("#edits")).to_contain_text("Moved 1 photo to 'blue'")


def test_without_a_script_a_photo_leads_to_its_page_and_is_corrected_there(plain_page, site, run_id):
    plain_page.goto(f"/runs/{run_id}/mistakes")
    plain_page.locator("#mistakes a.enlarge").first.click()
    expect(plain_page.get_by_role("heading", name="1.jpg")).to_be_visible()
    expect(plain_page.get_by_role("link", name="Show what it looked at")).to_be_visible()
    expect(plain_page.get_by_role("table", name="How likely each class is")).to_be_visible()
    plain_page.get_by_role("combobox", name="It is really").select_option("blue")
    plain_page.get_by_role("button", name="Correct").click()
    expect(plain_page.get_by_text("Moved 1 photo to 'blue'")).to_be_visible()
    plain_page.get_by_role("button", name="Undo").click()
    expect(plain_page.get_by_text("You said red.")).to_be_visible()


def test_from_a_wrong_label_to_the_next_run_takes_two_clicks_and_five_for_a_class_that_no_model_named(
    page, site, run_id
):
    """`bench.correcting` says how long that takes, and how much better the model is."""
    page.add_init_script(
        "addEventListener('click', () => sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1, true)"
    )
    page.goto(f"/runs/{run_id}/doubts")
    page.get_by_role("button", name="It is blue: correct the label").click()
    page.get_by_role("button", name="Train again with the corrected labels").click()
    page.wait_for_url(lambda url: "/runs/" in url and run_id not in url)
    assert page.evaluate("sessionStorage.clicks") == "2"

    page.goto(f"/datasets/{site.run(run_id).dataset_id}")
    page.locator("#edits").get_by_role("button", name="Undo").click()
    page.goto(f"/runs/{run_id}/doubts")
    page.evaluate("sessionStorage.clicks = 0")
    page.get_by_role("link", name="It is something else").click()
    choice = viewer(page).get_by_role("combobox", name="It is really")
    expect(choice).to_be_focused()  # where a key is enough
    choice.select_option("green")
    viewer(page).get_by_role("button", name="Correct").click()
    expect(viewer(page).get_by_text("Moved 1 photo to 'green'")).to_be_visible()
    with page.expect_navigation():
        viewer(page).get_by_role("button", name="Close").click()
    expect(page.get_by_text("You moved it to green")).to_be_visible()
    page.get_by_role("button", name="Train again with the corrected labels").click()
    page.wait_for_url(lambda url: "/runs/" in url and run_id not in url)
    clicks = int(page.evaluate("sessionStorage.clicks")) + 1  # the choice itself is no click for the test's browser
    assert clicks == 5
