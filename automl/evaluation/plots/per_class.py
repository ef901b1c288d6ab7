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
from automl.text.messages import plots as plot_messages

_MAX_BARS = 20
_MAX_ROWS = 100
_MEASURES = {"precision": plot_messages.PRECISION,
             "recall": plot_messages.RECALL,
             "f1": plot_messages.F1}  # fmt: skip


def per_class_scores(score: TestScore) -> Figure:
    """The weakest class on top: bars for up to 20 classes, marks on a line for more; the 100 weakest of many."""
    rows = sorted(score.per_class(), key=lambda row: row.f1)[:_MAX_ROWS]
    height = float(np.clip(0.5 * len(rows), 1.2, 10) if len(rows) <= _MAX_BARS else 0.15 * len(rows) + 1)
    figure = new_figure(9, height + 1.6, plot_messages.CLASSES)
    axes = figure.subplots()
    values = {name: np.array([100 * getattr(row, name) for row in rows]) for name in _MEASURES}
    if len(rows) <= _MAX_BARS:
        _bars(axes, values)
    else:
        _marks(axes, values)
    names = [plot_messages.LABEL_AND_PHOTOS.format(label=shorten(row.label), n=row.n_images) for row in rows]
    name_rows(axes, names, font_size(len(rows), height))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 101)
    axis = plot_messages.CLASS_AND_PHOTOS
    if len(rows) < len(score.classes):
        axis = plot_messages.WEAKEST_CLASSES_AND_PHOTOS.format(n_shown=len(rows), n_all=len(score.classes))
    axes.set(xlabel="%", ylabel=axis)
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
