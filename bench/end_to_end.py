"""The main job through the running service: accuracy, time and memory.

    python -m bench.end_to_end [--seeds 3] [--budget 2m] [--data beans hymenoptera] [--resume FILE] [--at-most 9m]

beans: its official test folder is the test set. hymenoptera: only `train/` is uploaded; the delivered bundle's own
predict.py code is then scored on `val/`, which the service never saw.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from automl.evaluation.intervals import wilson_interval
from automl.serving.predict import Classifier
from automl.text.durations import parse_duration
from bench.harness import DATA, StackWhenNeeded, report
from bench.series import Key, Series, add_options
from scripts.stack.running import REPOSITORY, RunningStack

START_S = 60.0  # of starting the service and checking the photos; a guess that decides whether a run still fits
FOLDERS = {"beans": DATA / "beans", "hymenoptera": DATA / "hymenoptera" / "train"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", default="2m")
    parser.add_argument("--data", nargs="+", choices=FOLDERS, default=list(FOLDERS))
    add_options(parser)
    options = parser.parse_args()
    series, budget = Series.of_options(options), options.budget
    found: dict[str, list[dict[str, Any]]] = {}
    with StackWhenNeeded() as service:
        maker = _Maker(service)
        for name in options.data:
            keys = [{"data": name, "budget": budget, "seed": seed} for seed in range(options.seeds)]
            found[name] = series.runs(keys, maker.run, takes_s=lambda _key: 1.1 * parse_duration(budget) + START_S)
    report(
        "end_to_end",
        budget=budget,
        n_missing=series.n_missing,
        **{name: _summary(runs) for name, runs in found.items() if runs},
        web_process_peak_mb=max((run["web_process_peak_mb"] for runs in found.values() for run in runs), default=None),
        import_server_s=import_server_s(),
        targets={
            "beans_accuracy": {"2m": 0.925, "10m": 0.94},
            "hymenoptera_accuracy": {"2m": 0.94},
            "seconds_over_budget": 10,
            "web_process_peak_mb": 200,
            "import_server_s": 2,
        },
    )


def import_server_s(n: int = 5) -> float:
    """Median seconds of `import server` in fresh processes."""
    code = "import time; t = time.perf_counter(); import server; print(time.perf_counter() - t)"
    printed = [subprocess.check_output([sys.executable, "-c", code], cwd=REPOSITORY) for _ in range(n)]
    return round(statistics.median(map(float, printed)), 2)


class _Maker:
    """Makes the runs; each set of photos is uploaded once."""

    def __init__(self, service: StackWhenNeeded) -> None:
        self._service = service
        self._datasets: dict[str, str] = {}

    def run(self, key: Key) -> dict[str, Any]:
        name, service = key["data"], self._service.started()
        if name not in self._datasets:
            self._datasets[name] = service.upload(FOLDERS[name], name)
        for block in (service.home / "cache").glob("*.npy"):
            block.unlink()  # each seed pays for its own features
        pressed = time.monotonic()
        run_id = service.start(self._datasets[name], key["budget"], key["seed"])
        first_model_s, run = None, service.run(run_id)
        while run["state"] not in ("done", "failed", "cancelled"):
            if first_model_s is None and service.has_model(run_id):
                first_model_s = time.monotonic() - pressed
            time.sleep(0.25)
            run = service.run(run_id)
        wall_s = time.monotonic() - pressed
        if run["state"] != "done":
            raise RuntimeError(f"{key}: {run}")
        figures = _figures(service, run_id, run["result"], name, wall_s, first_model_s)
        return {**figures, "web_process_peak_mb": round(service.web_process_mb(), 1), "load": os.getloadavg()[0]}


def _figures(
    service: RunningStack, run_id: str, metrics: dict[str, Any], name: str, wall_s: float, first_model_s: float | None
) -> dict[str, Any]:
    n_correct, n_images = metrics["test"]["n_correct"], metrics["test"]["n_images"]
    if name == "hymenoptera":
        n_correct, n_images = _score_on_val(service, run_id)
    winner = metrics["winner"]
    return {
        "accuracy": n_correct / n_images,
        "n_images": n_images,
        "interval_95": wilson_interval(n_correct, n_images),
        "validation_accuracy": metrics["validation"]["accuracy"],
        "winner": f"{winner['stage']}: {'+'.join(winner['backbones'])} {winner['taps']} {winner['image_size_px']} px",
        "n_trials": metrics["n_trials"],
        "head_trials_per_minute": _head_trials_per_minute(service.trials(run_id)),
        "seconds_over_budget": round(wall_s - metrics["time"]["budget_s"], 1),
        "first_model_s": first_model_s and round(first_model_s, 1),
    }


def _head_trials_per_minute(trials: list[dict[str, Any]]) -> float:
    """Of the time that stage 1 spent on trials, features and packing not counted."""
    seconds: list[float] = [trial["duration_s"] for trial in trials if trial["stage"] == "heads"]
    return round(60 * len(seconds) / sum(seconds), 1)


def _score_on_val(service: RunningStack, run_id: str) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "model.zip"
        service.download(run_id, bundle)
        with zipfile.ZipFile(bundle) as archive:
            archive.extract("model.onnx", folder)
        classifier = Classifier(Path(folder) / "model.onnx")
        pictures = sorted((DATA / "hymenoptera" / "val").glob("*/*.jpg"))
        right = [classifier.labels[classifier.predict(path).argmax()] == path.parent.name for path in pictures]
    return sum(right), len(right)


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    accuracies = [run["accuracy"] for run in runs]
    return {
        "mean_accuracy": statistics.mean(accuracies),
        "spread": [min(accuracies), max(accuracies)],
        "worst_seconds_over_budget": max(run["seconds_over_budget"] for run in runs),
        "median_first_model_s": statistics.median(run["first_model_s"] or float("nan") for run in runs),
        "runs": runs,
    }


if __name__ == "__main__":
    main()
