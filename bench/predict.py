"""Milliseconds for one 12-megapixel JPEG, from the request to the answer, over loopback HTTP.

    python -m bench.predict [--model MODEL.zip] [--n 60]

The web server is a process of its own, gunicorn as in production. In the same run its two physical parts are timed
alone: Pillow decoding the JPEG, and ONNX Runtime. What is left is the cost of the service. Without --model, a head of
random numbers on MobileNetV2 is asked: speed does not depend on the numbers.
"""

import argparse
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

from automl.records import RunSettings, RunState
from automl.serving.predict import Classifier, open_rgb, resize_square
from automl.settings import load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.tables import Artifact, Dataset, Run
from bench.harness import report

PHOTO_SIZE = (4000, 3000)
N_THREADS = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a download of Darkroom's")
    parser.add_argument("--n", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        model = bundled(options.model) if options.model else random_model(Path(folder))
        photo = _photo()
        classifier = Classifier(model, N_THREADS)
        square = resize_square(open_rgb(io.BytesIO(photo)), classifier.size_px)[np.newaxis]
        with served(Path(folder), model) as server, httpx.Client(trust_env=False) as session:
            works = _requests(session, f"{server.url}/api/v1/runs/{server.run_id}/predict", photo) | {
                "decode_alone": lambda: open_rgb(io.BytesIO(photo)),
                "onnxruntime_alone": lambda: classifier.predict_arrays(square),
            }
            times = _timed(works, options.n)
    report("predict", photo_bytes=len(photo), model_bytes=len(model), **times)


def _requests(session: httpx.Client, url: str, photo: bytes) -> dict[str, Callable[[], object]]:
    """Ways to ask. What is sent is made once: that is the client's work, and every client's is another."""
    form = httpx.Request("POST", url, files={"photos": ("photo.jpg", photo)})

    def ask(query: str, body: Any, content_type: str) -> None:
        session.post(url + query, content=body, headers={"Content-Type": content_type}, timeout=60).raise_for_status()

    return {
        "end_to_end": partial(ask, "", form.read(), form.headers["Content-Type"]),
        "end_to_end_without_a_form": partial(ask, "", photo, "image/jpeg"),
        "end_to_end_with_heat_map": partial(ask, "?heat=1", form.read(), form.headers["Content-Type"]),
    }


@dataclass(frozen=True, slots=True)
class Served:
    """A web server that has one finished run.

    Attributes:
        url: Its address.
        run_id: The run.
        process_id: Of the process that starts the one that answers.
    """

    url: str
    run_id: str
    process_id: int


@contextmanager
def served(home: Path, model: bytes) -> Iterator[Served]:
    """A server that `model` can be asked on."""
    environment = {**os.environ, "DARKROOM_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    run_id = _add_run(home, model)
    address = home / "address"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "server:serve()",
        "--worker-class",
        "server.gunicorn_worker.GuardedWorker",
        "--workers",
        "1",
    ]
    command += ["--threads", "16", "--no-control-socket", "--bind", "127.0.0.1:0"]
    with address.open("w") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        yield Served(_address(address, process), run_id, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    while process.poll() is None:
        for word in log.read_text().split():
            if urlsplit(word).port:
                return word
        time.sleep(0.1)
    raise RuntimeError(f"The web server did not start: {log.read_text()[-500:]}")


def _add_run(home: Path, model: bytes) -> str:
    settings = load_settings({"DARKROOM_HOME": str(home)})
    database, store = Database(settings.database_url), ArtifactStore(settings.files_dir)
    database.migrate()
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("model.onnx", model)
    bundle.seek(0)
    stored = store.write("runs/bench", bundle, max_bytes=1 << 30)
    asked = RunSettings()
    with database.session() as session:
        dataset = Dataset(name="bench")
        run = Run(dataset=dataset, state=RunState.DONE, settings=asked, budget_s=asked.budget_s)
        found = {"name": "model.zip", "media_type": "application/zip", "key": stored.key, "n_bytes": stored.n_bytes}
        run.artifacts = [Artifact(kind="bundle", **found)]
        session.add(run)
        session.flush()
        run_id = run.id
    database.close()
    return run_id


def _timed(works: dict[str, Callable[[], object]], n: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each, in turns: a machine that grows slower meanwhile is slower for all of them."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(n + 1):
        for name, work in works.items():
            before = time.perf_counter()
            work()
            if turn:  # the first one opens the model
                times[name].append(1000 * (time.perf_counter() - before))
    return {
        name: {"p50_ms": round(float(np.median(found)), 1), "p95_ms": round(float(np.percentile(found, 95)), 1)}
        for name, found in times.items()
    }


def _photo() -> bytes:
    """As much detail as a camera's photo has: about 4 MB at quality 90."""
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize(PHOTO_SIZE)
    pixels = np.asarray(image, np.int16) + random.integers(-12, 13, (*PHOTO_SIZE[::-1], 3), dtype=np.int16)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def bundled(path: Path) -> bytes:
    """The `model.onnx` of a download."""
    with zipfile.ZipFile(path) as bundle:
        return bundle.read("model.onnx")


def random_model(folder: Path) -> bytes:
    """A head of random numbers on MobileNetV2, 224 px: speed does not depend on the numbers."""
    from automl.delivery.exporter import Exporter
    from automl.models.weights.cache import installed
    from automl.records import ServingContract
    from automl.search.candidate import Branch
    from automl.search.space import SEVERAL_TAPS
    from tests.automl.evaluation.candidates import candidate, member

    weights = installed(load_settings().weights_dir)
    model = candidate([member(weights, [Branch("mobilenet_v2", 224)], SEVERAL_TAPS)], 224)
    Exporter(weights, ("a", "b", "c"), folder, contract=ServingContract()).write_onnx(model, folder / "model.onnx")
    return (folder / "model.onnx").read_bytes()


if __name__ == "__main__":
    main()
