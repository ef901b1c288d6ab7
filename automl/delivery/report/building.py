"""Builds the report of a run, which `metrics.json` holds, from what the search and the test have found."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np

from automl.delivery.report.data_summary import describe_data
from automl.evaluation.calibration import Calibration
from automl.evaluation.score import TestScore
from automl.models.weights.cache import InstalledWeights
from automl.records import DatasetManifest, Goal, RunSettings, SplitPlan
from automl.records.report import (
    VERSION,
    CalibrationReport,
    CandidateReport,
    DoubtedLabel,
    FirstModelReport,
    LookAlikePair,
    NoveltyReport,
    ParetoRow,
    ReportedMistake,
    RunReport,
    RunTimes,
    ScoreIntervals,
    ScoreMethod,
    ScoreReport,
    SmallModelReport,
    ValidationReport,
    WeightsProvenance,
    WinnerReport,
)
from automl.search.candidate import Candidate, is_scored
from automl.text.messages import delivery as delivery_messages
from automl.text.numbers import validated

_VERSIONS_OF = (
    "darkroom",
    "tensorflow",
    "keras",
    "optuna",
    "keras-tuner",
    "onnxruntime",
    "onnx",
    "ai-edge-litert",
    "numpy",
    "pillow",
)


def describe_candidate(
    candidate: Candidate,
    *,
    goal: Goal,
    manifest: DatasetManifest,
    plan: SplitPlan,
    weights: Mapping[str, InstalledWeights],
) -> CandidateReport:
    """What is known of a model before the test photos are read.

    weights: the installed ones by the name of their backbone; at least those that the candidate is built on.
    """
    return CandidateReport(
        schema=VERSION,
        name=manifest.name,
        classes=manifest.classes,
        sentence=delivery_messages.BEST_SO_FAR.format(score=validated(candidate.score)),
        winner=_winner_report(candidate),
        goal=goal,
        validation=ValidationReport(
            score=candidate.score,
            accuracy=validation_accuracy(candidate, labels_of(manifest, plan)),
            loss=candidate.loss,
            n_images=candidate.n_scored,
            method=_validation_method(candidate, plan),
        ),
        dataset_fingerprint=manifest.fingerprint,
        data=describe_data(manifest, plan, manifest.version),
        date=datetime.now(UTC).date(),
        weights=tuple(_provenance(weights[name]) for name in candidate.backbones),
        versions={"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    )


def describe_result(
    candidate: CandidateReport,
    score: TestScore,
    *,
    settings: RunSettings,
    n_trials: int,
    pareto: Sequence[ParetoRow],
    time: RunTimes,
    small: SmallModelReport | None = None,
    calibration: Calibration | None = None,
    novelty: NoveltyReport | None = None,
    first_model: FirstModelReport | None = None,
    mistakes: Sequence[ReportedMistake] = (),
    suspects: Sequence[DoubtedLabel] = (),
    look_alikes: Sequence[LookAlikePair] = (),
    notes: Sequence[str] = (),
) -> RunReport:
    """The report of `describe_candidate` with the score of the test and how the model came about.

    Args:
        candidate: The report on the same model from before the test.
        score: The answers of the delivered model to the test photos.
        settings: What the run was asked for; their seed also draws the samples of the bootstrap.
        n_trials: Trainings of the whole run; the mean of several models is none.
        pareto: See `pareto.pareto_rows`.
        small: See `small_model.small_model_report`.
        time: How long the run took; `RunReport.ended` corrects it when all else is packed.
        calibration: Of the delivered model; None where it was delivered as it had been packed before.
        novelty: How well the delivered model tells photos of nothing that it has learned; None where it cannot.
        first_model: The first model on the same test photos, where it was tested.
        mistakes: The most confident mistakes on test photos.
        suspects: Labels that are probably wrong.
        look_alikes: Pairs of photos that look like parts of each other.
        notes: Sentences on what happened during the run.
    """
    known = {field.alias or name: getattr(candidate, name) for name, field in CandidateReport.model_fields.items()}
    return RunReport(
        **{**known, "sentence": score.sentence()},
        test=_score_report(score, settings.seed, calibration.threshold if calibration else None),
        calibration=CalibrationReport.model_validate(asdict(calibration)) if calibration else None,
        novelty=novelty,
        n_trials=n_trials,
        pareto=tuple(pareto),
        small=small,
        seed=settings.seed,
        settings=settings,
        first_model=first_model,
        mistakes=tuple(mistakes),
        suspects=tuple(suspects),
        look_alikes=tuple(look_alikes),
        time=time,
        notes=tuple(notes),
        exports=(),
    )


def labels_of(manifest: DatasetManifest, plan: SplitPlan) -> np.ndarray:
    """int (n_pool,): the class of each photo of the pool."""
    index = {label: number for number, label in enumerate(manifest.classes)}
    return np.array([index[manifest.images[i].label] for i in plan.pool])


def validation_accuracy(candidate: Candidate, labels: np.ndarray) -> float:
    """Share of the held-out answers, of every repeat, that are right.

    labels: int (n_pool,), see `labels_of`.
    """
    scored = is_scored(candidate.held_out_logits)
    right = candidate.held_out_logits.argmax(axis=2) == labels
    return float(right[scored].mean())


def candidate_digest(candidate: Candidate) -> str:
    """SHA-256 over parameters, heads and tuned weights: recorded before the first test photo is read."""
    digest = hashlib.sha256(json.dumps(candidate.digest_params, sort_keys=True).encode())
    for head in candidate.heads:
        if head.is_unit:  # other heads keep the digest that they had before there were such
            digest.update(b"unit")
        for array in (array for layer in head.layers for array in layer):
            digest.update(np.ascontiguousarray(array).tobytes())
        for branch in head.branches:
            digest.update(branch.tuned.read_bytes() if branch.tuned else branch.name.encode())
    return digest.hexdigest()


def _winner_report(candidate: Candidate) -> WinnerReport:
    return WinnerReport(
        trial=candidate.number,
        backbones=candidate.backbones,
        taps=candidate.taps,
        image_size_px=candidate.image_size_px,
        params=candidate.params,
        parts=candidate.parts,
        stage=candidate.stage,
        best_epoch=candidate.best_epoch,
        n_bytes=candidate.n_bytes,
        latency_s=candidate.latency_s,
        sha256=candidate_digest(candidate),
    )


def _score_report(score: TestScore, seed: int, threshold: float | None) -> ScoreReport:
    """threshold: the confidence from which on an answer counts as sure."""
    coverage, accuracy_when_sure = score.sure(threshold)
    return ScoreReport(
        method=ScoreMethod.HELD_OUT if score.is_held_out else ScoreMethod.CROSS_VALIDATED,
        accuracy=score.accuracy,
        balanced_accuracy=score.balanced_accuracy,
        n_images=score.n_images,
        n_correct=score.n_correct,
        interval_95=score.interval_95,
        baseline_accuracy=score.baseline_accuracy,
        confusion=tuple(tuple(row) for row in score.confusion.tolist()),
        per_class=score.per_class(),
        macro_f1=score.macro_f1,
        log_loss=score.log_loss,
        top5_accuracy=score.top5_accuracy,
        ece=score.ece,
        intervals=ScoreIntervals.model_validate(asdict(score.intervals(seed))),
        coverage=coverage,
        accuracy_when_sure=accuracy_when_sure,
    )


def _validation_method(candidate: Candidate, plan: SplitPlan) -> str:
    """How the score came about; a fine-tuned model may have answered a part of the folds, and one repeat only."""
    scored = is_scored(candidate.held_out_logits)
    n_repeats = int(scored.any(axis=1).sum())
    n_answered = len({plan.folds[row][0] for row in np.flatnonzero(scored.any(axis=0))})
    if plan.n_folds == 1:
        return delivery_messages.VALIDATED_ON_ONE_PART
    if n_repeats > 1:
        return delivery_messages.VALIDATED_REPEATEDLY.format(n_folds=plan.n_folds, n_repeats=n_repeats)
    if n_answered < plan.n_folds:
        return delivery_messages.VALIDATED_ON_SOME_FOLDS.format(n=n_answered, n_folds=plan.n_folds)
    return delivery_messages.VALIDATED_ON_ALL_FOLDS.format(n_folds=plan.n_folds)


def _provenance(weights: InstalledWeights) -> WeightsProvenance:
    return WeightsProvenance(
        backbone=weights.name,
        origin=weights.origin,
        location=weights.location,
        sha256=weights.sha256,
        licence=weights.licence,
        note=weights.note,
    )
