"""The whole job with the mouse: a folder into the page, a trained model out, with the real worker behind it."""

import json
import re
import sys
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_upload_page import drop
from tests.end_to_end.conftest import Stack, photos, run_python, stack  # noqa: F401 - fixtures
from tests.end_to_end.test_whole_job import COUNT_RIGHT

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.slow]

A_SECOND_MS, A_MINUTE_MS = 1_000, 60_000


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:  # noqa: F811
    context = browser.new_context(base_url=stack.url, accept_downloads=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: request.url.startswith(stack.url) or problems.append(request.url))
    yield page
    context.close()
    assert problems == []


def test_a_folder_dropped_into_the_page_becomes_a_model_that_works_elsewhere(page, photos, tmp_path):  # noqa: F811
    page.goto("/")
    drop(page, photos)
    page.wait_for_url("**/datasets/*")
    expect(page.locator("#verdict")).to_contain_text("150 photos, 3 classes", timeout=A_MINUTE_MS)

    page.locator("input[name=budget][value=other]").check()
    page.locator("#minutes").fill("1")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")
    run = page.locator("#run")
    expect(run).to_have_attribute("data-state", "searching", timeout=A_MINUTE_MS)
    expect(page.locator("#best-score")).to_contain_text("%", timeout=A_MINUTE_MS)
    expect(page.locator("#trials tbody tr").first).to_be_visible()
    expect(run).to_have_attribute("data-state", "done", timeout=2 * A_MINUTE_MS)

    expect(page.locator("#sentence")).to_contain_text(re.compile(r"right on \d+ of 60 photos it had never seen"))
    result = page.url
    page.get_by_role("link", name="Details").click()
    pictures = page.locator("figure img")
    expect(pictures.first).to_be_attached()
    assert pictures.count() >= 3
    for i in range(pictures.count()):
        pictures.nth(i).scroll_into_view_if_needed()
        page.wait_for_function(
            "image => image.complete && image.naturalWidth > 0", arg=pictures.nth(i).element_handle()
        )

    page.goto(result)
    with page.expect_download() as download:
        page.locator("#download-now").click()
    download.value.save_as(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path / "model")
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    n_right = int(run_python(sys.executable, "-c", COUNT_RIGHT, photos / "test", folder=tmp_path / "model"))
    assert n_right == metrics["test"]["n_correct"]


def test_cancel_ends_a_run_within_five_seconds_of_the_click(page, photos):  # noqa: F811
    page.goto("/")
    page.set_input_files("#folder-input", photos)
    page.wait_for_url("**/datasets/*")
    page.get_by_role("button", name="Start").click(timeout=A_MINUTE_MS)
    page.wait_for_url("**/runs/*")
    expect(page.locator("#run")).to_have_attribute("data-state", re.compile("preparing|searching"), timeout=A_MINUTE_MS)
    page.locator("#cancel-run").click()
    page.locator("#confirm-cancel").click()
    expect(page.locator("#run")).to_have_attribute("data-state", "cancelled", timeout=5 * A_SECOND_MS)
    expect(page.locator("#cancelled")).to_be_visible()
