"""The page of a result on paper."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_result_page import pictures_of
from tests.server.rich_result import add_rich_result

pytestmark = pytest.mark.browser

A4_PX = {"width": 718, "height": 1047}  # without its margins, at 96 pixels an inch


@pytest.fixture
def print_part(page, site):
    """Opens one page of a result, by the end of its address, as it is printed."""
    page.set_viewport_size(A4_PX)
    page.emulate_media(media="print")
    run_id = add_rich_result(site)

    def print_(part=""):
        page.goto(f"/runs/{run_id}{part}")
        pictures_of(page)  # none is still on its way when the test ends
        return page

    return print_


def style(printed, selector, name):
    return printed.locator(selector).first.evaluate("(one, name) => getComputedStyle(one)[name]", name)


def test_the_confusion_matrix_keeps_its_colours(print_part):
    assert style(print_part("/mistakes"), "#confusion td", "printColorAdjust") == "exact"


def test_a_panel_may_go_on_on_the_next_page_and_a_photo_may_not(print_part):
    for page, parts in (("/mistakes", (".mistake", "#confusion tr")), ("/details", (".score-card", ".plots figure"))):
        printed = print_part(page)
        assert style(printed, ".panel", "breakInside") == "auto"
        for part in parts:
            assert style(printed, part, "breakInside") == "avoid"


def test_the_score_cards_lie_in_a_row(print_part):
    printed = print_part("/details")
    tops = printed.locator(".score-card").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert len(tops) > 3 and len(set(tops)) == 1


def test_the_formats_are_a_plain_list_with_their_sizes_and_scores(print_part):
    printed = print_part()
    printed.locator("#formats-by-name > summary").evaluate("summary => { summary.parentElement.open = true }")
    panel = printed.locator(".download-panel")
    expect(panel.locator("#label-keras")).to_be_visible()
    expect(panel.locator("#label-keras small")).to_have_text("400 bytes")
    expect(panel.locator("#about-keras")).to_contain_text("5 of 6 test photos")
    for part in ("input", "button", "legend", "summary", "#formats-status"):
        assert not any(one.is_visible() for one in panel.locator(part).all()), part
    boxes = [printed.locator(f"#label-{name}").bounding_box() for name in ("onnx", "keras")]
    assert boxes[0]["y"] == boxes[1]["y"]
