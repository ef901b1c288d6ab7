"""Reports made by what makes them in a run."""

from pathlib import Path
from typing import Any

import numpy as np

from automl.delivery.report.building import describe_candidate, describe_result
from automl.evaluation.calibration import Calibration
from automl.evaluation.score import TestScore
from automl.models.weights.cache import InstalledWeights
from automl.records import DatasetManifest, Goal, ImageRecord, RunSettings, SplitPlan
from automl.records.report import CandidateReport, RunReport, RunTimes, read_run_report
from automl.search.candidate import Branch
from tests.automl.evaluation.candidates import candidate, member
from tests.reports import complete

HOSTILE = ("<script>alert(1)</script>", '" onload="alert(2)', "a|b `c` *d* [e](http://f) &amp; ]]> \x01\udcff\n# g")


def unfinished(classes: tuple[str, ...]) -> CandidateReport:
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
    return describe_candidate(model, goal=Goal.ACCURACY, manifest=manifest, plan=plan, weights=weights)


def finished(classes: tuple[str, ...], confusion: np.ndarray, **more: Any) -> RunReport:
    """Of a model with this confusion, int (n_classes, n_classes), rows the truth.

    more: JSON of the top level; of a part that is an object only what differs.
    """
    truth, said = (np.repeat(axis.ravel(), confusion.ravel()) for axis in np.indices(confusion.shape))
    probabilities = np.full((len(truth), len(classes)), 0.1 / len(classes), np.float32)
    probabilities[np.arange(len(truth)), said] += 0.9
    report = tested(
        TestScore(
            classes=classes, truth=truth, probabilities=probabilities, baseline_accuracy=float((truth == 0).mean())
        )
    )
    return read_run_report(complete(report.to_json(), more))


def tested(score: TestScore, calibration: Calibration | None = None) -> RunReport:
    return describe_result(
        unfinished(score.classes),
        score,
        settings=RunSettings(seed=7),
        n_trials=12,
        pareto=(),
        time=RunTimes(budget_s=120.0, used_s=119.0, first_model_s=12.0),
        calibration=calibration,
    )
