"""report.html in headless Chromium: it calls nowhere, nothing breaks, and it fits screen, phone and paper."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from automl.delivery.report.page import write_report
from automl.evaluation.plots import Plot
from tests.automl.delivery.report.built_reports import HOSTILE, finished
from tests.browser.test_accessibility import AXE, violations
from tests.reports import FORMAT

pytestmark = pytest.mark.browser

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"><text x="9" y="40">{}</text></svg>'


@pytest.fixture
def report(tmp_path: Path) -> str:
    """Of ten classes with hostile and long names, and a picture of each kind."""
    classes = (*HOSTILE, "a" * 120, *(f"kind of flower {i}" for i in range(6)))
    Image.new("RGB", (900, 400), "green").save(tmp_path / "a.png")
    (tmp_path / "b.svg").write_text(SVG.format("<a href='http://example.org/'>b</a>"))
    plots = [Plot(tmp_path / "a.png", "a", None), Plot(tmp_path / "a.png", "b", tmp_path / "b.svg")]
    exports = [{**FORMAT, "n_bytes": 9_000_000, "accuracy": 0.9, "words": "Preparing " * 20}]
    write_report(tmp_path / "report.html", finished(classes, np.full((10, 10), 20), exports=exports), plots)
    return (tmp_path / "report.html").as_uri()


@pytest.fixture
def alone(browser: Browser, report: str) -> Iterator[Page]:
    """Fails its test if the page asked for anything, or the browser complained."""
    page = browser.new_page()
    problems: list[str] = []
    page.on("request", lambda request: request.url.startswith((report, "data:")) or problems.append(request.url))
    page.on("console", lambda line: problems.append(line.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(report)
    yield page
    page.close()
    assert problems == []


def test_all_pictures_are_inside(alone):
    sizes = alone.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")
    assert sizes == [900, 600]
    assert alone.evaluate("document.compatMode") == "CSS1Compat"
    assert alone.locator("script").count() == 0


@pytest.mark.parametrize("width_px", [1200, 390])
def test_the_page_does_not_scroll_sideways(alone, width_px):
    alone.set_viewport_size({"width": width_px, "height": 800})
    assert alone.evaluate("document.documentElement.scrollWidth") == width_px
    assert alone.locator("#headline").is_visible()


@pytest.mark.parametrize("width_px", [1200, 390])
def test_axe_finds_nothing(alone, width_px):
    alone.set_viewport_size({"width": width_px, "height": 800})
    alone.evaluate(AXE.read_text("utf-8"))  # by the driver: the page itself allows no script
    assert violations(alone) == []


def test_on_paper_no_table_is_cut_off(alone):
    alone.set_viewport_size({"width": 673, "height": 900})  # A4 without its margins
    alone.emulate_media(media="print")
    widths = alone.eval_on_selector_all(".wide", "all => all.map(one => one.scrollWidth - one.clientWidth)")
    assert len(widths) >= 6
    assert max(widths) == 0
    assert alone.pdf(format="A4").count(b"/Type /Page\n") > 1
