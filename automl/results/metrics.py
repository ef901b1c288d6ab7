"""`metrics.json`: every figure of a run, for people's scripts and for the result page."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from automl.models.weights import InstalledWeights
from automl.records import DatasetManifest, RunSettings, SplitPlan
from automl.results.evaluate import TestScore
from automl.search.trial import Candidate

SCHEMA = 1
_VERSIONS_OF = ("tensorflow", "keras", "optuna", "keras-tuner", "onnxruntime", "onnx", "numpy", "pillow")


def describe_candidate(
    candidate: Candidate, manifest: DatasetManifest, plan: SplitPlan, weights: Mapping[str, InstalledWeights]
) -> dict[str, Any]:
    """What is known of a model before the test set is read; its score is a validation score and says so."""
    n_images = int(sum(fold >= 0 for fold in plan.folds))
    method = f"{plan.n_folds}-fold cross-validation" if plan.n_folds > 1 else "one held-out part"
    return {
        "schema": SCHEMA,
        "name": manifest.name,
        "classes": list(manifest.classes),
        "sentence": f"Best so far: right on {candidate.score:.1%} of validation photos; the honest score comes last.",
        "winner": {
            "trial": candidate.number,
            "backbones": list(candidate.backbones),
            "taps": candidate.taps,
            "image_size_px": candidate.image_size_px,
            "params": candidate.params,
            "best_epoch": candidate.fit.best_epoch,
            "sha256": candidate_digest(candidate),
        },
        "validation": {"accuracy": candidate.score, "loss": candidate.fit.loss, "n_images": n_images, "method": method},
        "dataset_fingerprint": manifest.fingerprint,
        "weights": [_provenance(weights[name]) for name in candidate.backbones],
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    }


def describe_result(
    candidate: dict[str, Any],
    score: TestScore,
    settings: RunSettings,
    n_trials: int,
    time: Mapping[str, float | None],
    notes: Sequence[str],
) -> dict[str, Any]:
    """The whole of `metrics.json`: `describe_candidate`'s answer with the test score and how it came about."""
    return candidate | {
        "sentence": score.sentence(),
        "test": {
            "accuracy": score.accuracy,
            "n_images": score.n_images,
            "n_correct": score.n_correct,
            "interval_95": list(score.interval_95),
            "baseline_accuracy": score.baseline_accuracy,
            "confusion": score.confusion.tolist(),
            "per_class": score.per_class(),
        },
        "n_trials": n_trials,
        "time": dict(time),
        "seed": settings.seed,
        "settings": settings.to_json(),
        "notes": list(notes),
    }


def candidate_digest(candidate: Candidate) -> str:
    """SHA-256 over the parameters and the head: recorded before the first test picture is read."""
    digest = hashlib.sha256(json.dumps(candidate.params, sort_keys=True).encode())
    for array in candidate.folded_head():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _provenance(weights: InstalledWeights) -> dict[str, str]:
    return {
        "backbone": weights.name,
        "origin": weights.origin,
        "sha256": weights.sha256,
        "licence": weights.licence,
        "note": weights.note,
    }
