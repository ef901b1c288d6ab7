"""Sets of photos that look alike are trained and tested honestly, through the whole stack."""

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.alike import write_clips, write_gate
from tests.end_to_end.conftest import Stack, upload_folder

pytestmark = [pytest.mark.stack, pytest.mark.slow]


def trained(stack: Stack, dataset_id: str) -> tuple[Any, list[dict[str, str]]]:
    """The finished run, and the rows of its `photos.csv`."""
    asked = {"dataset": dataset_id, "budget": "30s", "max_trials": 1, "seed": 1, "scoring": "held-out"}
    run_id = stack.post("/api/v1/runs", json=asked)["id"]
    run = stack.wait_for(run_id, lambda run: run["state"] == "done", 180)
    response = httpx.get(f"{stack.url}/api/v1/runs/{run_id}/bundle", timeout=60)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return run, list(csv.DictReader(io.StringIO(archive.read("photos.csv").decode())))


@pytest.mark.parametrize(("write", "n_tested"), [(write_gate, 8), (write_clips, 16)])
def test_photos_that_look_alike_give_a_model_and_an_honest_test(
    stack: Stack, tmp_path: Path, write: Callable[[Path], None], n_tested: int
) -> None:
    write(tmp_path / "photos")
    run, photos = trained(stack, upload_folder(stack, tmp_path / "photos"))
    assert run["result"]["test"]["n_images"] >= n_tested
    assert {row["part"] for row in photos} == {"learn", "test"}
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for row in photos:
        parts[row["clip"] or row["photo"]].add(row["part"])
    assert all(len(of_clip) == 1 for of_clip in parts.values())
    low, high = run["result"]["test"]["interval_95"]
    assert low <= run["result"]["test"]["accuracy"] <= high
    if write is write_clips:
        assert len(parts) == 12 and high - low > 0.3  # four clips are tested, whatever their frames
