"""report.html: well-formed, escaped, self-contained, and in the order in which people read."""

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from automl.delivery.report.page import write_report
from automl.evaluation.plots import Plot
from automl.records.report import RunReport
from tests.automl.delivery.report.built_reports import HOSTILE, finished
from tests.reports import FORMAT, doubted_label

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><text>a</text></svg>'


def written(folder: Path, report: RunReport, plots: tuple[Plot, ...] = ()) -> str:
    write_report(folder / "report.html", report, plots)
    assert [path.name for path in folder.glob("*report*")] == ["report.html"]
    return (folder / "report.html").read_text("utf-8")


def parsed(page: str) -> ElementTree.Element:
    """Raises where a tag is not closed, an attribute is not quoted, or a character is not allowed."""
    assert page.startswith("<!DOCTYPE html>")
    return ElementTree.fromstring(page)


def plot(folder: Path, svg: str | None = None) -> Plot:
    path = folder / "one.png"
    Image.new("RGB", (4, 4)).save(path)
    if svg is not None:
        path.with_suffix(".svg").write_text(svg)
    return Plot(path, "What it <mixes> up", path.with_suffix(".svg") if svg is not None else None)


@pytest.mark.parametrize("n_classes", [2, 3, 10, 100])
def test_the_page_is_well_formed_for_any_number_of_classes(tmp_path, n_classes):
    confusion = np.diag(np.full(n_classes, 3)) + np.eye(n_classes, k=1, dtype=int)
    page = parsed(written(tmp_path, finished(tuple(f"class_{i}" for i in range(n_classes)), confusion)))
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert ("confusion" in ids, "mix-ups" in ids) == (n_classes <= 10, n_classes > 10)
    (rows,) = [table for table in page.iter(f"{XHTML}table") if table.get("id") == "classes"]
    assert len(rows.findall(f".//{XHTML}tbody/{XHTML}tr")) == n_classes


def test_words_come_first_figures_second_and_how_it_was_made_third(tmp_path):
    page = parsed(written(tmp_path, finished(("a", "b"), np.array([[30, 2], [1, 30]]))))
    titles = [title.text for title in page.iter(f"{XHTML}h2")]
    assert titles == ["In words", "What it is for, and what it is not for", "Figures", "How it was made"]


@pytest.mark.parametrize("n_classes", [2, 11])
def test_without_a_test_set_the_page_says_who_answered(tmp_path, n_classes):
    confusion = np.diag(np.full(n_classes, 3)) + np.eye(n_classes, k=1, dtype=int)
    one = {**FORMAT, "agreement": 0.995}
    test = {"method": "cross-validated"}
    text = written(
        tmp_path, finished(tuple(f"class_{i}" for i in range(n_classes)), confusion, test=test, exports=[one])
    )
    parsed(text)
    assert "test photos" not in text.lower() and ">Test</th>" not in text
    assert "by a model that\nhad not seen it" in text
    assert "<td>99.5 %</td>" in text


def test_names_cannot_bring_anything_into_the_page(tmp_path):
    report = finished(HOSTILE, np.full((3, 3), 4), name=HOSTILE[0], notes=HOSTILE, suspects=[doubted_label()])
    page = parsed(written(tmp_path, report))
    assert not list(page.iter(f"{XHTML}script"))
    allowed = {"id", "class", "lang", "charset", "name", "content", "http-equiv", "scope", "aria-labelledby"}
    allowed |= {"aria-label", "role", "tabindex"}  # of the boxes that scroll
    assert {name for element in page.iter() for name in element.keys()} == allowed  # noqa: SIM118 - not a dict
    assert "<script>alert(1)</script>" in [heading.text for heading in page.iter(f"{XHTML}th")]


def test_the_page_asks_for_nothing_from_elsewhere(tmp_path):
    text = written(tmp_path, finished(("a", "b"), np.full((2, 2), 9)), (plot(tmp_path),))
    addresses = re.findall(r'(?:src|href|srcset|action|data)="([^"]{0,9})|url\(|@import', text)
    assert addresses == ["data:imag"]
    assert "default-src 'none'" in text


@pytest.mark.parametrize(
    ("svg", "kind"), [(None, "image/png"), (SVG, "image/svg+xml"), (SVG + " " * 500_001, "image/png")]
)
def test_a_plot_is_inside_the_page_and_sharp_where_that_is_not_too_large(tmp_path, svg, kind):
    one = plot(tmp_path, svg)
    page = parsed(written(tmp_path, finished(("a", "b"), np.full((2, 2), 9)), (one,)))
    (image,) = page.iter(f"{XHTML}img")
    head, data = image.get("src").split(",")
    assert head == f"data:{kind};base64"
    assert base64.b64decode(data) == (one.path if kind == "image/png" else one.svg).read_bytes()
    assert image.get("alt") == "Plot: What it <mixes> up"


def test_formats_say_whether_they_answer_as_the_model_does(tmp_path):
    exports = [FORMAT, {**FORMAT, "is_true": False, "words": "Off by 5 points."}]
    page = parsed(written(tmp_path, finished(("a", "b"), np.full((2, 2), 9), exports=exports)))
    (table,) = [table for table in page.iter(f"{XHTML}table") if table.get("id") == "exports"]
    cells = ["".join(row[-1].itertext()).strip() for row in table.findall(f".//{XHTML}tbody/{XHTML}tr")]
    assert cells == ["✓ yes", "✗ no Off by 5 points."]
