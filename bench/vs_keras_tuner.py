"""Ours against the loop that a capable user writes from the tutorials (`bench.keras_tuner_peer`).

    python -m bench.vs_keras_tuner [--budgets 2m 5m]

For beans and hymenoptera: how long until our validation accuracy is at least what the peer ends with, as a share of the
peer's time; and the test accuracy of both after equal budgets. Times count from the start of the process, imports and
all. The peer's result is kept in a cache folder, so that it runs once for a machine: delete it to run it again.
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
from scripts.stack.running import REPOSITORY

STARTED = time.monotonic()
TRAINING_FOLDERS = {"beans": DATA / "beans", "hymenoptera": DATA / "hymenoptera" / "train"}
TEST_FOLDERS = {"beans": DATA / "beans" / "test", "hymenoptera": DATA / "hymenoptera" / "val"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", nargs="+", default=["2m", "5m"])
    parser.add_argument("--ours", nargs=2, metavar=("NAME", "BUDGET"), help="one run of ours, in this process")
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(_ours(options.ours[0], parse_duration(options.ours[1]))))
        return
    report("vs_keras_tuner", **{name: _compare(name, options.budgets) for name in TRAINING_FOLDERS})


def _compare(name: str, budgets: list[str]) -> dict[str, Any]:
    peer = _peer(name)
    runs = {budget: _in_a_process("bench.vs_keras_tuner", "--ours", name, budget) for budget in budgets}
    goal = peer["best_validation_accuracy"]
    reached = [s for run in runs.values() for s, score in run["timeline"] if score >= goal][:1]
    after = peer["test_accuracy_after_s"]
    return {
        "peer_validation_accuracy": goal,
        "peer_seconds": peer["seconds"],
        "ours_reached_it_after_s": reached[0] if reached else None,
        "share_of_the_peers_time": round(reached[0] / peer["seconds"], 3) if reached else None,
        "target_share": 0.1,
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
