"""The main job with the real parts: upload over HTTP, train with the worker, download, and use elsewhere."""

import io
import os
import signal
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.conftest import Stack, run_python, running_stack, start_run, upload_folder
from tests.worker.conftest import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

COUNT_RIGHT = """
import json, sys
from pathlib import Path
import keras, numpy
from predict import load_image
metrics = json.loads(Path("metrics.json").read_text())
labels = Path("labels.txt").read_text().splitlines()
paths = sorted(Path(sys.argv[1]).rglob("*.jpg"))
images = numpy.stack([load_image(path, metrics["winner"]["image_size_px"]) for path in paths])
best = keras.models.load_model("model.keras").predict(images.astype("float32"), verbose=0).argmax(axis=1)
print(sum(labels[i] == path.parent.name for i, path in zip(best, paths)))
"""


def test_a_folder_in_gives_a_model_out(finished_run: Any, bundle: Path) -> None:
    names = {path.name for path in bundle.iterdir()}
    assert {"model.keras", "model.onnx", "labels.txt", "metrics.json", "predict.py", "requirements.txt"} <= names
    assert len(list((bundle / "plots").glob("*.png"))) >= 3
    assert (bundle / "labels.txt").read_text().split() == ["checks", "dots", "stripes"]
    assert finished_run["n_trials"] >= 2


def test_the_budget_ends_the_run_also_while_other_tests_take_both_cores(finished_run: Any) -> None:
    """To within ten seconds on a machine that is not overloaded, which `bench.end_to_end` measures."""
    assert finished_run["used_s"] < finished_run["budget_s"] + 45


def test_a_fresh_process_gets_the_reported_accuracy_again(finished_run: Any, bundle: Path, photos: Path) -> None:
    """From the original photos, with the model that the user has in hand."""
    reported = finished_run["result"]["test"]
    n_correct = int(run_python(sys.executable, "-c", COUNT_RIGHT, photos / "test", folder=bundle))
    assert reported["n_images"] == 60
    assert n_correct == reported["n_correct"]
    assert n_correct / 60 > reported["baseline_accuracy"] + 0.2


def test_one_request_with_an_archive_starts_a_run_that_stop_ends_with_a_model(stack: Stack, photos: Path) -> None:
    run = stack.post("/api/v1/runs", files={"archive": ("p.zip", zipped(photos))}, data={"budget": "10m"})
    stack.wait_for(run["id"], lambda run: run["state"] == "searching" and run["bundle"] is not None, 120)
    clicked_s = time.monotonic()
    stack.post(f"/api/v1/runs/{run['id']}/stop")
    stack.wait_for(run["id"], lambda run: run["state"] in ("finishing", "done"), 30)
    assert time.monotonic() - clicked_s < 5
    done = stack.wait_for(run["id"], lambda run: run["state"] == "done", 180)
    assert done["bundle"]["final"]


def test_cancel_ends_a_run_within_five_seconds_and_leaves_the_worker_free(stack: Stack, dataset_id: str) -> None:
    run_id = start_run(stack, dataset_id, "10m")
    stack.wait_for(run_id, lambda run: run["state"] == "searching", 90)
    clicked_s = time.monotonic()
    stack.post(f"/api/v1/runs/{run_id}/cancel")
    wait_until(lambda: stack.run(run_id)["state"] == "cancelled")
    assert time.monotonic() - clicked_s < 5
    assert pipelines_of(run_id) == []
    assert not (stack.home / "work" / run_id).exists()


def test_a_killed_pipeline_fails_its_run_in_plain_words_and_the_next_one_is_served(
    stack: Stack, dataset_id: str
) -> None:
    run_id = start_run(stack, dataset_id, "10m")
    following = start_run(stack, dataset_id, "10m")
    stack.wait_for(run_id, lambda run: run["state"] != "queued" and bool(pipelines_of(run_id)), 60)
    for pid in pipelines_of(run_id):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: stack.run(run_id)["state"] == "failed")
    error = stack.run(run_id)["error"]
    assert "memory" in error["message"]
    assert "Traceback" not in error["message"]
    stack.wait_for(following, lambda run: run["state"] != "queued", 20)
    stack.post(f"/api/v1/runs/{following}/cancel")


def test_sample_images_are_made_and_trained_on(stack: Stack) -> None:
    page = httpx.post(f"{stack.url}/samples", timeout=20)
    assert page.status_code == 303
    run_id = page.headers["Location"].rpartition("/")[2]
    stack.wait_for(run_id, lambda run: run["state"] == "searching", 90)
    stack.post(f"/api/v1/runs/{run_id}/cancel")


def test_a_run_goes_on_after_everything_was_stopped_and_started_again(tmp_path: Path, photos: Path) -> None:
    with running_stack(tmp_path / "home") as first:
        run_id = start_run(first, upload_folder(first, photos), "10m")
        first.wait_for(run_id, lambda run: run["n_trials"] >= 3, 120)
    assert pipelines_of(run_id) == []
    with running_stack(tmp_path / "home") as second:
        before = second.run(run_id)
        after = second.wait_for(run_id, lambda run: run["n_trials"] > before["n_trials"], 120)
    assert before["n_trials"] >= 3
    assert after["used_s"] > before["used_s"] > 1
    assert any("continued" in note for note in after["notes"])
    assert pipelines_of(run_id) == []


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*.jpg")):
            archive.write(path, path.relative_to(folder.parent))
    return buffer.getvalue()


def pipelines_of(run_id: str) -> list[int]:
    """Processes that work on the run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        if b"automl.pipeline" in command and run_id.encode() in command:
            found.append(int(entry.name))
    return found
