"""Time and memory against the number of photos: linear time, flat memory.

    python -m bench.cost_against_size [--sizes 500 1000 2000] [--n 50000]

Generated JPEGs of four classes of gratings under noise go through checking, decoding, one backbone at 128 px and ten
heads, each size in a fresh process with empty caches. Memory is anonymous memory (RssAnon): pages of the memory-mapped
caches are the kernel's to take back. The plot goes to docs/images/cost_against_size.png; `--n` measures one size only
and draws nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from automl.datasets.split import make_split
from automl.images.pixel_rules import rules_of
from automl.ingest.local import ingest_folder
from automl.models.head.schedule import max_epochs
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import fit_head
from automl.models.weights.cache import installed
from automl.records import DatasetManifest, Scoring, SplitPlan
from automl.search.block import Block
from automl.search.frozen import FrozenFeatures
from automl.settings import load_settings
from bench.harness import report
from scripts.stack.running import REPOSITORY

SIZES = (500, 1_000, 2_000, 4_000, 8_000, 16_000)
PHOTO_PX, INPUT_PX = 320, 128
BACKBONE = "mobilenet_v2"
N_HEADS = 10
CLASSES = ("flat", "rising", "upright", "falling")
PARTS = ("check", "split", "decode", "features", "heads")
PLOT = REPOSITORY / "docs" / "images" / "cost_against_size.png"
_POLL_S = 0.02
_CONTRAST, _NOISE = 45, 40
_BLUE, _COLOURS = "#0072b2", ("#999999", "#cc79a7", "#56b4e9", "#0072b2", "#e69f00")  # Okabe and Ito's palette


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of photos")
    parser.add_argument("--n", type=int, help="one number of photos, without the plot")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)  # the folder that the fresh process measures
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(options.measure)))
        return
    sizes = [options.n] if options.n else sorted(options.sizes)
    runs = _all_sizes(sizes)
    if not options.n:
        _plot(runs)
    report("cost_against_size", backbone=BACKBONE, image_size_px=INPUT_PX, n_heads=N_HEADS, runs=runs)


def _all_sizes(sizes: list[int]) -> list[dict[str, Any]]:
    runs = []
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        n_there = 0
        for n in sizes:
            _draw_photos(Path(folder), n_there, n)
            n_there = n
            command = [sys.executable, "-m", "bench.cost_against_size", "--measure", folder]
            said = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout
            runs.append({"n_photos": n, **json.loads(said)})
            print(f"{n} photos: {runs[-1]}", file=sys.stderr)
    return runs


def _draw_photos(folder: Path, first: int, end: int) -> None:
    """Writes the photos `first` to `end - 1` as `<class>/<number>.jpg`; each is the same in every run."""
    y, x = np.mgrid[0:PHOTO_PX, 0:PHOTO_PX].astype(np.float32)
    for label in CLASSES:
        (folder / label).mkdir(exist_ok=True)
    for number in range(first, end):
        random = np.random.default_rng(number)
        kind = number % len(CLASSES)
        angle = np.pi / 4 * kind + random.normal(0, 0.15)
        waves = np.sin(random.uniform(0.1, 0.5) * (y * np.cos(angle) + x * np.sin(angle)) + random.uniform(0, 7))
        coarse = random.integers(0, 256, (20, 20, 3), dtype=np.uint8)
        noise = np.asarray(Image.fromarray(coarse).resize((PHOTO_PX, PHOTO_PX), Image.Resampling.BICUBIC), np.float32)
        pixels = random.uniform(60, 190, 3) + _CONTRAST * waves[..., None] + _NOISE * (noise / 128 - 1)
        photo = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        photo.save(folder / CLASSES[kind] / f"{number:06d}.jpg", quality=90)


def _measure(folder: Path) -> dict[str, Any]:
    """Everything once, in this process: seconds of each part, and the most memory that was held."""
    settings = load_settings()
    weights = {BACKBONE: installed(settings.weights_dir)[BACKBONE]}
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as cache, _peak_memory() as peak:
        marks = [time.perf_counter()]
        manifest = ingest_folder(folder, settings)
        marks.append(time.perf_counter())
        plan = make_split(manifest, 0, scoring=Scoring.HELD_OUT)
        marks.append(time.perf_counter())
        pool = [manifest.images[i] for i in plan.pool]
        features = FrozenFeatures(pool, weights, Path(cache), rules=rules_of(manifest.contract))
        block = Block(BACKBONE, INPUT_PX)
        features.decode([block], _say_nothing)
        marks.append(time.perf_counter())
        features.compute(block, _say_nothing)
        marks.append(time.perf_counter())
        accuracy = _head_trials(features, _targets(manifest, plan))
        marks.append(time.perf_counter())
    seconds = dict(zip(PARTS, np.diff(marks).round(2).tolist(), strict=True))
    total_s = marks[-1] - marks[0]
    return {
        "seconds": seconds,
        "total_s": round(total_s, 1),
        "s_per_1000_photos": round(total_s / len(manifest.images) * 1000, 2),
        "validation_accuracy": round(accuracy, 3),
        **peak,
    }


def _targets(manifest: DatasetManifest, plan: SplitPlan) -> Targets:
    index = {label: number for number, label in enumerate(manifest.classes)}
    labels = np.array([index[manifest.images[i].label] for i in plan.pool])
    return Targets(
        labels=labels, folds=np.array(plan.folds).reshape(len(labels), -1), n_folds=plan.n_folds, n_classes=len(index)
    )


def _head_trials(features: FrozenFeatures, targets: Targets) -> float:
    """Ten heads with learning rates from low to high; the best validation accuracy."""
    params: dict[str, str | int | float] = {
        "backbones": BACKBONE,
        "taps": "several",
        "image_size_px": INPUT_PX,
        "views": "plain",
    }
    accuracies = []
    for seed, learning_rate in enumerate(np.geomspace(3e-3, 1e-1, N_HEADS)):
        settings = HeadSettings(
            dropout=0.2,
            learning_rate=float(learning_rate),
            weight_decay=1e-2,
            label_smoothing=0.05,
            lr_schedule="cosine",
            patience=None,  # so that every size trains for as long as it may
            max_epochs=max_epochs(len(targets.labels)),
        )
        accuracies.append(fit_head(features.joined(params), targets, settings, seed=seed).accuracy)
    return max(accuracies)


def _say_nothing(_done: int, _total: int) -> None:
    """Progress is for people."""


@contextmanager
def _peak_memory() -> Iterator[dict[str, int]]:
    """The most memory, in MB of 10^6 bytes: of this process, and with the processes that decode for it."""
    peak = {"peak_rss_anon_mb": 0, "peak_rss_mb": 0, "peak_rss_anon_with_children_mb": 0}
    end = threading.Event()

    def poll() -> None:
        while not end.wait(_POLL_S):
            anonymous, resident = _memory("self")
            children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text().split()
            together = anonymous + sum(_memory(child)[0] for child in children)
            for name, n_bytes in zip(peak, (anonymous, resident, together), strict=True):
                peak[name] = max(peak[name], round(n_bytes / 1e6))

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield peak
    finally:
        end.set()
        thread.join()


def _memory(pid: str) -> tuple[int, int]:
    """RssAnon and VmRSS in bytes; 0 where the process has ended in between."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    values = {
        name: int(value.split()[0]) * 1024 for name, value in (line.split(":", 1) for line in lines if "kB" in line)
    }
    return values.get("RssAnon", 0), values.get("VmRSS", 0)


def _plot(runs: list[dict[str, Any]]) -> None:
    from matplotlib.figure import Figure

    sizes = [run["n_photos"] for run in runs]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    time_axes.stackplot(
        sizes, [[run["seconds"][part] for run in runs] for part in PARTS], labels=PARTS, colors=_COLOURS
    )
    time_axes.set(title="Time", xlabel="photos", ylabel="seconds", xlim=(0, None), ylim=(0, None))
    time_axes.legend(loc="upper left", fontsize="small")
    memory_mb = [run["peak_rss_anon_mb"] for run in runs]
    memory_axes.plot(sizes, memory_mb, marker="o", color=_BLUE)
    memory_axes.set(title="Peak memory (anonymous)", xlabel="photos", ylabel="MB", xlim=(0, None))
    memory_axes.set_ylim(0, 1.25 * max(memory_mb))
    for axes in (time_axes, memory_axes):
        axes.spines[["top", "right"]].set_visible(False)
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, dpi=100)


if __name__ == "__main__":
    main()
