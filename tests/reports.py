"""Reports of runs for tests that read them: complete ones, of which a test names what it is about."""

from collections.abc import Mapping
from typing import Any

from automl.records import RunSettings, Scoring
from automl.records.report import RunReport, read_run_report

WEIGHTS = {
    "backbone": "mobilenet_v2",
    "origin": "somewhere",
    "location": "",
    "sha256": "e" * 64,
    "licence": "MIT",
    "note": "Tuned on dogs.",
}
PARETO_ROW = {
    "number": 1,
    "score": 0.95,
    "n_images": 60,
    "n_bytes": 9_000_000,
    "latency_s": 0.01,
    "backbones": ["mobilenet_v2"],
    "image_size_px": 224,
    "is_winner": False,
}
SMALL_MODEL = {
    "trial": 3,
    "backbones": ["mobilenet_v2"],
    "image_size_px": 160,
    "n_bytes": 9_000_000,
    "latency_s": 0.004,
    "accuracy": 0.93,
    "n_images": 60,
    "beyond_winner": -0.02,
    "beyond_winner_95": [-0.05, 0.01],
    "teachers": ["mobilenet_v1", "efficientnet_lite2"],
    "teacher_score": 0.96,
    "direct_accuracy": 0.92,
    "beyond_direct": 0.01,
    "beyond_direct_95": [-0.01, 0.03],
    "is_winner": False,
}
FORMAT = {
    "format": "onnx",
    "title": "ONNX",
    "n_bytes": None,
    "accuracy": None,
    "agreement": None,
    "largest_difference": None,
    "latency_s": None,
    "is_true": True,
    "words": "",
}
VALUES: Mapping[str, Any] = {
    "schema": 5,
    "name": "flowers",
    "classes": ["rose", "tulip"],
    "sentence": "It was right on 9 of 10 photos it had never seen; expect 60 to 98 of 100.",
    "winner": {
        "trial": 1,
        "backbones": ["mobilenet_v2"],
        "taps": "several",
        "image_size_px": 224,
        "params": {"dropout": 0.25},
        "parts": [],
        "stage": "heads",
        "best_epoch": 3,
        "n_bytes": 9_000_000,
        "latency_s": 0.01,
        "sha256": "d" * 64,
    },
    "goal": "accuracy",
    "validation": {
        "score": 0.95,
        "accuracy": 0.95,
        "loss": 0.2,
        "n_images": 60,
        "method": "5-fold cross-validation",
    },
    "dataset_fingerprint": "abc",
    "data": None,
    "date": "2026-11-22",
    "weights": [WEIGHTS],
    "versions": {"tensorflow": "2.21.0"},
    "test": {
        "method": "held-out",
        "accuracy": 0.9,
        "balanced_accuracy": 0.9,
        "n_images": 10,
        "n_correct": 9,
        "interval_95": [0.606, 0.973],
        "baseline_accuracy": 0.5,
        "confusion": [[5, 0], [1, 4]],
        "per_class": [
            {"label": "rose", "precision": 0.83, "recall": 1.0, "f1": 0.91, "n_images": 5},
            {"label": "tulip", "precision": 1.0, "recall": 0.8, "f1": 0.89, "n_images": 5},
        ],
        "macro_f1": 0.9,
        "log_loss": 0.3,
        "top5_accuracy": None,
        "ece": 0.05,
        "intervals": {"balanced_accuracy": [0.6, 1.0], "macro_f1": [0.6, 1.0], "log_loss": [0.1, 0.6]},
        "coverage": 0.0,
        "accuracy_when_sure": None,
    },
    "calibration": None,
    "novelty": None,
    "n_trials": 2,
    "pareto": [],
    "small": None,
    "seed": 0,
    "settings": RunSettings(scoring=Scoring.HELD_OUT).to_json(),
    "first_model": None,
    "mistakes": [],
    "suspects": [],
    "look_alikes": [],
    "time": {"budget_s": 120.0, "used_s": 110.0, "first_model_s": 12.0},
    "notes": ["A note."],
    "exports": [],
}
CROSS_VALIDATED: Mapping[str, Any] = {
    "sentence": "Each photo was tested by a model that had never seen it: about 88 of 100 are right; expect 60 to 98.",
    "test": {"method": "cross-validated", "accuracy": 0.876, "balanced_accuracy": 0.876},
    "settings": RunSettings().to_json(),
}
"""What differs in the report of a run without a test set: 9 of 10 answers are right, the luck in that is taken off."""

_OPTIONAL = {
    "calibration": {
        "temperature": 1.5,
        "ece_before": None,
        "ece_after": None,
        "bins_before": [],
        "bins_after": [],
        "threshold": None,
        "coverage": 0.0,
        "accuracy_when_sure": None,
    },
    "first_model": {
        "trial": 0,
        "accuracy": 0.7,
        "n_correct": 7,
        "n_images": 10,
        "interval_95": [0.4, 0.89],
        "backbones": ["mobilenet_v2"],
        "image_size_px": 96,
        "at_s": 12.0,
    },
}


def report_values(**changes: Any) -> dict[str, Any]:
    """The JSON of a report. changes: keys of its top level; a part that is an object takes what is not named from here.

    Classes without a confusion matrix have an empty one.
    """
    values = complete(VALUES, changes)
    n_classes = len(values["classes"])
    if "confusion" not in changes.get("test", {}) and n_classes != len(values["test"]["confusion"]):
        values["test"] = {**values["test"], "confusion": [[0] * n_classes] * n_classes, "per_class": []}
    return values


def complete(known: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of the report `known` with changes; a part that is an object takes from it what is not named."""
    there = {name: values for name, values in _OPTIONAL.items() if changes.get(name) and not known.get(name)}
    return _merged({**known, **there}, changes)


def made_report(**changes: Any) -> RunReport:
    """See `report_values`."""
    return read_run_report(report_values(**changes))


def named_photo(sha256: str, label: str) -> dict[str, str]:
    """A photo as a report names it."""
    return {"sha256": sha256, "label": label, "name": f"{label}/{sha256}.jpg"}


def doubted_label(sha256: str = "s1", label: str = "rose", suggested: str = "tulip") -> dict[str, Any]:
    """A row of `suspects`."""
    return {**named_photo(sha256, label), "suggested": suggested, "confidence": 0.9}


def _merged(known: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(known[name], value)
        for name, value in changes.items()
        if isinstance(value, Mapping) and isinstance(known.get(name), Mapping) and name not in ("params", "versions")
    }
    return {**known, **changes, **both}
