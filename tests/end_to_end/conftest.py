"""The real stack on a free port with a home of its own, a small folder of photos, and one finished job."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.patterns import write_patterns

REPOSITORY = Path(__file__).parents[2]
N_FILES_A_REQUEST = 25


@dataclass
class Stack:
    """A running launcher and its address."""

    home: Path
    process: "subprocess.Popen[bytes]"
    url: str

    def get(self, path: str) -> Any:
        response = httpx.get(f"{self.url}{path}", timeout=20)
        assert response.is_success, response.text
        return response.json()

    def post(self, path: str, **arguments: Any) -> Any:
        response = httpx.post(f"{self.url}{path}", timeout=60, **arguments)
        assert response.is_success, response.text
        return response.json()

    def run(self, run_id: str) -> Any:
        return self.get(f"/api/v1/runs/{run_id}")

    def wait_for(self, run_id: str, holds: Callable[[Any], bool], timeout_s: float) -> Any:
        """The run's record as soon as `holds` is true of it."""
        deadline = time.monotonic() + timeout_s
        while not holds(run := self.run(run_id)):
            assert run["state"] not in ("done", "failed", "cancelled"), f"{run['state']}: {run['error']}"
            assert time.monotonic() < deadline, f"still {run['state']} ({run['activity']}) after {timeout_s} s"
            time.sleep(0.2)
        return run


@contextmanager
def running_stack(home: Path) -> Iterator[Stack]:
    """Starts everything, and stops it again as a person at the terminal would."""
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "scripts.stack", "--home", str(home), "--port", "0"]
    with (home / "stack.out").open("ab") as output:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=output)
    try:
        yield Stack(home, process, _wait_for_address(home, process))
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def _wait_for_address(home: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + 90
    while not (home / "address").exists():
        assert process.poll() is None, (home / "stack.out").read_text()
        assert time.monotonic() < deadline, (home / "stack.out").read_text()
        time.sleep(0.1)
    return (home / "address").read_text().strip()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack") / "home") as stack:
        yield stack


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`patterns/{train,test}/{checks,dots,stripes}/*.jpg`, noisy enough that no model is always right."""
    folder = tmp_path_factory.mktemp("photos") / "patterns"
    write_patterns(folder, n_train=30, n_test=20)
    return folder


def upload_folder(stack: Stack, folder: Path) -> str:
    """Sends a folder as the page does, in several requests; the id of the data set once it is checked."""
    dataset_id: str = stack.post("/api/v1/datasets", json={"name": folder.name})["id"]
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for start in range(0, len(paths), N_FILES_A_REQUEST):
        batch = paths[start : start + N_FILES_A_REQUEST]
        files = [("files", (str(path.relative_to(folder.parent)), path.read_bytes())) for path in batch]
        received = stack.post(f"/api/v1/datasets/{dataset_id}/files", files=files)
        assert received == {"received": len(batch), "refused": []}
    stack.post(f"/api/v1/datasets/{dataset_id}/check")
    deadline = time.monotonic() + 60
    while (dataset := stack.get(f"/api/v1/datasets/{dataset_id}"))["state"] != "ready":
        assert dataset["state"] == "checking", dataset
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return dataset_id


def start_run(stack: Stack, dataset_id: str, budget: str) -> str:
    started = stack.post("/api/v1/runs", json={"dataset": dataset_id, "budget": budget, "seed": 1})
    run_id: str = started["id"]
    return run_id


@pytest.fixture(scope="session")
def dataset_id(stack: Stack, photos: Path) -> str:
    return upload_folder(stack, photos)


@pytest.fixture(scope="session")
def finished_run(stack: Stack, dataset_id: str) -> Any:
    """The record of a run that has ended well."""
    return stack.wait_for(start_run(stack, dataset_id, "75s"), lambda run: run["state"] == "done", 180)


@pytest.fixture(scope="session")
def bundle(stack: Stack, finished_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the finished run's download was unpacked."""
    response = httpx.get(f"{stack.url}/api/v1/runs/{finished_run['id']}/bundle", timeout=60)
    assert response.is_success, response.text
    folder = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        archive.extractall(folder)
    return folder


def run_python(python: Path | str, *arguments: object, folder: Path) -> str:
    """What a fresh interpreter prints that knows nothing of this repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DARKROOM"))}
    command = [str(python), *(str(argument) for argument in arguments)]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout
