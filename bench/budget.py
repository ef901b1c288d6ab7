"""Whether the budget holds from end to end: from pressing Start, or from the command, to the download.

    python -m bench.budget [--photos 100 1000 5000] [--budgets 1m 2m] [--through service command]

Every set is made of random crops of training photographs of beans, so each photo is another one, of the size that it
would have in life. Through the service the check is over before Start is pressed; the command checks the photos itself,
within its budget. Caches are emptied before each run. Aim: never over by more than the larger of 10 s and 3 %.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from automl.text.durations import parse_duration
from bench.harness import DATA, report
from scripts.stack.running import REPOSITORY, RunningStack, running_stack

SEED = 7
SMALLEST_CROP = 0.6
MOST_OVER_S, MOST_OVER_SHARE = 10.0, 0.03
ENDED = ("done", "failed", "cancelled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--budgets", nargs="+", default=["1m", "2m"])
    parser.add_argument("--through", nargs="+", choices=["service", "command"], default=["service", "command"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, running_stack() as service:
        runs = []
        for n in options.photos:
            folder = made_of_crops(Path(scratch) / str(n), n)
            if "service" in options.through:
                runs += _through_service(service, folder, options.budgets)
            if "command" in options.through:
                runs += [_through_command(folder, budget, Path(scratch)) for budget in options.budgets]
            shutil.rmtree(folder)
    report(
        "budget",
        runs=runs,
        n_runs=len(runs),
        worst_over_s=max(run["over_s"] for run in runs),
        n_too_late=sum(not run["holds"] for run in runs),
        aim={"over_s": MOST_OVER_S, "over_share": MOST_OVER_SHARE},
    )


def made_of_crops(folder: Path, n: int) -> Path:
    """A folder of `n` photos in as many classes as beans has, of about equal size."""
    by_class = [sorted(one.glob("*.jpg")) for one in sorted((DATA / "beans" / "train").iterdir())]
    sources = [source for of_each_class in zip(*by_class, strict=False) for source in of_each_class]
    random = np.random.default_rng(SEED)
    plans = [(sources[i % len(sources)], random.random(3), i) for i in range(n)]
    for label in {source.parent.name for source in sources}:
        (folder / label).mkdir(parents=True)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda plan: _crop(folder, *plan), plans))
    return folder


def _crop(folder: Path, source: Path, draw: Sequence[float], number: int) -> None:
    with Image.open(source) as photo:
        share = SMALLEST_CROP + (1 - SMALLEST_CROP) * draw[0]
        width, height = (round(share * side) for side in photo.size)
        left, top = round(draw[1] * (photo.width - width)), round(draw[2] * (photo.height - height))
        crop = photo.crop((left, top, left + width, top + height)).resize(photo.size, Image.Resampling.BICUBIC)
        crop.save(folder / source.parent.name / f"{number:05}.jpg", quality=92)


def _through_service(service: RunningStack, folder: Path, budgets: Sequence[str]) -> list[dict[str, Any]]:
    dataset = service.upload(folder, folder.name)
    runs = []
    for budget in budgets:
        for file in (service.home / "cache").glob("*.npy"):
            file.unlink()
        pressed_s = time.monotonic()
        run_id = service.start(dataset, budget, SEED)
        while (run := service.run(run_id))["state"] not in ENDED:
            time.sleep(0.25)
        wall_s = time.monotonic() - pressed_s
        if run["state"] != "done":
            raise RuntimeError(f"{folder.name} photos, {budget}: {run}")
        result = run["result"]
        runs.append(
            _figures("service", folder, budget, wall_s=wall_s, n_trials=result["n_trials"]) | {"notes": result["notes"]}
        )
    return runs


def _through_command(folder: Path, budget: str, scratch: Path) -> dict[str, Any]:
    home, out = scratch / "home", scratch / "model.zip"
    command = [sys.executable, "-m", "automl.cli", "train", str(folder), "--budget", budget, "--out", str(out)]
    environment = {**os.environ, "DARKROOM_HOME": str(home)}
    began_s = time.monotonic()
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, env=environment)
    wall_s = time.monotonic() - began_s
    shutil.rmtree(home, ignore_errors=True)
    return _figures("command", folder, budget, wall_s=wall_s, n_trials=None)


def _figures(through: str, folder: Path, budget: str, *, wall_s: float, n_trials: int | None) -> dict[str, Any]:
    budget_s = parse_duration(budget)
    over_s = wall_s - budget_s
    return {
        "through": through,
        "n_photos": int(folder.name),
        "budget_s": budget_s,
        "wall_s": round(wall_s, 1),
        "over_s": round(over_s, 1),
        "holds": over_s <= max(MOST_OVER_S, MOST_OVER_SHARE * budget_s),
        "n_trials": n_trials,
    }


if __name__ == "__main__":
    main()
