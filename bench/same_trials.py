"""Whether two versions of the code try the same models: seeded runs without a clock, number by number.

    python -m bench.same_trials > before.json
    python -m bench.same_trials --against before.json [--code FOLDER] [--ignore winner.sha256] [--only optuna]

Each run goes through `automl train` of the code in FOLDER (default: this repository) in a process of its own, on
handwritten digits that a dependency ships. Prints JSON: all that was decided of every trial, and the figures of the
winner, but nothing that the speed of the machine has a say in. With `--against`, every difference from that file is
listed and the exit code is 1 if there is one. Floating point differs between machines: compare on one machine only.

The names of our modules are no part of what is compared: the observer of the command line is found by its name.
"""

import argparse
import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
SIZE_PX = 64
NOISE = 130.0

_ALWAYS = ("--budget", "none", "--max-image-size", "96")
_HEADS_ONLY = (*_ALWAYS, "--no-fine-tuning", "--backbones", "mobilenet_v2", "efficientnet_lite0")
_SOME, _FEW = 14, 10  # photos of a class; of the few, the best head becomes a mean

RUNS = {
    "optuna": (_SOME, (*_HEADS_ONLY, "--max-trials", "16", "--seed", "3")),
    "optuna, cma-es": (
        _FEW,
        (
            *(*_HEADS_ONLY, "--sampler", "cma-es", "--pruner", "successive-halving", "--goal", "balanced_accuracy"),
            *("--max-trials", "8", "--seed", "4"),
        ),
    ),
    "keras-tuner": (_FEW, (*_HEADS_ONLY, "--tuner", "keras-tuner", "--max-trials", "12", "--seed", "5")),
    "keras-tuner, hyperband": (
        _SOME,
        (
            *(*_HEADS_ONLY, "--tuner", "keras-tuner", "--sampler", "hyperband", "--pruner", "none"),
            *("--max-trials", "8", "--seed", "6"),
        ),
    ),
    "fine-tuning": (
        _FEW,
        (*_ALWAYS, "--backbones", "mobilenet_v2", "--max-trials", "6", "--epochs", "2", "--seed", "7"),
    ),
}
"""Photos of each class, and options of `automl train`."""

_OF_A_TRIAL = ("number", "stage", "state", "backbones", "image_size_px", "params", "score", "n_bytes", "epochs")
_OF_A_RESULT = {
    "winner": ("trial", "stage", "backbones", "taps", "image_size_px", "params", "best_epoch", "n_bytes", "sha256"),
    "validation": ("score", "accuracy", "loss", "n_images", "method"),
    "test": (
        *("accuracy", "balanced_accuracy", "n_images", "n_correct", "interval_95", "baseline_accuracy", "confusion"),
        *("per_class", "macro_f1", "log_loss", "top5_accuracy", "ece", "intervals", "coverage", "accuracy_when_sure"),
    ),
    "first_model": ("trial", "accuracy", "n_correct", "n_images"),
    "calibration": ("temperature", "threshold"),
}
"""Of `metrics.json`. What is not there counts as None."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="FILE", help="what was printed before")
    parser.add_argument("--code", type=Path, default=REPOSITORY, metavar="FOLDER", help="a checkout of this repository")
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS), metavar="RUN")
    parser.add_argument(
        "--ignore", nargs="+", default=[], metavar="NAME", help="such as winner.sha256 or trials.epochs"
    )
    parser.add_argument("--in-this-process", nargs=2, metavar=("RUN", "HOME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        name, home = options.in_this_process
        _record(name, Path(home))
        return 0
    found = _record_all(options.only, options.code.resolve())
    print(json.dumps(found, indent=1))
    return _report_differences(json.loads(options.against.read_text()), found, options) if options.against else 0


def _record_all(names: list[str], code: Path) -> dict[str, Any]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        home = Path(folder)
        for n_of_a_class in (_SOME, _FEW):
            _write_digits(home / str(n_of_a_class), n_of_a_class)
        for name in names:
            started = time.monotonic()
            # -P: the folder of this file is no place to import from.
            command = [sys.executable, "-P", __file__, "--in-this-process", name, folder]
            environment = {**os.environ, "PYTHONPATH": str(code), "DARKROOM_HOME": folder}
            done = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{name} failed:\n{done.stdout}{done.stderr}")
            found[name] = json.loads((home / "found.json").read_text())
            print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return found


def _write_digits(folder: Path, n_of_a_class: int) -> None:
    """Under noise, so that not every model is always right."""
    from sklearn.datasets import load_digits

    digits, generator = load_digits(), np.random.default_rng(0)
    for label in digits.target_names:
        (folder / str(label)).mkdir(parents=True)
        for number, ink in enumerate(digits.images[digits.target == label][:n_of_a_class]):
            small = Image.fromarray((255 - 255 * ink / 16).round().astype("uint8"))
            large = np.asarray(small.resize((SIZE_PX, SIZE_PX), Image.Resampling.BICUBIC), dtype=np.float64)
            noisy = (large + generator.normal(0, NOISE, large.shape)).clip(0, 255).astype("uint8")
            Image.fromarray(noisy).save(folder / str(label) / f"{number:02d}.png")


def _record(name: str, home: Path) -> None:
    """One run in this process, with the code that is first to be imported; writes `found.json`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow  # noqa: F401 - before the run: its thread that loads it beside the search is of no interest here

    from automl.cli import main as automl

    trials = _remembered_trials(Path(sys.modules["automl"].__path__[0]))
    bundle = home / "model.zip"
    n_of_a_class, arguments = RUNS[name]
    if code := automl(["train", str(home / str(n_of_a_class)), *arguments, "--out", str(bundle)]):
        sys.exit(code)
    (home / "found.json").write_text(json.dumps({"trials": trials, **_result(bundle)}, default=float))


def _remembered_trials(package: Path) -> list[dict[str, Any]]:
    """A list that gets each trial that the command line is told of."""
    trials: list[dict[str, Any]] = []
    observer = _find_class("ConsoleObserver", package)
    tell = observer.trial

    def trial(self: Any, record: Any, best: Any) -> None:
        values = {name: getattr(record, name) for name in _OF_A_TRIAL}
        trials.append({**values, "best": None if best is None else [best.number, best.score]})
        tell(self, record, best)

    observer.trial = trial
    return trials


def _find_class(name: str, package: Path) -> Any:
    for path in package.rglob("*.py"):
        if f"\nclass {name}(" in path.read_text():
            parts = path.relative_to(package.parent).with_suffix("").parts
            return getattr(importlib.import_module(".".join(parts).removesuffix(".__init__")), name)
    raise LookupError(name)


def _result(bundle: Path) -> dict[str, Any]:
    with zipfile.ZipFile(bundle) as archive:
        metrics = json.loads(archive.read("metrics.json"))
        answers, model = archive.read("answers.csv"), archive.read("model.onnx")
        names = sorted(archive.namelist())
    found: dict[str, Any] = {
        part: {name: (metrics.get(part) or {}).get(name) for name in names} for part, names in _OF_A_RESULT.items()
    }
    for part in ("mistakes", "suspects"):
        found[part] = [row["sha256"] for row in metrics[part]]
    digest = hashlib.sha256(answers).hexdigest()
    return {**found, "answers": digest, "weights": _weights_digest(model), "members": names}


def _weights_digest(model: bytes) -> str:
    """Of all numbers in the delivered model, whatever they are called."""
    arrays = [numpy_helper.to_array(one) for one in onnx.load_from_string(model).graph.initializer]
    digests = sorted(hashlib.sha256(f"{a.dtype}{a.shape}".encode() + a.tobytes()).hexdigest() for a in arrays)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _report_differences(before: Mapping[str, Any], after: Mapping[str, Any], options: argparse.Namespace) -> int:
    differences = [
        line
        for run in options.only
        for name, line in _differences(before.get(run), after[run], "")
        if not any(name == ignored or name.startswith(f"{ignored}.") for ignored in options.ignore)
        for line in [f"{run}: {line}"]
    ]
    for line in differences:
        print(line, file=sys.stderr)
    print(f"{len(differences)} differences" if differences else "The same.", file=sys.stderr)
    return 1 if differences else 0


def _differences(before: Any, after: Any, name: str) -> Iterator[tuple[str, str]]:
    """Names without the numbers of rows, such as `trials.score`, with a line for a person."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before | after:
            yield from _differences(before.get(key), after.get(key), f"{name}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            for inner, line in _differences(*pair, name):
                yield inner, f"[{number}] {line}"
    elif before != after:
        yield name, f"{name}: {before} -> {after}"


if __name__ == "__main__":
    sys.exit(main())
