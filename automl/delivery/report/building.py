"""`metrics.json`: every figure of a run, for people's scripts and for the result page."""

import csv
import hashlib
import importlib.metadata
import io
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from automl.delivery.report.data_summary import describe_data
from automl.evaluation.calibration import Calibration
from automl.evaluation.look_alikes import MAX_PHOTOS, look_alikes
from automl.evaluation.score import TestScore
from automl.evaluation.suspects import suspected_labels
from automl.models.weights.cache import InstalledWeights
from automl.records import DatasetManifest, Goal, RunSettings, SplitPlan, TrialRecord
from automl.search.candidate import Candidate, is_scored
from automl.search.objective import pareto_front
from automl.text.numbers import validated

SCHEMA = 1
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
    goal: Goal,
    manifest: DatasetManifest,
    plan: SplitPlan,
    weights: Mapping[str, InstalledWeights],
) -> dict[str, Any]:
    """What is known of a model before the test set is read; its score is a validation score and says so."""
    return {
        "schema": SCHEMA,
        "name": manifest.name,
        "classes": list(manifest.classes),
        "sentence": f"Best so far: {validated(candidate.score)}; the honest score comes last.",
        "winner": {
            "trial": candidate.number,
            "backbones": list(candidate.backbones),
            "taps": candidate.taps,
            "image_size_px": candidate.image_size_px,
            "params": candidate.params,
            "parts": list(candidate.parts),
            "stage": candidate.stage.value,
            "best_epoch": candidate.best_epoch,
            "n_bytes": candidate.n_bytes,
            "latency_s": candidate.latency_s,
            "sha256": candidate_digest(candidate),
        },
        "goal": goal.value,
        "validation": {
            "score": candidate.score,
            "accuracy": validation_accuracy(candidate, labels_of(manifest, plan)),
            "loss": candidate.loss,
            "n_images": candidate.n_scored,
            "method": _method(candidate, plan),
        },
        "dataset_fingerprint": manifest.fingerprint,
        "data": describe_data(manifest, plan, manifest.version),
        "date": datetime.now(UTC).date().isoformat(),
        "weights": [_provenance(weights[name]) for name in candidate.backbones],
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    }


def describe_result(
    candidate: dict[str, Any],
    score: TestScore,
    settings: RunSettings,
    n_trials: int,
    pareto: Sequence[dict[str, Any]],
    calibration: Calibration | None = None,
) -> dict[str, Any]:
    """`metrics.json`: `describe_candidate`'s answer with the test score and how it came about.

    `calibration`: of the delivered model, None where it was delivered as it had been packed before. The time that it
    took and the notes of the run are added when all else is packed.
    """
    coverage, accuracy_when_sure = score.sure(calibration.threshold if calibration else None)
    return candidate | {
        "sentence": score.sentence(),
        "test": {
            "accuracy": score.accuracy,
            "balanced_accuracy": score.balanced_accuracy,
            "n_images": score.n_images,
            "n_correct": score.n_correct,
            "interval_95": list(score.interval_95),
            "baseline_accuracy": score.baseline_accuracy,
            "confusion": score.confusion.tolist(),
            "per_class": score.per_class(),
            "macro_f1": score.macro_f1,
            "log_loss": score.log_loss,
            "top5_accuracy": score.top5_accuracy,
            "ece": score.ece,
            "intervals": score.intervals(settings.seed).to_json(),
            "coverage": coverage,
            "accuracy_when_sure": accuracy_when_sure,
        },
        "calibration": calibration.to_json() if calibration else None,
        "n_trials": n_trials,
        "pareto": list(pareto),
        "seed": settings.seed,
        "settings": settings.to_json(),
    }


def suspect_rows(candidate: Candidate, manifest: DatasetManifest, plan: SplitPlan) -> list[dict[str, Any]]:
    """The photos whose label the model doubts, the most doubtful first; only of those that it was compared on."""
    found = suspected_labels(candidate.held_out_logits, labels_of(manifest, plan))
    images = [manifest.images[plan.pool[suspect.row]] for suspect in found]
    return [
        {
            "name": image.name,
            "sha256": image.sha256,
            "label": image.label,
            "suggested": manifest.classes[suspect.suggested],
            "confidence": round(suspect.confidence, 4),
        }
        for suspect, image in zip(found, images, strict=True)
    ]


def look_alike_rows(features: np.ndarray | None, manifest: DatasetManifest, plan: SplitPlan) -> list[dict[str, Any]]:
    """Pairs of photos of the pool that look like parts of each other. Sets that are too large for that have none.

    features: float (n_pool, n_features).
    """
    if features is None or len(features) > MAX_PHOTOS:
        return []
    images = [manifest.images[i] for i in plan.pool]
    return [
        {"sha256": [images[one].sha256, images[other].sha256], "likeness": round(likeness, 4)}
        for one, other, likeness in look_alikes(features, [image.group or image.sha256 for image in images])
    ]


def photo_table(manifest: DatasetManifest, plan: SplitPlan) -> str:
    """CSV: each photo with its class and the part of the split that it was in."""
    part = (
        dict.fromkeys(plan.pool, "learn") | dict.fromkeys(plan.test, "test") | dict.fromkeys(plan.left_out, "left out")
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["photo", "class", "part", "near_copies", "sha256"])
    for index, image in enumerate(manifest.images):
        writer.writerow([image.name, image.label, part.get(index, "not used"), image.group, image.sha256])
    return buffer.getvalue()


def _method(candidate: Candidate, plan: SplitPlan) -> str:
    """How the score came about; a fine-tuned model may have answered a part of the folds, and one repeat only."""
    scored = is_scored(candidate.held_out_logits)
    n_repeats = int(scored.any(axis=1).sum())
    n_answered = len({plan.folds[row][0] for row in np.flatnonzero(scored.any(axis=0))})
    if plan.n_folds == 1:
        return "one held-out part"
    if n_repeats > 1:
        return f"{plan.n_folds}-fold cross-validation, {n_repeats} times"
    if n_answered < plan.n_folds:
        part = "one" if n_answered == 1 else str(n_answered)
        return f"{part} of the {plan.n_folds} folds of cross-validation"
    return f"{plan.n_folds}-fold cross-validation"


def labels_of(manifest: DatasetManifest, plan: SplitPlan) -> np.ndarray:
    """int (n_pool,): the class of each photo of the pool."""
    index = {label: number for number, label in enumerate(manifest.classes)}
    return np.array([index[manifest.images[i].label] for i in plan.pool])


def validation_accuracy(candidate: Candidate, labels: np.ndarray) -> float:
    """Share of the held-out answers, of every repeat, that are right."""
    scored = is_scored(candidate.held_out_logits)
    right = candidate.held_out_logits.argmax(axis=2) == labels
    return float(right[scored].mean())


def pareto_rows(trials: Sequence[TrialRecord], winner: Candidate, n_validated: int) -> list[dict[str, Any]]:
    """The heads that no other one beats in score, size and speed at once, and the winner; smallest model first.

    `n_validated`: photos that the score of every head speaks of; that of a tuned winner may speak of fewer.
    """
    others = [trial for trial in pareto_front(trials, winner.number) if trial.number != winner.number]
    # By its trial, as all others: what became of it since, such as a mean, was not compared with them.
    own = next(trial for trial in trials if trial.number == winner.number)
    rows = [_pareto_row(trial, n_validated) for trial in others] + [_pareto_row(own, winner.n_scored)]
    for row in rows:
        row["is_winner"] = row["number"] == winner.number
    return sorted(rows, key=lambda row: row["n_bytes"])


def _pareto_row(of: TrialRecord, n_images: int) -> dict[str, Any]:
    return {
        "number": of.number,
        "score": of.score,
        "n_images": n_images,
        "n_bytes": of.n_bytes,
        "latency_s": of.latency_s,
        "backbones": list(of.backbones),
        "image_size_px": of.image_size_px,
    }


def candidate_digest(candidate: Candidate) -> str:
    """SHA-256 over parameters, heads and tuned weights: recorded before the first test picture is read."""
    digest = hashlib.sha256(json.dumps(candidate.digest_params, sort_keys=True).encode())
    for head in candidate.heads:
        for array in (array for layer in head.layers for array in layer):
            digest.update(np.ascontiguousarray(array).tobytes())
        for branch in head.branches:
            digest.update(branch.tuned.read_bytes() if branch.tuned else branch.name.encode())
    return digest.hexdigest()


def _provenance(weights: InstalledWeights) -> dict[str, str]:
    return {
        "backbone": weights.name,
        "origin": weights.origin,
        "location": weights.location,
        "sha256": weights.sha256,
        "licence": weights.licence,
        "note": weights.note,
    }
