"""The tick boxes of a download, in a real browser; the test plays the worker."""

import re
import zipfile
from random import Random

import pytest
from playwright.sync_api import expect

from automl.records import ExportState
from automl.text.numbers import size_in_words
from tests.browser.test_accessibility import tab_to
from tests.server.finished import add_finished, change_export, proof

pytestmark = pytest.mark.browser


def open_formats(page, run_id):
    page.goto(f"/runs/{run_id}")
    page.locator("#formats-by-name > summary").click()


def test_what_is_ticked_is_downloaded(page, site):
    open_formats(page, add_finished(site))
    page.get_by_label("LiteRT (TFLite), int8").check()
    page.get_by_label("Keras").uncheck()
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename.startswith("beans-20")
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert "model_int8.tflite" in names and "model.onnx" in names and "model.keras" not in names


def test_boxes_are_ticked_and_the_choice_is_downloaded_with_the_keyboard_alone(page, site):
    page.goto(f"/runs/{add_finished(site, onnx=ExportState.PREPARING, saved_model=ExportState.PREPARING)}")
    tab_to(page, "#formats-by-name > summary")
    page.keyboard.press("Enter")
    tab_to(page, "#format-onnx")
    page.keyboard.press("Space")
    tab_to(page, "#format-litert_int8")
    page.keyboard.press("Space")
    tab_to(page, "#download")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert "model_int8.tflite" in names and "model.keras" in names and "model.onnx" not in names


def test_without_scripts_the_form_downloads_too(plain_page, site):
    open_formats(plain_page, add_finished(site, saved_model=ExportState.PREPARING))
    plain_page.get_by_label("ONNX").uncheck()
    with plain_page.expect_download() as download:
        plain_page.locator("#download").click()
    assert "model.onnx" not in zipfile.ZipFile(download.value.path()).namelist()


def test_nothing_ticked_is_answered_by_a_page_that_says_so(page, site):
    open_formats(page, add_finished(site))
    page.get_by_label("ONNX").uncheck()
    page.get_by_label("Keras").uncheck()
    page.locator("#download").click()
    expect(page.get_by_text("Tick at least one format.")).to_be_visible()


def test_the_button_tells_the_size_of_what_is_ticked(page, site):
    run_id = add_finished(site)
    change_export(site, run_id, "litert_int8", proof=proof(n_bytes=3_000_000))
    open_formats(page, run_id)
    expect(page.locator("#download-size")).to_have_text(re.compile(r"^\d\.\d kB$"))
    page.get_by_label("LiteRT (TFLite), int8").check()
    expect(page.locator("#download-size")).to_have_text("3.0 MB")


def test_sizes_are_in_the_same_words_as_on_the_server(page, site):
    page.goto(f"/runs/{add_finished(site)}")
    source = page.locator("script[src$='formats.js']").get_attribute("src").replace("formats.js", "sizes.js")
    script = "async ([source, all]) => { const words = await import(source); return all.map(words.sizeInWords) }"
    ties = [1150, 1250, 1350, 1750, 99_250, 100_500, 101_500, 1_250_000, 100_500_000]
    edges = [0, 1, 2, 999, 1000, 40_000, 99_499, 99_500, 999_499, 999_500, 999_499_999, 999_500_000, 10**12]
    random = Random(0)
    anywhere = [int(10 ** random.uniform(0, 12)) for _ in range(2000)]
    sizes = ties + edges + anywhere
    assert page.evaluate(script, [source, sizes]) == [size_in_words(one) for one in sizes]


def test_a_box_opens_when_its_format_is_ready_and_ticks_and_focus_stay(page, site):
    run_id = add_finished(site, litert_int8=ExportState.PREPARING, keras=ExportState.PREPARING)
    open_formats(page, run_id)
    page.get_by_label("LiteRT (TFLite), float32").check()
    page.get_by_label("Keras").uncheck()
    page.get_by_label("Keras").focus()
    expect(page.get_by_label("LiteRT (TFLite), int8")).to_be_disabled()
    for name in ("litert_int8", "keras"):
        change_export(site, run_id, name, proof=proof(), state=ExportState.READY)
    expect(page.get_by_label("LiteRT (TFLite), int8")).to_be_enabled()
    expect(page.locator("#formats-status")).to_contain_text("All 6 formats are ready")
    expect(page.get_by_label("Keras")).to_be_focused()
    expect(page.get_by_label("Keras")).not_to_be_checked()
    expect(page.get_by_label("LiteRT (TFLite), float32")).to_be_checked()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(5000)
    assert asked == []
