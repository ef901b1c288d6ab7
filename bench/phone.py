"""A model in the visitor's browser: `python -m bench.phone MODEL.onnx... [--folder PHOTOS] [--photos 200]`.

Headless Chromium opens the page of each model with an empty cache and asks it about photos of the folder, which
`predict.py` answers, too. Prints JSON for each model: the bytes on the wire of the first visit, the seconds until it is
ready, the time of an answer (the model alone, and from the file), and how the answers differ: from equal pixels, and
from the files, which the browser decodes itself.
"""

import argparse
import base64
import io
import statistics
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from automl.records import DatasetState, RunSettings, RunState
from automl.serving.predict import Classifier, load_image
from automl.settings import load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.tables import Artifact, Base, Dataset, Run
from bench.harness import DATA, report
from server import create_app
from tests.browser.conftest import FLAGS
from tests.reports import made_report

_MOST_BYTES = 1 << 30
_READY_MS = 120_000
_OPEN = """async (folder) => {
  const { Model } = await import(folder + "phone-model.js");
  const { partsOf } = await import(folder + "phone-parts.js");
  const { decoded, squareOf } = await import(folder + "phone-pixels.js");
  const parts = await partsOf(document.getElementById("phone"), () => {});
  const model = await Model.open({ ...parts, threshold: null });
  const bytesIn = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  window.askPixels = async (text) => (await model.ask(bytesIn(text))).probabilities;
  window.askFile = async (text) => {
    const file = new File([bytesIn(text)], "photo.jpg");
    const began = performance.now();
    const photo = await decoded(file);
    const square = squareOf(photo, model.sizePx, model.rules);
    const seen = performance.now();
    const { probabilities } = await model.ask(square);
    return { probabilities, modelMs: performance.now() - seen, wholeMs: performance.now() - began };
  };
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--folder", type=Path, default=DATA / "beans" / "validation", help="photos to ask about")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    photos = some_photos(options.folder, options.photos)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        found = {str(model): measured(browser, model, photos) for model in options.models}
        browser.close()
    report("phone", folder=str(options.folder), models=found)


def some_photos(folder: Path, most: int) -> list[Path]:
    """Spread over the folder, always the same ones."""
    every = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return every[:: max(1, len(every) // most)][:most]


def measured(browser: Browser, path: Path, photos: Sequence[Path]) -> dict[str, Any]:
    with _served(path) as url:
        page = browser.new_context().new_page()
        transferred = _count_bytes(page)
        began = time.perf_counter()
        page.goto(url)
        page.wait_for_selector("#phone[data-state=ready]", state="attached", timeout=_READY_MS)
        ready_s = time.perf_counter() - began
        expect(page.locator("#kept")).not_to_be_empty(timeout=_READY_MS)
        first = sum(transferred)
        script: str = page.evaluate("document.querySelector('script[src]').src")
        page.evaluate(_OPEN, script.removesuffix("phone.js"))
        figures = _compared(page, Classifier(path, n_threads=1), photos)
        page.context.close()
    return {"model_bytes": path.stat().st_size, "first_visit_bytes": first, "ready_s": round(ready_s, 2), **figures}


def _compared(page: Page, classifier: Classifier, photos: Sequence[Path]) -> dict[str, Any]:
    apart, apart_pixels, same, times = [], [], [], []
    for photo in photos:
        square = load_image(photo, classifier.size_px, classifier.rules)
        expected = classifier.predict_arrays(square[np.newaxis])[0]
        seen = page.evaluate("(text) => askPixels(text)", base64.b64encode(square.tobytes()).decode())
        answer = page.evaluate("(text) => askFile(text)", base64.b64encode(photo.read_bytes()).decode())
        apart_pixels.append(float(np.abs(np.array(seen) - expected).max()))
        apart.append(float(np.abs(np.array(answer["probabilities"]) - expected).max()))
        same.append(int(np.argmax(answer["probabilities"])) == int(expected.argmax()))
        times.append((answer["modelMs"], answer["wholeMs"]))
    return {
        "n_photos": len(photos),
        "side_px": classifier.size_px,
        "model_ms": round(statistics.median(model for model, _ in times), 1),
        "photo_ms": round(statistics.median(whole for _, whole in times), 1),
        "largest_difference_from_equal_pixels": max(apart_pixels),
        "same_class": sum(same) / len(same),
        "median_difference_from_files": statistics.median(apart),
        "largest_difference_from_files": max(apart),
    }


def _count_bytes(page: Page) -> list[int]:
    """The bytes on the wire of all requests of the page and its service worker, headers included, as they come."""
    sizes: list[int] = []
    network = page.context.new_cdp_session(page)
    network.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    network.send("Network.enable")
    return sizes


@contextmanager
def _served(model: Path) -> Iterator[str]:
    """The address of the page of this model, on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as home:
        settings = load_settings({"DARKROOM_HOME": home})
        app = create_app(settings, lambda *_: None)
        services = app.extensions["darkroom"]
        Base.metadata.create_all(services.database.engine)
        run_id = _add_run(services.database, services.store, model.read_bytes())
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}/runs/{run_id}/phone/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            services.database.close()


def _add_run(database: Database, store: ArtifactStore, model: bytes) -> str:
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("model.onnx", model)
    bundle.seek(0)
    with database.session() as session:
        dataset = Dataset(name="photos", state=DatasetState.READY)
        session.add(dataset)
        session.flush()
        run = Run(
            dataset_id=dataset.id, state=RunState.DONE, result=made_report(), settings=RunSettings(), budget_s=60.0
        )
        session.add(run)
        session.flush()
        stored = store.write(f"runs/{run.id}", bundle, max_bytes=_MOST_BYTES)
        known = {"kind": "bundle", "name": "model.zip", "media_type": "application/zip"}
        session.add(Artifact(run_id=run.id, key=stored.key, n_bytes=stored.n_bytes, **known))
        return run.id


if __name__ == "__main__":
    main()
