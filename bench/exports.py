"""Every format of one model: how long it takes to write and to prove, its size, its latency and what it gets right.

    python -m bench.exports [--data beans hymenoptera] [--backbone mobilenet_v2] [--taps last|several]

The model is a linear head on the pretrained backbone at 224 px. Each format is loaded again by a process that has the
delivered scripts and nothing of this project, and scores the whole test folder.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from automl.delivery.bundle import write_bundle
from automl.delivery.download import Chosen, compose
from automl.delivery.exporter import ExportedModels, Exporter
from automl.delivery.format_writer import N_CALIBRATION, FormatWriter, add_labels
from automl.delivery.proof import Reference, prove
from automl.formats import FORMATS
from automl.models.features import OnnxExtractor
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.cache import InstalledWeights, installed
from automl.pipeline.exporting import zipped
from automl.records import ServingContract
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.space import LAST_TAP, SEVERAL_TAPS
from automl.serving.predict import Classifier, load_image
from automl.settings import load_settings
from bench.harness import DATA, report
from tests.automl.evaluation.candidates import candidate
from tests.reports import made_report

SIZE_PX = 224
TEST_FOLDERS = {"beans": "test", "hymenoptera": "val"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", choices=TEST_FOLDERS, default=list(TEST_FOLDERS))
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--taps", choices=(LAST_TAP, SEVERAL_TAPS), default=SEVERAL_TAPS)
    options = parser.parse_args()
    import_tensorflow()
    weights = installed(load_settings().weights_dir)[options.backbone]
    for name in options.data:
        with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
            figures = measure(name, weights, options.taps, Path(folder))
        report("exports", data=name, backbone=options.backbone, taps=options.taps, image_size_px=SIZE_PX, **figures)


def measure(name: str, weights: InstalledWeights, taps: str, folder: Path) -> dict[str, Any]:
    training, test = photos_in(DATA / name / "train"), photos_in(DATA / name / TEST_FOLDERS[name])
    images = np.stack([load_image(photo, SIZE_PX) for photo in training])
    classes = sorted({photo.parent.name for photo in training})
    linear = linear_candidate(weights, taps, images, [classes.index(photo.parent.name) for photo in training])
    exporter = Exporter({weights.name: weights}, classes, folder, contract=ServingContract())
    models, write_s = timed(lambda: exporter.export(linear, folder))
    assert models.keras is not None
    add_labels(models.keras, classes, SIZE_PX, contract=models.contract)
    reference = scored(Classifier(models.onnx), test)
    chosen = np.random.default_rng(0).permutation(len(images))[:N_CALIBRATION]
    writer, load_s = timed(
        lambda: FormatWriter(
            models.keras,
            labels=classes,
            size_px=SIZE_PX,
            contract=models.contract,
            calibration=images[chosen],
            target=folder,
        )
    )
    rows = []
    for one in FORMATS:
        path, seconds = folder / one.file_name, write_s
        if not one.is_made_at_once:
            path, seconds = timed(lambda one=one: writer.write(one.name))
        proof, proof_s = timed(lambda one=one, path=path: prove(one, path, reference))
        rows.append({**proof.to_json(), "write_s": round(seconds, 1), "proof_s": round(proof_s, 1)})
    return {
        "n_test": len(test),
        "accuracy": float((reference.probabilities.argmax(axis=1) == reference.truth).mean()),
        "load_model_s": round(load_s, 1),
        "note": "onnx and keras are written together",
        "formats": rows,
        "zip_bytes": zip_bytes(models, classes, folder),
        "zip_note": "all formats, without plots and report",
        "targets": {"int8_points_lost": 2.0, "zip_bytes": 60e6},
    }


def zip_bytes(models: ExportedModels, classes: list[str], folder: Path) -> int:
    """Of a download with all formats."""
    base, target = folder / "base.zip", folder / "all.zip"
    write_bundle(base, models, made_report(classes=classes))
    made = {one: folder / one.file_name for one in FORMATS if not one.is_made_at_once}
    files = {one: zipped(path) if path.is_dir() else path for one, path in made.items()}
    compose(target, base, [Chosen(one, files.get(one)) for one in FORMATS])
    return target.stat().st_size


def photos_in(folder: Path) -> list[Path]:
    photos = sorted(folder.glob("*/*"))
    if not photos:
        raise FileNotFoundError(f"{folder} is not there; DARKROOM_TEST_DATA names the folder of photographs.")
    return photos


def linear_candidate(weights: InstalledWeights, taps: str, images: np.ndarray, labels: list[int]) -> Candidate:
    """A logistic regression on standardised features, as a model that can be delivered, for squares as `images`."""
    size_px, extractor = images.shape[1], OnnxExtractor(weights)
    batches = (images[start : start + extractor.batch] for start in range(0, len(images), extractor.batch))
    features = np.concatenate([extractor(batch) for batch in batches])
    if taps == LAST_TAP:
        features = features[:, -weights.tap_widths[-1] :]
    scaler = StandardScaler().fit(features)
    fit = LogisticRegression(C=1e-3, max_iter=500).fit(scaler.transform(features), labels)
    kernel, bias = fit.coef_.T, fit.intercept_
    if len(bias) == 1:  # of two classes it gives the second one's logit
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.append(-bias, bias) / 2
    kernel = kernel / scaler.scale_[:, np.newaxis]
    layer = kernel.astype(np.float32), (bias - scaler.mean_ @ kernel).astype(np.float32)
    head = BranchHead((Branch(weights.name, size_px),), taps, (layer,))
    return candidate([head], size_px, np.zeros((1, len(labels), len(bias)), np.float32))


def scored(classifier: Classifier, photos: list[Path]) -> Reference:
    truth = np.array([classifier.labels.index(photo.parent.name) for photo in photos])
    probabilities = np.stack([classifier.predict(photo) for photo in photos])
    return Reference(classes=classifier.labels, photos=tuple(photos), truth=truth, probabilities=probabilities)


def timed(work: Any) -> tuple[Any, float]:
    started_s = time.perf_counter()
    done = work()
    return done, time.perf_counter() - started_s


if __name__ == "__main__":
    main()
