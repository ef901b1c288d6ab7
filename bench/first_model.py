"""How long until the first model can be downloaded, against the physical sum of what must be done for it.

    python -m bench.first_model [--repeats 3]

Physical: decoding the photos, one pass of the first backbone over them at the size that the run chose, and writing the
model that the first download holds (model.onnx), each in this process, warm, with nothing around it. Measured: from
pressing Start on the checked data set to a .zip that can be downloaded. Each run also says when what it was doing was
first seen to change.
"""

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from automl.datasets.split import make_split
from automl.delivery.exporter import Exporter
from automl.images.pixel_rules import rules_of
from automl.images.pixels import PixelCache
from automl.ingest.local import ingest_folder
from automl.models.features import OnnxExtractor, extract_features
from automl.models.weights.cache import installed
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.space import SEVERAL_TAPS
from automl.settings import load_settings
from bench.harness import DATA, report
from scripts.stack.running import RunningStack, running_stack
from tests.automl.evaluation.candidates import candidate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with running_stack() as service:
        dataset = service.upload(DATA / "beans", "beans")
        runs = [_time_to_first_model(service, dataset, seed) for seed in range(options.repeats)]
    physical = {run.work: _physical(*run.work) for run in runs}
    ratios = [run.seconds / sum(physical[run.work].values()) for run in runs]
    report(
        "first_model",
        data="beans",
        runs=[asdict(run) for run in runs],
        load=round(os.getloadavg()[0], 1),
        median_s=round(statistics.median(run.seconds for run in runs), 1),
        physical_s={
            f"{backbone} at {size} px": {name: round(value, 2) for name, value in parts.items()}
            for (backbone, size), parts in physical.items()
        },
        ratios_to_physical=[round(ratio, 2) for ratio in ratios],
        ratio_to_physical=round(statistics.median(ratios), 2),
        target_s=60,
        target_ratio=1.4,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstModel:
    """The wait for one first model.

    Attributes:
        seconds: from pressing Start.
        backbone: that it runs.
        image_size_px: of the squares that it looks at.
        stages: what the run said it was doing, and after how many seconds that was first seen.
    """

    seconds: float
    backbone: str
    image_size_px: int
    stages: tuple[tuple[float, str], ...]

    @property
    def work(self) -> tuple[str, int]:
        """What its physical sum depends on."""
        return self.backbone, self.image_size_px


def _time_to_first_model(service: RunningStack, dataset: str, seed: int) -> FirstModel:
    """Starts a run with empty caches, waits for the first model, and cancels the rest."""
    cache = service.home / "cache"
    for block in [*cache.glob("*.npy"), *cache.glob("*.part")]:
        block.unlink()
    pressed = time.monotonic()
    run_id = service.start(dataset, "5m", seed)
    stages: list[tuple[float, str]] = []
    while not service.has_model(run_id):
        run = service.run(run_id)
        if run["finished"]:
            raise RuntimeError(f"The run ended without a model: {run}")
        if not stages or stages[-1][1] != run["activity"]:
            stages.append((round(time.monotonic() - pressed, 1), run["activity"]))
        time.sleep(0.1)
    seconds = time.monotonic() - pressed
    first = service.trials(run_id)[0]
    service.cancel(run_id)
    return FirstModel(
        seconds=round(seconds, 1),
        backbone=str(first["backbones"][0]),
        image_size_px=int(first["image_size_px"]),
        stages=tuple(stages),
    )


def _physical(backbone: str, size_px: int) -> dict[str, float]:
    settings = load_settings()
    manifest = ingest_folder(DATA / "beans", settings)
    pool = [manifest.images[i] for i in make_split(manifest, 0).pool]
    weights = installed(settings.weights_dir)
    extractor = OnnxExtractor(weights[backbone])
    with tempfile.TemporaryDirectory() as folder:
        marks = [time.perf_counter()]
        pixels = PixelCache(Path(folder), tuple(pool), rules_of(manifest.contract))
        pixels.decode([size_px], _say_nothing)
        marks.append(time.perf_counter())
        extract_features(pixels.open(size_px), extractor, Path(folder) / "f.npy", on_batch=_say_nothing)
        marks.append(time.perf_counter())
        exporter = Exporter(weights, manifest.classes, Path(folder), contract=manifest.contract)
        exporter.export(_candidate(backbone, size_px, sum(extractor.tap_widths)), Path(folder), with_keras=False)
        marks.append(time.perf_counter())
    return dict(zip(("decode", "features", "export"), np.diff(marks), strict=True))


def _say_nothing(_done: int, _total: int) -> None:
    """Progress is for people."""


def _candidate(backbone: str, size_px: int, n_features: int) -> Candidate:
    """A head of zeros: an export does not look at the numbers."""
    layer = np.zeros((n_features, 3), np.float32), np.zeros(3, np.float32)
    return candidate([BranchHead((Branch(backbone, size_px),), SEVERAL_TAPS, (layer,))], size_px)


if __name__ == "__main__":
    main()
