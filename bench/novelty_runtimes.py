"""Photos of nothing that was learned in each runtime: what is recognised, and what that costs of the time for a photo.

    python -m bench.novelty_runtimes [--backbone mobilenet_v2] [--per-part 150]

A model of ants and bees learns as those of `bench.novelty` do, and is written as `model.onnx` and for LiteRT in float32
and int8. Each is shown the same pixels: photos of the official test, and the far subjects of that benchmark. The time
is the median of single photos; that of `model.onnx` is taken with and without the distance in turns.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from automl.delivery.exporter import Exporter
from automl.delivery.format_writer import N_CALIBRATION, FormatWriter
from automl.delivery.tap_inputs import frozen_taps, tap_name
from automl.evaluation.novelty import learn_distance
from automl.models.features import OnnxExtractor, features_of
from automl.models.weights.cache import InstalledWeights, installed
from automl.records import ServingContract
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.search.joined import unit
from automl.search.space import LAST_TAP
from automl.serving import predict, predict_litert
from automl.settings import load_settings
from bench.harness import report
from bench.novelty import N_FOLDS, RECIPE_C, SIZE_PX, parts_as_pixels, share
from tests.automl.evaluation.candidates import candidate

LABELS = ("ants", "bees")
MOST_LEARNED_BEANS, N_TIMED = 1, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--per-part", type=int, default=150, help="most pictures of each part, evenly spread")
    options = parser.parse_args()
    weights = installed(load_settings().weights_dir)
    parts = parts_as_pixels(MOST_LEARNED_BEANS)
    learned, labels = parts["hymenoptera learned"]
    model = _model(weights, options.backbone, learned, labels)
    true, truth = _some(*parts["hymenoptera test"], options.per_part)
    others = {
        name: _some(*parts[name if name == "shipped" else f"{name} test"], options.per_part)[0]
        for name in ("beans", "digits", "shipped")
    }
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        exporter = Exporter(weights, LABELS, target, contract=ServingContract())
        files = exporter.export(model, target / "able")
        plain = exporter.export(replace(model, distance=None), target / "plain", with_keras=False)
        assert files.keras is not None
        writer = FormatWriter(
            files.keras,
            labels=LABELS,
            size_px=SIZE_PX,
            contract=files.contract,
            calibration=learned[:: max(1, len(learned) // N_CALIBRATION)][:N_CALIBRATION],
            target=target,
        )
        able = predict.Classifier(files.onnx)
        runtimes: dict[str, predict.Classifier | predict_litert.Classifier] = {"model.onnx": able}
        for name in ("litert_float32", "litert_int8"):
            runtimes[name] = predict_litert.Classifier(writer.write(name))
        report(
            "novelty in each runtime",
            backbone=options.backbone,
            recognised={
                name: _recognised(one, reference=able, true=true, truth=truth, others=others)
                for name, one in runtimes.items()
            },
            load_average=round(os.getloadavg()[0], 1),
            milliseconds=_milliseconds(model, able, predict.Classifier(plain.onnx), true),
        )


def _model(weights: dict[str, InstalledWeights], backbone: str, learned: np.ndarray, labels: np.ndarray) -> Candidate:
    """A regression on the last layer of one frozen network, with its distance."""
    extractor, branch = OnnxExtractor(weights[backbone]), Branch(backbone, SIZE_PX)
    width = extractor.tap_widths[-1]
    units = unit(features_of(learned, extractor)[:, -width:])
    head = LogisticRegression(C=RECIPE_C, max_iter=1_000).fit(units, labels)
    # The regression has one logit for two classes; the model has one for each.
    kernel = np.concatenate([-head.coef_ / 2, head.coef_ / 2]).T.astype(np.float32)
    bias = np.concatenate([-head.intercept_ / 2, head.intercept_ / 2]).astype(np.float32)
    model = candidate([BranchHead((branch,), LAST_TAP, ((kernel, bias),), is_unit=True)], SIZE_PX)
    folds = np.random.default_rng(0).permutation(len(units)) % N_FOLDS
    taps = [tap_name(tap) for tap in frozen_taps(model, weights)]
    found = learn_distance(units, taps=taps, widths=(width,), folds=folds)
    assert found is not None
    return replace(model, distance=found.distance)


def _recognised(
    one: predict.Classifier | predict_litert.Classifier,
    *,
    reference: predict.Classifier,
    true: np.ndarray,
    truth: np.ndarray,
    others: dict[str, np.ndarray],
) -> dict[str, Any]:
    """What one runtime says of each part, and how its distances compare with those of `model.onnx`."""
    found: dict[str, Any] = {}
    for name, images in {"true photos": true, **others}.items():
        probabilities, distances = one.ask_arrays(images)
        _, expected = reference.ask_arrays(images)
        assert distances is not None and expected is not None
        ratios = np.percentile(distances / expected, [0, 50, 100])
        found[name] = {**share(distances), "distance_to_that_of_onnx": [round(float(ratio), 3) for ratio in ratios]}
        if images is true:
            found["accuracy"] = round(float((probabilities.argmax(axis=1) == truth).mean()), 4)
    return found


def _milliseconds(
    model: Candidate, able: predict.Classifier, plain: predict.Classifier, images: np.ndarray
) -> dict[str, float]:
    """The median of a photo with and without the distance, and of the distance alone, by NumPy."""
    assert model.distance is not None
    features = np.ones((1, sum(model.distance.widths)), np.float32)
    distance = model.distance
    tasks: dict[str, Callable[[np.ndarray], object]] = {
        "model.onnx with distance": able.ask_arrays,
        "model.onnx without": plain.ask_arrays,
        "distance alone, NumPy": lambda _image: distance.of(features),
    }
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(N_TIMED):
        image = images[number % len(images)][np.newaxis]
        for name, task in tasks.items():
            start = time.perf_counter()
            task(image)
            taken[name].append(time.perf_counter() - start)
    return {name: round(1_000 * float(np.median(seconds)), 3) for name, seconds in taken.items()}


def _some(images: np.ndarray, labels: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """At most n of them, evenly spread."""
    rows = np.linspace(0, len(images) - 1, min(n, len(images))).round().astype(int)
    return images[rows], labels[rows]


if __name__ == "__main__":
    main()
