"""Ours against the loop that a capable user writes from the tutorials (`bench.keras_tuner_peer`).

    python -m bench.vs_keras_tuner [--budgets 2m 5m] [--resume FILE] [--at-most 9m]

For beans and hymenoptera: how long until our validation accuracy is at least what the peer ends with, as a share of the
peer's time; and the test accuracy of both after equal budgets. Times count from the start of the process, imports and
all. The peer's result is kept in a cache folder, so that it runs once for a machine: delete it to run it again. It is a
piece by itself, of up to ten minutes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from automl.ingest.local import ingest_folder
from automl.models.weights.cache import installed
from automl.pipeline.run import Job, train
from automl.processors import n_processors
from automl.records import RunSettings, TrialRecord
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.observer import Observer
from automl.serving.predict import Classifier
from automl.settings import load_settings
from automl.text.durations import parse_duration
from bench.harness import DATA, report
from bench.series import Series, add_options
from scripts.stack.running import REPOSITORY

STARTED = time.monotonic()
PEER_S = 500.0
TRAINING_FOLDERS = {"beans": DATA / "beans", "hymenoptera": DATA / "hymenoptera" / "train"}
TEST_FOLDERS = {"beans": DATA / "beans" / "test", "hymenoptera": DATA / "hymenoptera" / "val"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", nargs="+", default=["2m", "5m"])
    parser.add_argument("--ours", nargs=2, metavar=("NAME", "BUDGET"), help="one run of ours, in this process")
    add_options(parser)
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(_ours(options.ours[0], parse_duration(options.ours[1]))))
        return
    series = Series.of_options(options)
    compared = {name: _compare(name, options.budgets, series) for name in TRAINING_FOLDERS}
    report("vs_keras_tuner", n_missing=series.n_missing, **{name: one for name, one in compared.items() if one})


def _compare(name: str, budgets: list[str], series: Series) -> dict[str, Any] | None:
    """The figures of one set; None where one of its runs is still missing."""
    peers = series.runs([{"data": name, "run": "peer"}], lambda _key: _peer(name), takes_s=lambda _key: PEER_S)
    ours = series.runs(
        [{"data": name, "run": budget} for budget in budgets],
        lambda key: _in_a_process("bench.vs_keras_tuner", "--ours", name, key["run"]),
        takes_s=lambda key: 1.1 * parse_duration(key["run"]) + 10,
    )
    if not peers or len(ours) < len(budgets):
        return None
    peer, runs = peers[0], {run["run"]: run for run in ours}
    goal = peer["best_validation_accuracy"]
    reached = [s for run in runs.values() for s, score in run["timeline"] if score >= goal][:1]
    after = peer["test_accuracy_after_s"]
    return {
        "peer_validation_accuracy": goal,
        "peer_seconds": peer["seconds"],
        "ours_reached_it_after_s": reached[0] if reached else None,
        "share_of_the_peers_time": round(reached[0] / peer["seconds"], 3) if reached else None,
        "target_share": round(1 / 15, 3),
        "test_accuracy": {
            budget: {
                "ours": run["test_accuracy"],
                "peer": after.get(str(int(parse_duration(budget)))),
                "n_images": run["n_test"],
                "ours_used_s": run["seconds"],
            }
            for budget, run in runs.items()
        },
        "peer_test_accuracy_at_its_end": after[max(after, key=float)],
    }


def _peer(name: str) -> dict[str, Any]:
    kept = Path.home() / ".cache" / "darkroom" / "bench" / f"keras-tuner-{name}-{n_processors()}.json"
    if not kept.exists():
        result = _in_a_process("bench.keras_tuner_peer", str(DATA / name))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(result))
    return _json_of(kept.read_text())


def _in_a_process(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *arguments]
    return _json_of(subprocess.check_output(command, cwd=REPOSITORY, text=True))


def _json_of(printed: str) -> dict[str, Any]:
    """Keras prints lines of its own before the result."""
    return dict(json.loads(printed[printed.index("{") :]))


def _ours(name: str, budget_s: float) -> dict[str, Any]:
    settings = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        work.mkdir()
        budget = Budget(budget_s, used_s=time.monotonic() - STARTED)
        manifest = ingest_folder(TRAINING_FOLDERS[name], settings)
        weights = installed(settings.weights_dir)
        job = Job(
            manifest=manifest,
            settings=RunSettings(budget_s=budget_s),
            weights=weights,
            cache=Path(folder) / "cache",
            workspace=work,
        )
        timeline = _Timeline()
        result = train(job, budget, timeline)
        seconds = time.monotonic() - STARTED
        with zipfile.ZipFile(result.bundle) as archive:
            archive.extract("model.onnx", folder)
        classifier = Classifier(Path(folder) / "model.onnx")
        pictures = sorted(TEST_FOLDERS[name].glob("*/*.jpg"))
        right = [classifier.labels[classifier.predict(path).argmax()] == path.parent.name for path in pictures]
    return {
        "timeline": timeline.events,
        "seconds": round(seconds, 1),
        "test_accuracy": sum(right) / len(right),
        "n_test": len(right),
    }


class _Timeline(Observer):
    """Keeps when which validation score was reached."""

    def __init__(self) -> None:
        self.events: list[tuple[float, float]] = []

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:  # noqa: ARG002
        if best is not None:
            self.events.append((round(time.monotonic() - STARTED, 1), best.score))


if __name__ == "__main__":
    main()
