"""Headless Chromium in front of a real web server; the tests play the worker."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from automl.records import DatasetState
from automl.records.dataset_summary import read_summary
from automl.settings import load_settings
from automl.store.tables import Base, Dataset, DatasetFile
from server import create_app
from tests.server.conftest import RememberingQueue, World

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a moving picture; whether a page may see it is another matter
]


class Site(World):
    """The running web server and what its worker would do."""

    url = ""

    def finish_check(self, dataset_id: str) -> None:
        """Accepts everything; the folder of a file is its class."""
        with self.database.session() as session:
            dataset = session.get_one(Dataset, dataset_id)
            files = session.query(DatasetFile).filter_by(dataset_id=dataset_id).all()
            labels = [file.name.split("/")[-2] if "/" in file.name else "zipped" for file in files]
            classes = [{"label": label, "n_images": labels.count(label)} for label in sorted(set(labels))]
            parts = {"train": 0, "validation": 0, "test": 0, "unassigned": 0}
            dataset.summary = read_summary(
                {
                    "n_images": len(files),
                    "n_refused": 0,
                    "verdict": f"{len(files)} photos, {len(classes)} classes, ready",
                    "classes": [{**row, **parts} for row in classes],
                    "refused": [],
                    "notes": [],
                }
            )
            dataset.state = DatasetState.READY

    def only_dataset(self) -> Dataset:
        with self.database.session() as session:
            return session.query(Dataset).one()


def not_tried(message: str) -> NoReturn:
    """Skips a test for want of a browser; where browsers are required, as in CI, it fails."""
    if os.environ.get("DARKROOM_REQUIRE_BROWSER") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        not_tried("Chromium is not installed, so the pages were not tried in a browser: sudo apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def environment() -> dict[str, str]:
    """Settings that a test wants different, by environment variable."""
    return {}


def always_closed(app: WSGIApplication) -> WSGIApplication:
    """`app` with answers that are closed also when the browser has reset the connection.

    Werkzeug's server reads what is left of a request before it closes the answer; when that read fails, since the
    browser has gone to another page, a picture's file would stay open and some later test would fail for it.
    """

    def closing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        answer = app(environ, start_response)
        try:
            yield from answer
        finally:  # at the latest when the server lets go of this generator
            if hasattr(answer, "close"):
                answer.close()

    return closing


@pytest.fixture
def site(tmp_path: Path, environment: dict[str, str]) -> Iterator[Site]:
    settings = load_settings({"DARKROOM_HOME": str(tmp_path / "home"), **environment})
    queue = RememberingQueue()
    app = create_app(settings, queue)
    site = Site(app, settings, queue)
    Base.metadata.create_all(site.database.engine)
    server = make_server("127.0.0.1", 0, always_closed(app), threaded=True)
    server.daemon_threads = False  # closing the server then waits for the requests that are under way
    site.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()
    site.database.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page that fails its test if a script broke, the Content-Security-Policy was hurt, or it called elsewhere."""
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.set_default_timeout(10_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: "Content Security Policy" in line.text and problems.append(line.text))
    page.on("request", lambda request: request.url.startswith(site.url) or problems.append(request.url))
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def plain_page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page without JavaScript."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """A folder with two class folders of three photos each."""
    folder = tmp_path / "flowers"
    for label, colour in (("rose", "red"), ("tulip", "yellow")):
        (folder / label).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (8 + i, 8), colour).save(folder / label / f"{i}.png")
    return folder
