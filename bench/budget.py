"""Whether the budget holds from end to end: from pressing Start, or from the command, to the download.

    python -m bench.budget [--photos 100 300 1000 5000 20000] [--budgets 1m 2m] [--through service command]
                           [--resume FILE] [--at-most 9m]

Every set is made of random crops of training photographs of beans, so each photo is another one, of the size that it
would have in life. They are made once for a machine. Through the service the check is over before Start is pressed; the
command checks the photos itself, within its budget. Caches are emptied before each run. Aim: never over by more than
the larger of 10 s and 3 %.
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
from bench.harness import DATA, StackWhenNeeded, report
from bench.series import Key, Series, add_options
from scripts.stack.running import REPOSITORY, RunningStack

SEED = 7
SMALLEST_CROP = 0.6
MOST_OVER_S, MOST_OVER_SHARE = 10.0, 0.03
ENDED = ("done", "failed", "cancelled")
KEPT = Path.home() / ".cache" / "darkroom" / "bench" / "crops"
START_S, UPLOAD_S_PER_PHOTO = 45.0, 0.03
"""Of starting the service, and of sending and checking photos: guesses that decide whether a run still fits."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, nargs="+", default=[100, 300, 1000, 5000, 20000])
    parser.add_argument("--budgets", nargs="+", default=["1m", "2m"])
    parser.add_argument("--through", nargs="+", choices=["service", "command"], default=["service", "command"])
    add_options(parser)
    options = parser.parse_args()
    series = Series.of_options(options)
    keys = [
        {"through": through, "n_photos": n, "budget": budget}
        for n in options.photos
        for through in options.through
        for budget in options.budgets
    ]
    with tempfile.TemporaryDirectory() as scratch, StackWhenNeeded() as service:
        runs = series.runs(keys, _Maker(service, Path(scratch)).run, takes_s=_takes_s)
    report(
        "budget",
        runs=runs,
        n_runs=len(runs),
        n_missing=series.n_missing,
        worst_over_s=max((run["over_s"] for run in runs), default=None),
        n_too_late=sum(not run["holds"] for run in runs),
        aim={"over_s": MOST_OVER_S, "over_share": MOST_OVER_SHARE},
    )


def _takes_s(key: Key) -> float:
    return float(1.2 * parse_duration(key["budget"]) + START_S + UPLOAD_S_PER_PHOTO * key["n_photos"])


def made_of_crops(folder: Path, n: int) -> Path:
    """A folder of `n` photos in as many classes as beans has, of about equal size.

    They are copies of those that are kept for the machine; what is missing of these is made now.
    """
    by_class = [sorted(one.glob("*.jpg")) for one in sorted((DATA / "beans" / "train").iterdir())]
    sources = [source for of_each_class in zip(*by_class, strict=False) for source in of_each_class]
    random = np.random.default_rng(SEED)
    plans = [(sources[i % len(sources)], random.random(3), i) for i in range(n)]
    for label in {source.parent.name for source in sources}:
        (KEPT / label).mkdir(parents=True, exist_ok=True)
        (folder / label).mkdir(parents=True)
    with ThreadPoolExecutor() as threads:
        for kept in threads.map(lambda plan: _crop(*plan), plans):
            shutil.copyfile(kept, folder / kept.parent.name / kept.name)
    return folder


def _crop(source: Path, draw: Sequence[float], number: int) -> Path:
    """The kept file of one crop, made where it is not there yet."""
    kept = KEPT / source.parent.name / f"{number:05}.jpg"
    if kept.exists():
        return kept
    with Image.open(source) as photo:
        share = SMALLEST_CROP + (1 - SMALLEST_CROP) * draw[0]
        width, height = (round(share * side) for side in photo.size)
        left, top = round(draw[1] * (photo.width - width)), round(draw[2] * (photo.height - height))
        crop = photo.crop((left, top, left + width, top + height)).resize(photo.size, Image.Resampling.BICUBIC)
    part = kept.with_suffix(".part")
    crop.save(part, format="JPEG", quality=92)
    part.rename(kept)
    return kept


class _Maker:
    """Makes the runs; a set of photos is made and uploaded once for all of its runs."""

    def __init__(self, service: StackWhenNeeded, scratch: Path) -> None:
        self._service, self._scratch = service, scratch
        self._folders: dict[int, Path] = {}
        self._datasets: dict[int, str] = {}

    def run(self, key: Key) -> dict[str, Any]:
        n, budget = key["n_photos"], key["budget"]
        if n not in self._folders:
            self._folders[n] = made_of_crops(self._scratch / str(n), n)
        if key["through"] == "command":
            return _through_command(self._folders[n], budget, self._scratch)
        service = self._service.started()
        if n not in self._datasets:
            self._datasets[n] = service.upload(self._folders[n], str(n))
        return _through_service(service, self._datasets[n], budget)


def _through_service(service: RunningStack, dataset: str, budget: str) -> dict[str, Any]:
    for file in (service.home / "cache").glob("*.npy"):
        file.unlink()
    pressed_s = time.monotonic()
    run_id = service.start(dataset, budget, SEED)
    while (run := service.run(run_id))["state"] not in ENDED:
        time.sleep(0.25)
    wall_s = time.monotonic() - pressed_s
    if run["state"] != "done":
        raise RuntimeError(f"{budget}: {run}")
    return _figures(budget, wall_s) | {"n_trials": run["result"]["n_trials"], "notes": run["result"]["notes"]}


def _through_command(folder: Path, budget: str, scratch: Path) -> dict[str, Any]:
    home, out = scratch / "home", scratch / "model.zip"
    command = [sys.executable, "-m", "automl.cli", "train", str(folder), "--budget", budget, "--out", str(out)]
    environment = {**os.environ, "DARKROOM_HOME": str(home)}
    began_s = time.monotonic()
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, env=environment)
    wall_s = time.monotonic() - began_s
    shutil.rmtree(home, ignore_errors=True)
    return _figures(budget, wall_s)


def _figures(budget: str, wall_s: float) -> dict[str, Any]:
    over_s = wall_s - parse_duration(budget)
    return {
        "wall_s": round(wall_s, 1),
        "over_s": round(over_s, 1),
        "holds": over_s <= max(MOST_OVER_S, MOST_OVER_SHARE * parse_duration(budget)),
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
