"""The report says of a model what the search and the test have found."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.delivery.report.building import candidate_digest, describe_candidate, describe_result
from automl.evaluation.calibration import Bin, Calibration
from automl.evaluation.score import TestScore
from automl.models.weights.cache import InstalledWeights
from automl.records import (
    DatasetManifest,
    Goal,
    ImageRecord,
    RunSettings,
    SplitPlan,
    TunerKind,
)
from automl.records.report import CalibrationBin, CandidateReport, ParetoRow, RunTimes, read_run_report
from automl.search.candidate import Branch, Candidate
from tests.automl.delivery.report import built_reports
from tests.automl.evaluation.candidates import candidate, member
from tests.reports import PARETO_ROW

CLASSES = ("ant", "bee", "cat")
LABELS = [0, 0, 0, 1, 2]
WEIGHTS = {
    name: InstalledWeights(
        name=name,
        title=name,
        folder=Path("x"),
        origin="Keras",
        location="x",
        sha256=f"sha of {name}",
        licence="MIT",
        note="",
        taps=("a",),
        tap_widths=(4,),
    )
    for name in ("v1", "v2")
}
MANIFEST = DatasetManifest(
    name="animals",
    classes=CLASSES,
    images=tuple(
        ImageRecord(path=Path("x"), name="x", label=CLASSES[label], sha256=str(i), width=9, height=9)
        for i, label in enumerate([*LABELS, 0])
    ),
    refused=(),
    fingerprint="abc",
)
PLAN = SplitPlan(
    pool=(0, 1, 2, 3, 4),
    folds=((0, 1), (1, 0), (0, 0), (1, 1), (-1, -1)),
    n_folds=2,
    test=(5,),
    left_out=(),
    notes=(),
    seed=0,
)


def answers(*predicted: list[int | None]) -> np.ndarray:
    """Logits for what was said of each photo in each repeat, NaN where nothing was."""
    rows = [[np.eye(3)[one] if one is not None else np.full(3, np.nan) for one in repeat] for repeat in predicted]
    return np.array(rows, np.float32)


def model(logits: np.ndarray | None = None, *names: str) -> Candidate:
    branches = [Branch(name, 96) for name in names or ("v2",)]
    said = answers([0, 0, 0, 1, None], [0, 0, 1, 2, None]) if logits is None else logits
    return candidate([member(WEIGHTS, branches, "last")], 96, said)


def described(of: Candidate, goal: Goal = Goal.ACCURACY, plan: SplitPlan = PLAN) -> CandidateReport:
    return describe_candidate(of, goal=goal, manifest=MANIFEST, plan=plan, weights=WEIGHTS)


def test_the_validation_score_speaks_of_the_answers_of_every_repeat():
    validation = described(model()).validation
    assert validation.accuracy == pytest.approx(6 / 8)
    assert validation.n_images == 4
    assert validation.method == "2-fold cross-validation, 2 times"


def test_one_deal_of_the_folds_is_not_told_as_several():
    said = answers([0, 0, 0, 1, None], [None] * 5)  # as in a mean with a fine-tuned network
    assert described(model(said)).validation.method == "2-fold cross-validation"


def test_what_was_scored_on_one_of_the_folds_says_so():
    said = answers([0, None, 0, None, None])
    validation = described(model(said)).validation
    assert validation.method == "one of the 2 folds of cross-validation"
    assert validation.n_images == 2


def test_a_hold_out_is_no_cross_validation():
    plan = replace(PLAN, folds=((0,), (-1,), (-1,), (0,), (-1,)), n_folds=1)
    said = answers([0, None, None, 1, None])
    assert described(model(said), plan=plan).validation.method == "one held-out part"


def test_the_goal_is_named_and_the_score_of_validation_is_the_goals():
    values = described(replace(model(), score=0.625), Goal.BALANCED_ACCURACY)
    assert values.goal == "balanced_accuracy"
    assert values.validation.score == 0.625
    assert values.validation.accuracy == 0.75


def test_the_winner_says_where_its_weights_come_from():
    values = described(model(None, "v1", "v2"))
    assert values.winner.backbones == ("v1", "v2")
    assert [row.sha256 for row in values.weights] == ["sha of v1", "sha of v2"]


def test_the_digest_is_that_of_the_heads_the_networks_and_the_parameters(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    base = model()
    (head,) = base.heads
    ((kernel, bias),) = head.layers
    others = [
        replace(base, params={"taps": "other"}),
        replace(base, heads=(replace(head, layers=((kernel + 1, bias),)),)),
        replace(base, heads=(replace(head, branches=(Branch("v2", 128),)),)),
        replace(base, heads=(replace(head, branches=(Branch("v2", 96, tmp_path / "one"),)),)),
        replace(base, heads=(replace(head, branches=(Branch("v2", 96, tmp_path / "two"),)),)),
    ]
    assert candidate_digest(model()) == candidate_digest(base)
    assert len({candidate_digest(one) for one in [base, *others]}) == 6


def test_the_result_has_both_accuracies_of_the_test_and_survives_json():
    score = TestScore(
        classes=CLASSES,
        truth=np.array([0, 0, 0, 1]),
        probabilities=np.eye(3, dtype=np.float32)[[0, 0, 0, 2]],
        baseline_accuracy=0.75,
    )
    report = describe_result(
        described(model()),
        score,
        settings=RunSettings(tuner=TunerKind.KERAS_TUNER, head_layers=(64,)),
        n_trials=2,
        pareto=[ParetoRow.model_validate(PARETO_ROW)] * 2,
        time=RunTimes(budget_s=None, used_s=2.5, first_model_s=1.5),
    )
    assert read_run_report(json.loads(report.json_text())) == report
    assert (report.score.accuracy, report.score.balanced_accuracy) == (0.75, 0.5)
    assert report.settings.head_layers == (64,)
    assert (report.n_trials, len(report.pareto)) == (2, 2)
    assert report.sentence.startswith("It was right on 3 of 4 photos")


def test_the_calibration_and_its_threshold_are_part_of_the_result():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)
    score = TestScore(classes=("a", "b"), truth=np.array([0, 0]), probabilities=probabilities, baseline_accuracy=0.5)
    bins = (Bin(confidence=0.9, accuracy=0.95, n=40),)
    calibration = Calibration(
        temperature=1.5,
        ece_before=0.1,
        ece_after=0.05,
        bins_before=bins,
        bins_after=bins,
        threshold=0.8,
        coverage=0.7,
        accuracy_when_sure=0.98,
    )
    report = built_reports.tested(score, calibration)
    assert report.calibration is not None
    assert report.calibration.bins_after == (CalibrationBin(confidence=0.9, accuracy=0.95, n=40),)
    assert (report.calibration.threshold, report.score.coverage, report.score.accuracy_when_sure) == (0.8, 0.5, 1.0)
