"""The formats of a finished run, made by the worker while nobody waits."""

import io
import json
import time
import zipfile
from typing import Any

import httpx
import pytest

from automl.formats import FORMATS
from tests.end_to_end.conftest import Stack
from tests.worker.conftest import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def exports(stack: Stack, finished_run: Any) -> list[Any]:
    """The rows of the finished run once nothing is being prepared any more."""
    deadline = time.monotonic() + 500
    while any(row["state"] == "preparing" for row in rows(stack, finished_run["id"])):
        assert time.monotonic() < deadline, rows(stack, finished_run["id"])
        time.sleep(1)
    return rows(stack, finished_run["id"])


def rows(stack: Stack, run_id: str) -> list[Any]:
    found: list[Any] = stack.get(f"/api/v1/runs/{run_id}/exports")["exports"]
    return found


def test_every_format_becomes_ready_and_is_proven_on_the_test_photos(exports: list[Any], finished_run: Any) -> None:
    assert [(row["format"], row["state"], row["message"]) for row in exports] == [
        (one.name, "ready", "") for one in FORMATS
    ]
    test = finished_run["result"]["test"]
    for row in exports:
        tolerance = next(one.tolerance for one in FORMATS if one.name == row["format"])
        is_near = abs(row["proof"]["accuracy"] - test["accuracy"]) <= tolerance
        assert row["proof"]["is_true"] == is_near
    # Rounded weights may turn one photo, which of so few is more than the bound; the others have no excuse.
    rounded = ("litert_float16", "litert_int8")
    assert all(row["proof"]["is_true"] for row in exports if row["format"] not in rounded)


def test_the_download_tells_of_them_and_its_models_are_those_of_before(
    stack: Stack, exports: list[Any], finished_run: Any, bundle: Any
) -> None:
    told = stack.run(finished_run["id"])
    assert [row["format"] for row in told["result"]["exports"]] == [one.name for one in FORMATS]
    answer = httpx.get(f"{stack.url}/api/v1/runs/{finished_run['id']}/bundle", timeout=60)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("metrics.json"))["exports"] == told["result"]["exports"]
        assert exports[-1]["proof"]["words"] in archive.read("report.html").decode()
        for name in ("model.onnx", "model.keras", "photos.csv", "labels.txt"):
            assert archive.read(name) == (bundle / name).read_bytes()


def test_their_making_leaves_no_scratch_files(stack: Stack, exports: list[Any], finished_run: Any) -> None:
    # Other runs of this server may have theirs; that of the last format goes a moment after it is ready.
    wait_until(lambda: not (stack.home / "work" / f"export-{finished_run['id']}").exists(), 30)
    assert (stack.home / "logs" / f"export-{finished_run['id']}.log").exists()
