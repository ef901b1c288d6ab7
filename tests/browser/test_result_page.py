"""The page of a result as people use it: the confusion matrix by mouse and by keyboard, and a run that follows."""

import zipfile
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from automl.records import RunState
from server.views.confusion import MAX_DRAWN
from tests.browser.test_accessibility import tab_to
from tests.browser.test_run_page import PlayedRun
from tests.server.answered import add_answered, add_photos, result_of
from tests.server.finished import add_finished
from tests.server.rich_result import add_rich_result
from tests.server.views.test_confusion import add_many_classes

pytestmark = pytest.mark.browser

MISTAKEN = "1 photo of red taken for green"
WIDTHS = """all => Promise.all(all.map(async (one) => {
  one.loading = "eager";
  await one.decode().catch(() => {});
  return one.naturalWidth;
}))"""
CELL = f"#confusion a[aria-label='{MISTAKEN}']"


@pytest.fixture
def run_id(site):
    return add_rich_result(site)


def pictures_of(page):
    """The width of each picture of the page in pixels, 0 for one that is not there. Those far below are fetched too."""
    return page.eval_on_selector_all("main img:not(.viewer img)", WIDTHS)


def test_a_cell_is_opened_by_keyboard_and_its_label_corrected(page, run_id):
    page.goto(f"/runs/{run_id}/mistakes")
    tab_to(page, CELL)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(MISTAKEN)
    assert len(widths := pictures_of(page)) == 1 and min(widths) > 0
    tab_to(page, ".test-answer button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You moved it to green")).to_be_visible()


def test_a_click_on_a_cell_shows_its_photos(page, run_id):
    page.goto(f"/runs/{run_id}/mistakes")
    page.locator(CELL).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(MISTAKEN)
    assert min(pictures_of(page)) > 0


def test_the_slider_says_what_a_threshold_gives_and_keeps_it(page, run_id):
    page.goto(f"/runs/{run_id}/mistakes")
    slider, entry = page.locator("#sure-slider"), page.locator("#sure-percent")
    slider.focus()
    page.keyboard.press("End")
    expect(entry).to_have_value("99.9")
    expect(page.locator("[data-sure=percent]")).to_have_text("99.9")
    page.keyboard.press("ArrowLeft")
    page.locator("#sure-form").get_by_role("button", name="Use this").click()
    expect(page.locator("[data-sure=percent]")).to_have_text("99.8")
    expect(page.get_by_role("button", name="measured")).to_be_visible()


def test_without_javascript_a_threshold_is_written_as_a_number(plain_page, run_id):
    plain_page.goto(f"/runs/{run_id}/mistakes")
    expect(plain_page.locator("#sure-slider")).to_be_hidden()
    plain_page.locator("#sure-percent").fill("97.5")
    plain_page.get_by_role("button", name="Use this").click()
    expect(plain_page.locator("[data-sure=percent]")).to_have_text("97.5")


def test_mistakes_suspects_and_plots_have_their_pictures(page, run_id):
    widths = []
    for part in ("mistakes", "doubts", "details"):
        page.goto(f"/runs/{run_id}/{part}")
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        widths += pictures_of(page)
    assert len(widths) == 3 * (1 + 1 + 3) + 1 + 2  # of a mistake: itself, its heat map, three others; a suspect; plots
    assert min(widths) > 0


def test_without_javascript_a_result_is_read_downloaded_and_corrected(plain_page, run_id):
    plain_page.goto(f"/runs/{run_id}")
    expect(plain_page.locator("#test-score")).to_have_text("50.0 %")
    for button in ("#download", "#download-now"):
        with plain_page.expect_download() as download:
            plain_page.locator(button).click()
        assert {"model.onnx", "model.keras"} <= set(zipfile.ZipFile(download.value.path()).namelist())
    plain_page.get_by_role("link", name="Details").click()
    expect(plain_page.locator("#settings")).to_contain_text("Search method")
    plain_page.get_by_role("link", name="Mistakes").click()
    plain_page.locator(CELL).click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text(MISTAKEN)
    address = plain_page.locator(".test-answer img").get_attribute("src")
    assert plain_page.request.get(address).headers["content-type"].startswith("image/")
    plain_page.get_by_role("button", name="It is green: correct the label").click()
    expect(plain_page.get_by_text("You moved it to green")).to_be_visible()


NUMBERS = "#trials tbody tr td:first-child"


def act_before(page, address, act):
    """Acts on the page while it waits for this address."""

    def handle(route):
        act()
        route.continue_()

    page.route(address, handle)


def test_what_was_tried_comes_when_it_is_opened_and_is_sorted(page, run_id):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/runs/{run_id}/details")
    expect(page.locator("#trials")).to_have_count(0)
    tab_to(page, "#tries > summary")
    page.keyboard.press("Enter")
    expect(page.locator(NUMBERS)).to_have_text(["2", "1", "3"])
    page.get_by_role("button", name="No.").click()
    expect(page.locator(NUMBERS)).to_have_text(["3", "2", "1"])
    page.locator("#tries > summary").click()
    page.locator("#tries > summary").click()
    expect(page.locator(NUMBERS)).to_have_text(["3", "2", "1"])
    assert sum(url.endswith("/tries") for url in asked) == 1


def test_times_of_what_happened_are_those_of_the_reader(browser, site, run_id):
    asked_at = site.run(run_id).created_at
    with browser.new_context(base_url=site.url, timezone_id="Asia/Tokyo") as context:
        page = context.new_page()
        page.goto(f"/runs/{run_id}/details")
        page.locator("#tries > summary").click()
        page.locator("#log > summary").click()
        expect(page.locator("#log time").last).to_have_text((asked_at + timedelta(hours=9)).strftime("%H:%M:%S"))
        expect(page.get_by_text("Times are UTC.")).to_be_hidden()


@pytest.mark.parametrize("failure", [{"status": 500, "body": "broken"}, {"status": 200, "body": "a proxy"}, None])
def test_what_was_tried_and_could_not_be_fetched_says_so_and_comes_when_it_is_opened_again(page, run_id, failure):
    page.goto(f"/runs/{run_id}/details")
    page.route("**/tries", lambda route: route.fulfill(**failure) if failure else route.abort())
    page.locator("#tries > summary").click()
    expect(page.locator("#tries-state")).to_contain_text("could not be fetched")
    expect(page.locator("#tries-state")).to_be_visible()
    expect(page.locator("#connection-lost")).to_be_hidden()
    expect(page.get_by_role("link", name="See them on a page of their own")).to_be_visible()
    page.unroute("**/tries")
    page.locator("#tries > summary").click()
    page.locator("#tries > summary").click()
    expect(page.locator(NUMBERS)).to_have_text(["2", "1", "3"])
    expect(page.locator("#tries-state")).to_be_empty()


def test_the_focus_stays_where_it_is_when_what_was_tried_comes(page, run_id):
    link = page.get_by_role("link", name="See them on a page of their own")
    act_before(page, "**/tries", link.focus)
    page.goto(f"/runs/{run_id}/details")
    page.locator("#tries > summary").click()
    expect(page.locator(NUMBERS)).to_have_text(["2", "1", "3"])
    expect(link).to_be_focused()
    assert link.bounding_box()["y"] > page.locator("#trials").bounding_box()["y"]


def test_what_was_tried_also_comes_where_it_was_opened_before_the_script_was_there(page, run_id):
    act_before(page, "**/tries.js", page.locator("#tries > summary").click)
    page.goto(f"/runs/{run_id}/details")
    expect(page.locator(NUMBERS)).to_have_text(["2", "1", "3"])


def test_what_was_tried_comes_on_a_page_that_was_live(page, site):
    run = PlayedRun(site)
    run.search()
    run.add_trial(0, 0.91)
    page.goto(f"/runs/{run.id}")
    expect(page.locator(NUMBERS)).to_have_text(["1"])
    run.finish()
    page.get_by_role("link", name="Details").click()
    page.locator("#tries > summary").click()
    expect(page.locator(f"#tries {NUMBERS}")).to_have_text(["1"])


def test_what_was_tried_is_a_page_without_javascript_and_sorted_with_it(page, plain_page, run_id):
    plain_page.goto(f"/runs/{run_id}/details")
    plain_page.locator("#tries > summary").click()
    plain_page.get_by_role("link", name="See them on a page of their own").click()
    expect(plain_page.locator("#trials tbody tr td:first-child")).to_have_text(["2", "1", "3"])
    page.goto(plain_page.url)
    page.get_by_role("button", name="No.").click()
    expect(page.locator("#trials tbody tr td:first-child")).to_have_text(["3", "2", "1"])


FIRST_SCREEN = ("#sentence", "#verdict", "#next-step", "#test-score", "#score-range", "#try-it", "#download-now")
"""What a person wants first: how good it is, whether that is enough, what would help, and the ways on."""


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
@pytest.mark.parametrize("make", [add_rich_result, add_finished, add_many_classes])
def test_the_first_screen_holds_what_a_person_wants_first(page, site, size, make):
    page.set_viewport_size(size)
    page.goto(f"/runs/{make(site)}")
    ends = {one: page.locator(one).bounding_box() for one in FIRST_SCREEN}
    assert {
        one: box["y"] + box["height"] for one, box in ends.items() if box["y"] + box["height"] > size["height"]
    } == {}
    assert page.evaluate("document.documentElement.scrollHeight") < 3 * size["height"]


def test_on_a_phone_the_scores_lie_two_beside_each_other(page, run_id):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/runs/{run_id}/details")
    places = page.eval_on_selector_all(".score-card", "all => all.map((one) => one.getBoundingClientRect().x)")
    assert places[0] == places[2] < places[1] == places[3]


@pytest.mark.parametrize(
    ("place", "part"),
    [("confusion-title", "mistakes"), ("suspects", "doubts"), ("plots-title", "details"), ("made-title", "details")],
)
def test_a_link_to_where_something_was_before_leads_to_its_page(page, run_id, place, part):
    page.goto(f"/runs/{run_id}#{place}")
    page.wait_for_url(f"**/runs/{run_id}/{part}#{place}")
    expect(page.locator(f"#{place}")).to_be_in_viewport()


def test_the_four_pages_are_gone_through_without_javascript(plain_page, run_id):
    plain_page.goto(f"/runs/{run_id}")
    for name in ("Mistakes", "Photos it doubts", "Details", "Result"):
        plain_page.locator("#result-tabs").get_by_role("link", name=name).click()
        expect(plain_page.locator("#result-tabs [aria-current=page]")).to_contain_text(name)


def test_a_place_of_use_is_chosen_and_its_format_downloaded(page, site):
    page.goto(f"/runs/{add_finished(site)}")
    page.get_by_role("link", name="On a phone").click()
    expect(page.locator("#use-phone")).to_be_in_viewport()
    with page.expect_download() as download:
        page.locator("#download").click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert "model_float16.tflite" in names and "model.onnx" not in names


def test_a_large_matrix_keeps_its_heads_in_sight_and_the_page_its_width(page, site):
    classes = [f"class number {i}" for i in range(MAX_DRAWN)]
    rows = [(f"s{i}", classes[i], classes[(i + i % 3) % MAX_DRAWN], 0.9) for i in range(MAX_DRAWN)]
    run_id = add_answered(site, add_photos(site), rows, classes)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/runs/{run_id}/mistakes")
    box = page.locator(".matrix .scroll-box")
    box.evaluate("box => { box.scrollTop = 900; box.scrollLeft = 900 }")
    corner = box.bounding_box()
    column = page.locator("#confusion thead tr:last-child th").nth(50).bounding_box()
    row = page.locator("#confusion tbody th").nth(50).bounding_box()
    assert column["y"] == pytest.approx(corner["y"], abs=2)
    assert row["x"] == pytest.approx(corner["x"], abs=2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_what_differs_from_the_run_before_is_marked_in_words(page, site):
    run_id = site.add_run(RunState.DONE, result=result_of(("a", "b"), ()))
    page.goto(f"/datasets/{site.run(run_id).dataset_id}?like={run_id}&change=1")
    changed = page.locator("#start-changed")
    expect(changed).to_be_hidden()
    page.get_by_label("Most tries").fill("7")
    page.get_by_label("Fine-tuning").uncheck()
    page.get_by_text("Standard").click()
    expect(changed).to_have_text("Changed: How long may it take?; Fine-tuning; Most tries")
    page.get_by_label("Fine-tuning").check()
    page.get_by_label("Most tries").fill("")
    expect(changed).to_have_text("Changed: How long may it take?")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")
    started = site.run(site.queue.sent[-1][1])
    assert (started.parent_id, started.budget_s) == (run_id, 600)
