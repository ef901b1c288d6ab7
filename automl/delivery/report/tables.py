"""The figures of `metrics.json` as the rows of tables: what the report and the model card print. Also of older runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.text.durations import duration_in_words
from automl.text.numbers import latency_in_words, percent, size_in_words

_NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """One score. `term`: what the field calls it. `interval`: of 95 %; "" where there is none."""

    title: str
    term: str
    value: str
    interval: str = ""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How one class did on the test photos. `precision`, `recall`, `f1`: 0-1. `n_images`: test photos of it."""

    label: str
    n_images: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class MixUp:
    """`n` of the `n_true` test photos of `truth` were taken for `predicted`."""

    truth: str
    predicted: str
    n: int
    n_true: int


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One format of the model, as it was loaded again. `is_true`: it answers as the model does; None: not known yet."""

    title: str
    size: str
    accuracy: str
    largest_difference: str
    latency: str
    is_true: bool | None
    words: str


def score_rows(metrics: Mapping[str, Any]) -> list[Figure]:
    """Every score that is known, the honest ones of the test first."""
    test, validation = metrics.get("test") or {}, metrics.get("validation") or {}
    calibration = metrics.get("calibration") or {}
    of_test = {"accuracy": test.get("interval_95")} | (test.get("intervals") or {})
    shares = [
        ("Right on test photos", "accuracy", "accuracy"),
        ("The same, where every class counts the same", "balanced accuracy", "balanced_accuracy"),
        ("Found and rightly named, mean of the classes", "macro F1", "macro_f1"),
        ("The right class is among its first five answers", "top-5 accuracy", "top5_accuracy"),
        ("Without any model: always the most common class", "baseline", "baseline_accuracy"),
    ]
    rows = [
        Figure(title, term, percent(test[key]), _between(of_test.get(key)))
        for title, term, key in shares
        if test.get(key) is not None
    ]
    first = metrics.get("first_model")
    if first:
        title = f"The first model that was found, after {duration_in_words(first['at_s'])}"
        rows.append(Figure(title, "accuracy", percent(first["accuracy"]), _between(first["interval_95"])))
    if test.get("log_loss") is not None:
        low_high = of_test.get("log_loss")
        interval = f"{low_high[0]:.3f}–{low_high[1]:.3f}" if low_high else ""
        rows.append(
            Figure("How far its probabilities are off (0 is perfect)", "log loss", f"{test['log_loss']:.3f}", interval)
        )
    off = "How far its confidence is from how often it is right"
    if test.get("ece") is not None:
        rows.append(Figure(off, "calibration error (ECE), test photos", percent(test["ece"])))
    if calibration.get("ece_before") is not None and calibration.get("ece_after") is not None:
        term = "calibration error (ECE), validation photos"
        rows.append(Figure(off, f"{term}, before calibration", percent(calibration["ece_before"])))
        rows.append(Figure(off, f"{term}, after it", percent(calibration["ece_after"])))
    score = validation.get("score", validation.get("accuracy"))
    if score is not None:
        goal = str(metrics.get("goal") or "accuracy").replace("_", " ")
        rows.append(Figure("On validation photos, which chose the winner", f"validation {goal}", percent(score)))
    return rows


def class_rows(metrics: Mapping[str, Any]) -> list[ClassRow]:
    """In the order of the classes; empty before the test."""
    rows = (metrics.get("test") or {}).get("per_class") or ()
    return [ClassRow(row["label"], row["n_images"], row["precision"], row["recall"], row["f1"]) for row in rows]


def mix_ups(metrics: Mapping[str, Any]) -> list[MixUp]:
    """Every kind of mistake, the most frequent ones first; of equal ones those of the earlier classes."""
    counts = (metrics.get("test") or {}).get("confusion")
    if not counts:
        return []
    confusion = np.array(counts, dtype=np.int64)
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[: np.count_nonzero(mistakes)]
    cells = [divmod(int(cell), len(mistakes)) for cell in order]
    classes, n_true = metrics["classes"], confusion.sum(axis=1)
    return [MixUp(classes[row], classes[column], int(mistakes[row, column]), int(n_true[row])) for row, column in cells]


def export_rows(metrics: Mapping[str, Any]) -> list[ExportRow]:
    """The formats of the download. Figures that a format does not have yet are dashes."""
    rows = []
    for one in metrics.get("exports") or ():
        n_bytes, difference, latency_s = (one.get(key) for key in ("n_bytes", "largest_difference", "latency_s"))
        rows.append(
            ExportRow(
                title=str(one.get("title") or one["format"]),
                size=_NOTHING if n_bytes is None else size_in_words(n_bytes),
                accuracy=percent(one.get("accuracy")),
                largest_difference=_NOTHING if difference is None else f"{difference:.2g}",
                latency=_NOTHING if latency_s is None else latency_in_words(latency_s),
                is_true=one.get("is_true"),
                words=str(one.get("words") or ""),
            )
        )
    return rows


def _between(interval: list[float] | None) -> str:
    if not interval:
        return ""
    return f"{percent(interval[0]).removesuffix(' %')}–{percent(interval[1])}"
