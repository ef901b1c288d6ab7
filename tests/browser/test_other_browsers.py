"""The main journey in Firefox and WebKit: photos, a result, an answer, and the model in the browser itself."""

import base64
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from automl.records import RunState
from automl.serving.predict import PhotoRules, load_image
from automl.store.database import find_run
from tests.automl.serving.tiny_model import tiny_model
from tests.browser.conftest import Site, not_tried
from tests.browser.test_phone_heat import half_red
from tests.browser.test_phone_page import PHOTOS, RULES, SQUARE, OtherServer, contracted
from tests.browser.test_try_page import CAMERA
from tests.browser.webdriver import Firefox, NotInstalled, WebDriver, WebKit
from tests.reports import made_report
from tests.server.conftest import zip_of
from tests.server.pages.test_runs import RESULT
from tests.server.trying import add_tried_run, noise

pytestmark = pytest.mark.browser

READY = "document.querySelector('#phone[data-state=ready]')"
KEPT = "Kept on this device: the page works without a network from now on."


@pytest.fixture(scope="module", params=[Firefox, WebKit], ids=lambda kind: kind.__name__)
def driver(request: pytest.FixtureRequest) -> Iterator[WebDriver]:
    with tempfile.TemporaryDirectory(prefix="darkroom-browser-") as profile:
        try:
            driver = request.param(Path(profile))
        except NotInstalled as error:
            not_tried(f"{error}, so the main journey was not tried in it.")
        yield driver
        driver.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "half.png"
    path.write_bytes(half_red())
    return path


@pytest.fixture
def model() -> bytes:
    return contracted(tiny_model())


def end_run(site: Site, run_id: str, model: bytes) -> None:
    """As the worker would."""
    with site.database.session() as session:
        run = find_run(session, run_id)
        run.state, run.result = RunState.DONE, made_report(**RESULT)
    site.add_artifact(run_id, "bundle", zip_of(**{"model.onnx": model}), "model.zip", "application/zip")


def test_from_photos_to_a_result_and_an_answer(
    driver: WebDriver, site: Site, tmp_path: Path, photo: Path, model: bytes
):
    archive = tmp_path / "flowers.zip"
    archive.write_bytes(zip_of(**{f"flowers/{kind}/{i}.png": noise(i) for kind in ("rose", "tulip") for i in range(3)}))
    driver.goto(site.url)
    driver.choose_files("#zip-input", [archive])
    driver.wait_for("location.pathname.startsWith('/datasets/')")
    site.finish_check(site.only_dataset().id)
    driver.wait_for("document.querySelector('#start-run')")
    driver.click("#start-run")
    driver.wait_for("location.pathname.startsWith('/runs/')")
    run_id = site.queue.sent[-1][1]
    end_run(site, run_id, model)
    driver.goto(f"{site.url}/runs/{run_id}")
    assert "right on" in driver.text("#sentence")
    driver.click("#try-it")
    driver.wait_for("location.pathname.endsWith('/try') && document.readyState === 'complete'")
    driver.choose_files("#photos-input", [photo])
    driver.wait_for_text("article", "red")


def open_phone_page(driver: WebDriver, url: str) -> None:
    driver.goto(url)
    driver.wait_for(READY)


def ask(driver: WebDriver, photo: Path) -> None:
    driver.choose_files("#photos-input", [photo])
    driver.wait_for_text("#answers .answer-words", "It says red")


def test_the_model_runs_in_the_browser_also_without_a_network(
    driver: WebDriver, site: Site, photo: Path, model: bytes
) -> None:
    run_id = add_tried_run(site, model=model)
    server = OtherServer(site.app)
    try:
        open_phone_page(driver, f"{server.url}/runs/{run_id}/phone/")
        driver.wait_for_text("#kept", KEPT)
        ask(driver, photo)
        driver.click("#answers .show-heat")
        driver.wait_for_text("#answers .heat-words", "Bright areas speak for red")
        driver.evaluate(f"({CAMERA})();")
        driver.click("#use-camera")
        driver.wait_for_text("#camera-says", "It says blue")
    finally:
        server.end()
    open_phone_page(driver, f"{server.url}/runs/{run_id}/phone/")
    ask(driver, photo)


def test_the_one_file_works_from_a_disk(
    driver: WebDriver, site: Site, photo: Path, model: bytes, tmp_path: Path
) -> None:
    run_id = add_tried_run(site, model=model)
    file = tmp_path / "model.html"
    file.write_bytes(site.app.test_client().get(f"/runs/{run_id}/phone/page.html").data)
    open_phone_page(driver, file.as_uri())
    ask(driver, photo)
    driver.click("#answers .show-heat")
    driver.wait_for_text("#answers .heat-words", "Bright areas speak for red")


def test_pixels_are_those_of_predict_py(driver: WebDriver, site: Site, model: bytes) -> None:
    """Also where a browser does not let itself be told to leave the colours alone."""
    driver.goto(f"{site.url}/runs/{add_tried_run(site, model=model)}/phone/")
    address = driver.evaluate("return document.querySelector('script[src]').src;").replace(
        "phone.js", "phone-pixels.js"
    )
    rules = {"version": 2, "aspect": "squeeze", "background": 255}
    apart = {}
    for name, make in PHOTOS.items():
        content = make()
        asked = [address, base64.b64encode(content).decode(), 224, rules]
        square = np.frombuffer(base64.b64decode(driver.evaluate(f"return ({SQUARE})(arguments[0]);", asked)), np.uint8)
        expected = load_image(io.BytesIO(content), 224, PhotoRules.read(RULES["squeeze"].json_text()))
        apart[name] = int(np.abs(square.astype(int) - expected.ravel()).max())
    assert {name: most for name, most in apart.items() if most > ("tall" in name)} == {}


def test_photos_that_it_cannot_read_are_refused_in_words(
    driver: WebDriver, site: Site, model: bytes, tmp_path: Path
) -> None:
    files = {"a.tif": b"II*\0" + bytes(60), "b.png": noise(0)[:-500], "c.png": b"words"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    open_phone_page(driver, f"{site.url}/runs/{add_tried_run(site, model=model)}/phone/")
    driver.choose_files("#photos-input", [tmp_path / name for name in files])
    driver.wait_for("document.querySelectorAll('#answers article').length === 3")
    said = driver.evaluate(
        "return [...document.querySelectorAll('#answers .answer-words')].map((one) => one.textContent);"
    )
    assert [words.split(":")[0].split(".")[0] for words in reversed(said)] == [
        "Browsers cannot read TIFF",
        "This photo is damaged or too large",
        "No photo that it can read",
    ]
