"""What whole runs promise where nothing can be learned: the labels of their photos are dealt out at random.

    python -m bench.permuted_runs [--draws 10] [--of-each 20 30] [--budget 1m] [--data beans hymenoptera]
                                  [--resume FILE] [--at-most 9m]

So many photos of each class are drawn from the training photographs, and put into class folders at random, in equal
numbers. The command trains on them as on any folder, so the proposals of the search, which are adapted to what it has
seen, are part of what is measured. Every photo is tested by a model that has not seen it, and the truth is chance: a
promise above it is the optimism of the whole run. Aim: less than one point on average, and the 95 % interval holds
chance in 92 to 99 % of the runs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl.delivery.bundle import REPORT_NAME
from automl.records.report import read_run_report
from automl.text.durations import parse_duration
from bench.harness import DATA, report
from bench.series import Key, Series, add_options
from bench.small_sets import FOLDERS
from scripts.stack.running import REPOSITORY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10, help="of each size and set")
    parser.add_argument("--of-each", type=int, nargs="+", default=[20, 30], help="photos of each class")
    parser.add_argument("--budget", default="1m")
    parser.add_argument("--data", nargs="+", default=list(FOLDERS), choices=list(FOLDERS))
    add_options(parser)
    options = parser.parse_args()
    series = Series.of_options(options)
    rows = []
    for name in options.data:
        for n in options.of_each:
            keys = [
                {"data": name, "of_each": n, "budget": options.budget, "seed": seed} for seed in range(options.draws)
            ]
            runs = series.runs(keys, promised, takes_s=lambda key: 1.5 * parse_duration(key["budget"]))
            rows += [{"data": name, "of_each": n, **figures(runs)}] if runs else []
    report("permuted_runs", rows=rows, n_missing=series.n_missing)


def promised(key: Key) -> dict[str, Any]:
    """What one run promises, and the chance that is the truth."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, out = Path(scratch) / "photos", Path(scratch) / "model.zip"
        n_classes = permuted_folder(folder, key["data"], key["of_each"], key["seed"])
        command = [sys.executable, "-m", "automl.cli", "train", str(folder), "--budget", key["budget"]]
        command += ["--seed", str(key["seed"]), "--out", str(out)]
        environment = {**os.environ, "DARKROOM_HOME": str(Path(scratch) / "home")}
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, env=environment, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{key}: {done.stderr or done.stdout}")
        shutil.unpack_archive(out, Path(scratch) / "model")
        (path,) = (Path(scratch) / "model").rglob(REPORT_NAME)
        told = read_run_report(json.loads(path.read_bytes()))
    return {
        "promise": told.score.accuracy,
        "lower": told.score.interval_95[0],
        "upper": told.score.interval_95[1],
        "chance": 1 / n_classes,
        "n_trials": told.n_trials,
    }


def permuted_folder(folder: Path, name: str, of_each: int, seed: int) -> int:
    """Copies photos into class folders at random, as many into each; returns the number of classes."""
    random = np.random.default_rng(seed)
    by_class: dict[str, list[Path]] = {}
    for part in FOLDERS[name]["training"]:
        for photo in sorted((DATA / name / part).glob("*/*.jpg")):
            by_class.setdefault(photo.parent.name, []).append(photo)
    drawn = [photos[i] for photos in by_class.values() for i in random.choice(len(photos), of_each, replace=False)]
    for i, photo in enumerate(random.permutation(np.array(drawn, dtype=object))):
        target = folder / list(by_class)[i % len(by_class)]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo, target / f"{i:03}.jpg")
    return len(by_class)


def figures(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of the runs of one row: by how many points the promise is too high, and how often its interval holds chance."""
    over = np.array([run["promise"] - run["chance"] for run in runs])
    return {
        "n_runs": len(runs),
        "n_trials": round(float(np.median([run["n_trials"] for run in runs]))),
        "promise": round(100 * float(np.mean([run["promise"] for run in runs])), 1),
        "over_points": round(100 * float(over.mean()), 2),
        "over_points_error": round(100 * float(over.std(ddof=1)) / len(over) ** 0.5, 2) if len(over) > 1 else None,
        "interval_holds": round(float(np.mean([run["lower"] <= run["chance"] <= run["upper"] for run in runs])), 3),
    }


if __name__ == "__main__":
    main()
