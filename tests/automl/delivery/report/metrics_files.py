"""What `metrics.json` holds, made by what writes it."""

from pathlib import Path
from typing import Any

import numpy as np

from automl.delivery.report.building import describe_candidate, describe_result
from automl.delivery.report.data_summary import describe_data
from automl.evaluation.score import TestScore
from automl.models.weights.cache import InstalledWeights
from automl.records import DatasetManifest, Goal, ImageRecord, RunSettings, SplitPlan
from automl.search.candidate import Branch
from tests.automl.evaluation.candidates import candidate, member

HOSTILE = ("<script>alert(1)</script>", '" onload="alert(2)', "a|b `c` *d* [e](http://f) &amp; ]]> \x01\udcff\n# g")


def unfinished(classes: tuple[str, ...]) -> dict[str, Any]:
    """Of a model that was not tested yet; two photos of each class to learn from and one for the test."""
    n = len(classes)
    images = tuple(
        ImageRecord(path=Path("x"), name="x", label=classes[i % n], sha256=str(i), width=9, height=9)
        for i in range(3 * n)
    )
    manifest = DatasetManifest(name="photos", classes=classes, images=images, refused=(), fingerprint="abc")
    folds = tuple((row // n,) for row in range(2 * n))
    plan = SplitPlan(
        pool=tuple(range(2 * n)), folds=folds, n_folds=2, test=tuple(range(2 * n, 3 * n)), left_out=(), notes=(), seed=0
    )
    weights = {
        "v2": InstalledWeights(
            name="v2",
            title="v2",
            folder=Path("x"),
            origin="Keras",
            location="x",
            sha256="e" * 64,
            licence="MIT",
            note="A note.",
            taps=("a",),
            tap_widths=(4,),
        )
    }
    said = np.tile(np.eye(n, dtype=np.float32), (2, 1))[None]
    model = candidate([member(weights, [Branch("v2", 96)], "last")], 96, said)
    return describe_candidate(model, Goal.ACCURACY, manifest, plan, weights) | {"data": describe_data(manifest, plan)}


def finished(classes: tuple[str, ...], confusion: np.ndarray, **more: Any) -> dict[str, Any]:
    """Of a model with this confusion, int (n_classes, n_classes), rows the truth. more: keys of the top level."""
    truth, said = (np.repeat(axis.ravel(), confusion.ravel()) for axis in np.indices(confusion.shape))
    probabilities = np.full((len(truth), len(classes)), 0.1 / len(classes), np.float32)
    probabilities[np.arange(len(truth)), said] += 0.9
    return (
        tested(
            TestScore(
                classes=classes, truth=truth, probabilities=probabilities, baseline_accuracy=float((truth == 0).mean())
            )
        )
        | more
    )


def tested(score: TestScore) -> dict[str, Any]:
    return describe_result(unfinished(score.classes), score, RunSettings(seed=7), 12, [])
