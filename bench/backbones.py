"""What each backbone's frozen features are worth: cross-validated linear probes on the training photographs.

    python -m bench.backbones [--features FOLDER] [--size 224] [--only beans] [--train-only] [--backbones NAME ...]

For every installed backbone the features of all photographs are computed once and kept in FOLDER, one folder for each
data set and part: `photos.txt` (one path a line), `labels.txt` (the class of each), `NAME.last.npy` (the last layer)
and `NAME.taps.npy` (all layers, from shallow to last), float16 (n_photos, n_features), in the same order. The probes,
ridge regressions on the last layer, on all layers and on backbones side by side, see training photographs only, each
left out in turn: they are there to choose by. The rates are those of ONNX Runtime, with whatever else the machine does.
"""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from automl.backbone_table import BACKBONES
from automl.models.features import CPU_BATCH, OnnxExtractor
from automl.models.weights.cache import InstalledWeights, installed
from automl.serving.predict import load_image
from automl.settings import load_settings
from bench.harness import DATA, report

DATA_SETS = ("beans", "hymenoptera")
_PENALTY, _MOST_BESIDE = 0.1, 3


@dataclass(frozen=True, slots=True)
class Part:
    """The photographs of one data set that belong together, such as those for training.

    Attributes:
        source: the folder with one folder for each class.
        kept: where their features are kept.
    """

    source: Path
    kept: Path

    def photos(self) -> list[Path]:
        """All photographs, class by class."""
        return sorted(path for path in self.source.glob("*/*") if path.is_file())

    def labels(self) -> np.ndarray:
        return np.array([path.parent.name for path in self.photos()])

    def features(self, name: str, layers: str) -> np.ndarray:
        """float32 (n_photos, n_features), standardised, so that each block weighs the same whatever its width."""
        values = np.load(self.kept / f"{name}.{layers}.npy").astype(np.float32)
        deviation = np.maximum(values.std(axis=0), 1e-6)
        standardised: np.ndarray = (values - values.mean(axis=0)) / deviation / np.sqrt(values.shape[1])
        return standardised


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=Path, default=Path("var") / "bench-features")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--only", choices=DATA_SETS, help="one data set instead of both")
    parser.add_argument(
        "--train-only", action="store_true", help="no features of the other parts, which probes never see"
    )
    parser.add_argument("--backbones", nargs="*", choices=list(BACKBONES), help="these instead of all")
    options = parser.parse_args()
    here = installed(load_settings().weights_dir)
    weights = {name: row for name, row in here.items() if not options.backbones or name in options.backbones}
    chosen = (options.only,) if options.only else DATA_SETS
    parts = [
        Part(source, options.features / f"{name}-{options.size}" / source.name)
        for name in chosen
        for source in sorted(path for path in (DATA / name).iterdir() if path.is_dir())
        if source.name == "train" or not options.train_only
    ]
    rates = [extract(part, weights, options.size) for part in parts]
    report(
        "backbones",
        size_px=options.size,
        photos_per_second={name: round(max(rate.get(name, 0.0) for rate in rates), 1) for name in weights},
        probes={part.kept.parent.name: _probes(part, list(weights)) for part in parts if part.source.name == "train"},
    )


def extract(part: Part, weights: dict[str, InstalledWeights], size_px: int) -> dict[str, float]:
    """Computes the features that are missing. Returns photographs a second for those backbones."""
    part.kept.mkdir(parents=True, exist_ok=True)
    missing = [name for name in weights if not (part.kept / f"{name}.taps.npy").exists()]
    if not missing:
        return {}
    photos = part.photos()
    (part.kept / "photos.txt").write_text("".join(f"{path}\n" for path in photos), encoding="utf-8")
    (part.kept / "labels.txt").write_text("".join(f"{label}\n" for label in part.labels()), encoding="utf-8")
    pixels = np.stack([load_image(path, size_px) for path in photos])
    return {name: _extract_one(pixels, weights[name], part.kept) for name in missing}


def _extract_one(pixels: np.ndarray, weights: InstalledWeights, folder: Path) -> float:
    extractor = OnnxExtractor(weights)
    start = time.perf_counter()
    batches = [extractor(pixels[first : first + CPU_BATCH]) for first in range(0, len(pixels), CPU_BATCH)]
    seconds = time.perf_counter() - start
    features = np.concatenate(batches).astype(np.float16)
    np.save(folder / f"{weights.name}.last.npy", features[:, -extractor.tap_widths[-1] :])
    np.save(folder / f"{weights.name}.taps.npy", features)
    return len(pixels) / seconds


def _probes(part: Part, names: Sequence[str]) -> list[dict[str, object]]:
    """The cross-validated accuracy of every backbone and every fusion, in percent, the best first."""
    labels = part.labels()
    found: list[dict[str, object]] = []
    for layers in ("last", "taps"):
        # With fewer photographs than features, inner products of photographs say all that a linear probe can use.
        products = {name: _product(part.features(name, layers)) for name in names}
        for chosen in _fusions(names):
            accuracy = _accuracy(np.mean([products[name] for name in chosen], axis=0), labels)
            beside = " + ".join(BACKBONES[name].title for name in chosen)
            found.append({"backbones": beside, "layers": layers, "accuracy": round(100 * accuracy, 1)})
    return sorted(found, key=lambda probe: -float(str(probe["accuracy"])))


def _fusions(names: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for n in range(1, min(len(names), _MOST_BESIDE) + 1):
        yield from combinations(names, n)
    if len(names) > _MOST_BESIDE:
        yield tuple(names)


def _product(features: np.ndarray) -> np.ndarray:
    product: np.ndarray = features.astype(np.float64) @ features.T.astype(np.float64)
    return product


def _accuracy(product: np.ndarray, labels: np.ndarray) -> float:
    """Of a ridge regression on photographs with these inner products; each is predicted by the fit to all others.

    For a linear fit, leaving one photograph out has a closed form: its residual divided by 1 minus its own leverage.
    """
    classes = np.unique(labels)
    targets = np.where(labels[:, np.newaxis] == classes, 1.0, -1.0)
    hat = np.linalg.solve(product + _PENALTY * np.eye(len(labels)), product)
    leverage = np.diag(hat)[:, np.newaxis]
    predicted = (hat @ targets - leverage * targets) / (1 - leverage)
    return float(np.mean(classes[predicted.argmax(axis=1)] == labels))


if __name__ == "__main__":
    main()
