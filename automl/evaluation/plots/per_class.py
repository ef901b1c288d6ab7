"""Precision, recall and F1 of each class."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from automl.evaluation.plots.style import (
    BLUE,
    COLOURS,
    GRAY,
    HATCHES,
    ORANGE,
    bare,
    font_size,
    name_rows,
    new_figure,
    shorten,
)
from automl.evaluation.score import TestScore

_MAX_BARS = 20
_MAX_ROWS = 100
_MEASURES = {"precision": "precision: how much of what it called so was right",
             "recall": "recall: how much of the class it found",
             "f1": "F1: both in one number"}  # fmt: skip


def per_class_scores(score: TestScore) -> Figure:
    """The weakest class on top: bars for up to 20 classes, marks on a line for more; the 100 weakest of many."""
    rows = sorted(score.per_class(), key=lambda row: row.f1)[:_MAX_ROWS]
    height = float(np.clip(0.5 * len(rows), 1.2, 10) if len(rows) <= _MAX_BARS else 0.15 * len(rows) + 1)
    figure = new_figure(9, height + 1.6, "How well it knows each class")
    axes = figure.subplots()
    values = {name: np.array([100 * getattr(row, name) for row in rows]) for name in _MEASURES}
    if len(rows) <= _MAX_BARS:
        _bars(axes, values)
    else:
        _marks(axes, values)
    name_rows(axes, [f"{shorten(row.label)} ({row.n_images})" for row in rows], font_size(len(rows), height))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 101)
    left_out = f", the {len(rows)} weakest of {len(score.classes)}" if len(rows) < len(score.classes) else ""
    axes.set(xlabel="%", ylabel=f"Class (photos in the test{left_out})")
    bare(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=1, frameon=False, fontsize=8)
    return figure


def _bars(axes: Axes, values: dict[str, np.ndarray]) -> None:
    for place, (name, widths) in enumerate(values.items()):
        y = np.arange(len(widths)) + 0.27 * (place - 1)
        colour, hatch = COLOURS[place], HATCHES[place]
        axes.barh(y, widths, 0.25, color=colour, hatch=hatch, edgecolor="white", linewidth=0, label=_MEASURES[name])


def _marks(axes: Axes, values: dict[str, np.ndarray]) -> None:
    y = np.arange(len(values["f1"]))
    low, high = np.minimum(values["precision"], values["recall"]), np.maximum(values["precision"], values["recall"])
    axes.hlines(y, low, high, color=GRAY, linewidth=0.8)
    axes.scatter(values["precision"], y, s=16, marker="s", color=BLUE, label=_MEASURES["precision"])
    axes.scatter(values["recall"], y, s=18, marker="^", color=ORANGE, label=_MEASURES["recall"])
    axes.scatter(values["f1"], y, s=22, marker="|", color="black", label=_MEASURES["f1"])
