"""Seconds from the answers on the test photos to plots, report.html and model_card.md, and how large the report is.

    python -m bench.report [--n-images 5000] [--n-classes 100] [--n-trials 300]

The answers are made up; the photos are files of a size that a camera makes. Every plot is drawn. Imports do not count,
since a run has made them by then. `cpu_s` is what a machine without other work would take on one core.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from automl.delivery.report.model_card import write_model_card
from automl.delivery.report.page import write_report
from automl.evaluation.calibration import calibrate
from automl.evaluation.plots import HeatMaps, LayerRow, draw_all
from automl.evaluation.score import TestScore
from automl.models.head.training import Curves
from automl.records import Goal, ImageRecord, Stage, TrialRecord, TrialState
from automl.serving.predict import RULES
from bench.harness import report
from tests.automl.delivery.report.built_reports import tested

N_PHOTOS = N_HEAT_MAPS = 24
N_LAYERS = 60
PHOTO_SIZE = (1600, 1200)
ACCURACY = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-images", type=int, default=5000)
    parser.add_argument("--n-classes", type=int, default=100)
    parser.add_argument("--n-trials", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        figures = _measure(Path(folder), options.n_images, options.n_classes, options.n_trials)
    report("report", n_images=options.n_images, n_classes=options.n_classes, n_trials=options.n_trials, **figures)


def _measure(folder: Path, n_images: int, n_classes: int, n_trials: int) -> dict[str, float]:
    random = np.random.default_rng(0)
    score, photos, trials = _score(random, n_images, n_classes), _photos(random, folder), _trials(random, n_trials)
    images = [photos[i % N_PHOTOS] for i in range(n_images)]
    line = tuple(np.linspace(1, 0.2, 40).tolist())
    curves = Curves(train_loss=line, train_accuracy=line, validation_loss=line, validation_accuracy=line)
    heat = random.random((N_HEAT_MAPS, 28, 28)).astype(np.float32)
    shape = "(None, 28, 28, 96)"
    layers = [
        LayerRow(name=f"layer_{i}", kind="Conv2D", output_shape=shape, n_params=9_216, n_trained=0)
        for i in range(N_LAYERS)
    ]
    tested(_score(random, 10, 2))  # which imports scikit-learn
    times = [time.perf_counter()]
    cpu_s = time.process_time()
    calibration = calibrate(np.log(score.probabilities)[None], score.truth)
    times.append(time.perf_counter())
    run_report = tested(score, calibration)
    times.append(time.perf_counter())
    maps = HeatMaps(heat, range(N_HEAT_MAPS))
    plots = draw_all(
        folder / "plots",
        curves=curves,
        best_epoch=30,
        score=score,
        test_images=images,
        rules=RULES,
        trials=trials,
        goal=Goal.ACCURACY,
        calibration=calibration,
        maps=maps,
        layers=layers,
    )
    times.append(time.perf_counter())
    write_report(folder / "report.html", run_report, plots)
    times.append(time.perf_counter())
    write_model_card(folder / "model_card.md", run_report)
    times.append(time.perf_counter())
    names = ("calibration_s", "metrics_s", "plots_s", "report_html_s", "model_card_s")
    return {
        **dict(zip(names, np.diff(times).round(2).tolist(), strict=True)),
        "all_s": round(times[-1] - times[0], 2),
        "cpu_s": round(time.process_time() - cpu_s, 2),
        "n_plots": len(plots),
        "report_html_bytes": (folder / "report.html").stat().st_size,
    }


def _score(random: np.random.Generator, n_images: int, n_classes: int) -> TestScore:
    truth = random.integers(0, n_classes, n_images)
    said = np.where(random.random(n_images) < ACCURACY, truth, random.integers(0, n_classes, n_images))
    logits = random.normal(size=(n_images, n_classes))
    logits[np.arange(n_images), said] += random.uniform(4, 9, n_images)
    exponentials = np.exp(logits)
    probabilities = (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)
    names = tuple(f"kind of flower {number}" for number in range(n_classes))
    return TestScore(classes=names, truth=truth, probabilities=probabilities, baseline_accuracy=1 / n_classes)


def _photos(random: np.random.Generator, folder: Path) -> list[ImageRecord]:
    records = []
    for number in range(N_PHOTOS):
        small = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        path = folder / f"{number}.jpg"
        small.resize(PHOTO_SIZE, Image.Resampling.BICUBIC).save(path, quality=90)
        width, height = PHOTO_SIZE
        records.append(
            ImageRecord(path=path, name=path.name, label="x", sha256=str(number), width=width, height=height)
        )
    return records


def _trials(random: np.random.Generator, n_trials: int) -> list[TrialRecord]:
    stages = [Stage.HEADS if number < 0.8 * n_trials else Stage.FINE_TUNING for number in range(n_trials)]
    return [
        TrialRecord(
            number=number,
            state=TrialState.PRUNED if number % 7 == 0 else TrialState.COMPLETE,
            backbones=("mobilenet_v2",),
            image_size_px=224,
            params={"learning_rate": float(random.uniform(1e-3, 1e-1)), "dropout": float(random.uniform(0, 0.5))},
            score=None if number % 7 == 0 else float(0.8 * (1 - random.exponential(0.1))),
            started_s=2.0 * number,
            duration_s=2.0,
            stage=stage,
            n_bytes=int(random.integers(9_000_000, 40_000_000)),
            latency_s=float(random.uniform(0.003, 0.03)),
        )
        for number, stage in enumerate(stages)
    ]


if __name__ == "__main__":
    main()
