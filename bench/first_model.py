"""How long until the first model can be downloaded, against the physical sum of what must be done for it.

    python -m bench.first_model [--repeats 3]

Physical: decoding the photos, one pass of the first backbone over them, and exporting a model, each in this process,
warm, with nothing around it. Measured: from pressing Start on the checked data set to a .zip that can be downloaded.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from automl.data.ingest import ingest_folder
from automl.data.pixels import PixelCache
from automl.data.split import make_split
from automl.models.features import FeatureExtractor, extract_features
from automl.models.heads import Curves, HeadFit
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights import installed
from automl.results.export import export
from automl.search.space import head_space
from automl.search.trial import Candidate
from automl.settings import load_settings
from bench.harness import DATA, Service, report, running_stack

SIZE_PX = 224


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with running_stack() as service:
        dataset = service.upload(DATA / "beans", "beans")
        seconds = [_time_to_first_model(service, dataset, seed) for seed in range(options.repeats)]
    physical = _physical(seconds[0]["backbone"])
    median_s = statistics.median(run["seconds"] for run in seconds)
    report(
        "first_model",
        data="beans",
        runs=seconds,
        median_s=round(median_s, 1),
        physical_s={name: round(value, 2) for name, value in physical.items()},
        ratio_to_physical=round(median_s / sum(physical.values()), 2),
        target_s=60,
    )


def _time_to_first_model(service: Service, dataset: str, seed: int) -> dict[str, float | str]:
    """Starts a run with empty caches, waits for the first model, and cancels the rest."""
    for block in (service.home / "cache").glob("*.npy"):
        block.unlink()
    pressed = time.monotonic()
    run_id = service.start(dataset, "5m", seed)
    while not service.has_model(run_id):
        if service.run(run_id)["finished"]:
            raise RuntimeError(f"The run ended without a model: {service.run(run_id)}")
        time.sleep(0.2)
    seconds = time.monotonic() - pressed
    backbone = service.trials(run_id)[0]["backbones"][0]
    service.cancel(run_id)
    return {"seconds": round(seconds, 1), "backbone": backbone}


def _physical(backbone: str) -> dict[str, float]:
    settings = load_settings()
    import_tensorflow()
    import keras  # noqa: F401 - the export must not pay for the import

    manifest = ingest_folder(DATA / "beans", settings)
    pool = [manifest.images[i] for i in make_split(manifest, 0).pool]
    weights = installed(settings.weights_dir)
    extractor = FeatureExtractor(weights[backbone])
    with tempfile.TemporaryDirectory() as folder:
        marks = [time.perf_counter()]
        pixels = PixelCache(Path(folder), tuple(pool))
        pixels.decode([SIZE_PX], _say_nothing)
        marks.append(time.perf_counter())
        extract_features(pixels.open(SIZE_PX), extractor, Path(folder) / "f.npy", _say_nothing)
        marks.append(time.perf_counter())
        export(_candidate(backbone, sum(extractor.tap_widths)), manifest.classes, weights, Path(folder))
        marks.append(time.perf_counter())
    return dict(zip(("decode", "features", "export"), np.diff(marks), strict=True))


def _say_nothing(_done: int, _total: int) -> None:
    """Progress is for people."""


def _candidate(backbone: str, n_features: int) -> Candidate:
    """A head of zeros: an export does not look at the numbers."""
    kernel, bias = np.zeros((n_features, 3), np.float32), np.zeros(3, np.float32)
    fit = HeadFit(kernel, bias, np.zeros((0, 3)), 0.0, 0.0, 1, Curves((), (), (), ()))
    params = head_space([backbone], [SIZE_PX]).defaults()
    return Candidate(0, params, fit, np.zeros(n_features), np.ones(n_features), 0)


if __name__ == "__main__":
    main()
