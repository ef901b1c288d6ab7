"""`metrics.json`: what it says of a model before and after the test photos are read."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.delivery.report.building import candidate_digest, describe_candidate, describe_result, pareto_rows
from automl.evaluation.score import TestScore
from automl.models.weights.cache import InstalledWeights
from automl.records import (
    DatasetManifest,
    Goal,
    ImageRecord,
    RunSettings,
    SplitPlan,
    Stage,
    TrialRecord,
    TrialState,
    TunerKind,
)
from automl.search.candidate import Branch, Candidate
from tests.automl.evaluation.candidates import candidate, member

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


def described(of: Candidate, goal: Goal = Goal.ACCURACY) -> dict:
    return describe_candidate(of, goal, MANIFEST, PLAN, WEIGHTS)


def trial(number: int, score: float | None, n_bytes: int, latency_s: float = 0.1) -> TrialRecord:
    state = TrialState.FAILED if score is None else TrialState.COMPLETE
    return TrialRecord(number, state, ("v2",), 96, {}, score, 0.0, 1.0, n_bytes=n_bytes, latency_s=latency_s)


def test_the_validation_score_speaks_of_the_answers_of_every_repeat():
    validation = described(model())["validation"]
    assert validation["accuracy"] == pytest.approx(6 / 8)
    assert validation["n_images"] == 4
    assert validation["method"] == "2-fold cross-validation, 2 times"


def test_one_deal_of_the_folds_is_not_told_as_several():
    said = answers([0, 0, 0, 1, None], [None] * 5)  # as in a mean with a fine-tuned network
    assert described(model(said))["validation"]["method"] == "2-fold cross-validation"


def test_what_was_scored_on_one_of_the_folds_says_so():
    said = answers([0, None, 0, None, None])
    validation = described(model(said))["validation"]
    assert validation["method"] == "one of the 2 folds of cross-validation"
    assert validation["n_images"] == 2


def test_a_hold_out_is_no_cross_validation():
    plan = replace(PLAN, folds=((0,), (-1,), (-1,), (0,), (-1,)), n_folds=1)
    said = answers([0, None, None, 1, None])
    assert describe_candidate(model(said), Goal.ACCURACY, MANIFEST, plan, WEIGHTS)["validation"]["method"] == (
        "one held-out part"
    )


def test_the_goal_is_named_and_the_score_of_validation_is_the_goals():
    values = described(replace(model(), score=0.625), Goal.BALANCED_ACCURACY)
    assert values["goal"] == "balanced_accuracy"
    assert values["validation"]["score"] == 0.625
    assert values["validation"]["accuracy"] == 0.75


def test_the_winner_says_where_its_weights_come_from():
    values = described(model(None, "v1", "v2"))
    assert values["winner"]["backbones"] == ["v1", "v2"]
    assert [row["sha256"] for row in values["weights"]] == ["sha of v1", "sha of v2"]


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


def test_only_heads_that_no_other_beats_in_everything_are_best_for_their_size():
    trials = [trial(0, 0.9, 20), trial(1, 0.8, 10), trial(2, 0.7, 15), trial(3, None, 5), trial(4, 0.9, 30)]
    rows = pareto_rows(trials, replace(model(), number=0, score=0.9, n_bytes=20), 5)
    assert [row["number"] for row in rows] == [1, 0]
    assert rows[0] == {
        "number": 1, "score": 0.8, "n_images": 5, "n_bytes": 10, "latency_s": 0.1, "backbones": ["v2"],
        "image_size_px": 96, "is_winner": False,
    }  # fmt: skip


def test_a_winner_that_became_a_mean_is_listed_as_it_was_compared():
    trials = [trial(0, 0.9, 20), trial(1, 0.8, 10)]
    rows = pareto_rows(trials, replace(model(), number=0, score=0.79, n_bytes=21), 5)
    assert [(row["number"], row["score"], row["n_bytes"]) for row in rows] == [(1, 0.8, 10), (0, 0.9, 20)]


def test_the_download_is_not_listed_beside_a_head_with_the_same_figures():
    """Of two heads with the same score and size the one with the lower loss is delivered, and may be the later one."""
    trials = [trial(0, 0.756, 8_912_022), trial(1, 0.825, 8_937_366), trial(2, 0.825, 8_937_366)]
    rows = pareto_rows(trials, replace(model(), number=2, score=0.825, n_bytes=8_937_366), 5)
    assert [(row["number"], row["is_winner"]) for row in rows] == [(2, True)]


def test_a_tuned_winner_is_listed_with_the_photos_that_its_score_speaks_of():
    tuned = replace(trial(1, 0.7, 15), stage=Stage.FINE_TUNING)
    winner = replace(model(), number=1, stage=Stage.FINE_TUNING, score=0.7, n_bytes=15)
    rows = pareto_rows([trial(0, 0.9, 10), tuned, replace(tuned, number=2, score=0.99)], winner, 5)
    assert [(row["number"], row["n_images"], row["is_winner"]) for row in rows] == [(0, 5, False), (1, 4, True)]


def test_the_result_has_both_accuracies_of_the_test_and_survives_json():
    score = TestScore(
        classes=CLASSES,
        truth=np.array([0, 0, 0, 1]),
        probabilities=np.eye(3, dtype=np.float32)[[0, 0, 0, 2]],
        baseline_accuracy=0.75,
    )
    settings = RunSettings(tuner=TunerKind.KERAS_TUNER, head_layers=(64,))
    values = describe_result(
        described(model()),
        score,
        settings,
        2,
        pareto_rows([trial(1, 0.8, 10), trial(7, 0.9, 20)], replace(model(), number=7), 5),
    )
    assert values == json.loads(json.dumps(values))
    assert (values["test"]["accuracy"], values["test"]["balanced_accuracy"]) == (0.75, 0.5)
    assert values["settings"]["head_layers"] == [64]
    assert (values["n_trials"], len(values["pareto"])) == (2, 2)
    assert values["sentence"].startswith("It was right on 3 of 4 photos")
