"""The page of a result as people use it: the confusion matrix by keyboard, a correction, and a run that follows."""

import pytest
from playwright.sync_api import expect

from automl.records import RunState
from tests.server.answered import add_answered, add_photos, result_of

pytestmark = pytest.mark.browser

ROWS = [("s1", "rose", "tulip", 0.9), ("s2", "rose", "rose", 0.7), ("s3", "tulip", "tulip", 0.8)]


@pytest.fixture
def run_id(site):
    return add_answered(site, add_photos(site, s1="rose", s2="rose", s3="tulip"), ROWS)


def test_a_cell_is_opened_by_keyboard_and_its_label_corrected_without_javascript(plain_page, site, run_id):
    plain_page.goto(f"/runs/{run_id}")
    plain_page.get_by_role("table").get_by_role("link", name="1 photo of rose taken for tulip").focus()
    plain_page.keyboard.press("Enter")
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("1 photo of rose taken for tulip")
    plain_page.get_by_role("button", name="It is tulip: correct the label").click()
    expect(plain_page.get_by_text("You moved it to tulip")).to_be_visible()


def test_a_large_matrix_keeps_its_heads_in_sight_and_the_page_its_width(page, site):
    classes = [f"class number {i}" for i in range(100)]
    rows = [(f"s{i}", classes[i], classes[(i + i % 3) % 100], 0.9) for i in range(100)]
    run_id = add_answered(site, add_photos(site), rows, classes)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/runs/{run_id}")
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
    page.goto(f"/datasets/{site.run(run_id).dataset_id}?like={run_id}")
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
