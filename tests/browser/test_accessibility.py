"""WCAG 2.2 AA: axe-core finds nothing on any page in any state, light or dark, wide or narrow; and what it misses."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.every_page import PAGES, act

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LIGHT = ("light", {"width": 1280, "height": 900})
DARK = ("dark", {"width": 390, "height": 844})
MOVING = """() => [...document.querySelectorAll("*")].filter((element) => {
  const style = getComputedStyle(element);
  return style.animationName !== "none" || style.transitionDuration.split(", ").some((s) => parseFloat(s) > 0.001);
}).map((element) => element.outerHTML.slice(0, 80))"""
RING = """() => {
  const element = document.activeElement, style = getComputedStyle(element);
  const around = element.matches(".card-link") ? getComputedStyle(element, "::after") : style;
  return (around.outlineStyle !== "none" && parseFloat(around.outlineWidth) >= 2) || style.boxShadow !== "none";
}"""


def violations(page: Page) -> list[str]:
    """What axe-core finds, one line each. Folded parts are opened first: they are pages too."""
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    options = {
        "runOnly": RULES,
        "preload": False,
        "resultTypes": ["violations"],
        "rules": {"target-size": {"enabled": True}},
    }
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Goes on with the keyboard until the focus is there, and sees it at each step."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate(RING), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"The keyboard never came to {selector}.")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(page, site, name):
    page.add_init_script(path=AXE)  # by the driver: the pages themselves allow no foreign script
    path = PAGES[name](site)
    for scheme, size in (LIGHT, DARK):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.goto(path)
        act(page, name)
        assert violations(page) == [], scheme
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"


def test_the_check_itself_would_notice(page, site):
    page.add_init_script(path=AXE)
    page.goto("/")
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<img src=\"/favicon.ico\">')")
    assert [line.split(":")[0] for line in violations(page)] == ["image-alt"]


@pytest.mark.parametrize("name", ["home", "data set, checking", "run, searching"])
def test_nothing_moves_for_who_does_not_want_it(page, site, name):
    page.emulate_media(reduced_motion="reduce")
    page.goto(PAGES[name](site))
    assert page.evaluate(MOVING) == []


def test_a_folder_is_uploaded_and_a_run_started_with_the_keyboard_alone(page, site, flowers):
    page.on("filechooser", lambda _: None)  # from the start: the browser would else open a window of its own
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    tab_to(page, "#choose-folder")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(flowers)
    page.wait_for_url("**/datasets/*")
    site.finish_check(site.only_dataset().id)
    expect(page.locator("#start-form")).to_be_visible()
    tab_to(page, "input[name=budget]")
    page.keyboard.press("ArrowDown")
    tab_to(page, "input[name=aim]")
    page.keyboard.press("ArrowUp")  # from the first to the last
    tab_to(page, "#start-run")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    settings = site.run(site.queue.sent[-1][1]).settings
    assert (settings.budget_s, settings.max_model_mb) == (600.0, 12.0)


def test_an_archive_is_chosen_with_the_keyboard(page, site, flowers):
    page.on("filechooser", lambda _: None)  # from the start: the browser would else open a window of its own
    page.goto("/")
    tab_to(page, "#choose-zip")
    with page.expect_file_chooser():
        page.keyboard.press("Space")


@pytest.mark.parametrize(
    "name", ["home", "data set, ready, with the start form", "result with everything", "result, mistakes"]
)
def test_the_focus_is_seen_wherever_it_is(page, site, name):
    page.goto(PAGES[name](site))
    page.keyboard.press("Tab")
    first = page.evaluate_handle("document.activeElement")
    for _ in range(200):
        assert page.evaluate(RING), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        page.keyboard.press("Tab")
        if page.evaluate(
            "(first) => document.activeElement === first || document.activeElement === document.body", first
        ):
            return
    raise AssertionError("The keyboard is caught on this page.")
