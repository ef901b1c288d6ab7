"""The confusion matrix, as numbers where they fit and as a list of what is mixed up most."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path as MarkPath
from matplotlib.textpath import TextPath

from automl.evaluation.plots.style import (
    GRAY,
    fit,
    font_size,
    name_columns,
    name_rows,
    new_figure,
    place_within,
    shorten,
)
from automl.evaluation.score import TestScore
from automl.text.messages import plots as plot_messages

MAX_NAMED_CLASSES = 100
_MAX_CELLS_WITH_SHARES = 20
_MAX_PAIRS = 12
_DARK = 0.3  # a larger share's colour needs white numbers


def confusion_matrix(score: TestScore) -> Figure:
    """Counts in the cells, coloured by their share of the row.

    Up to 20 classes each cell has its count and its share, up to 100 each cell that is not empty has its count. More
    names cannot be read: then colours and the list of the pairs that are mixed up most remain.
    """
    counts = score.confusion
    n_classes = len(score.classes)
    side = float(np.clip(2.5 + 0.6 * n_classes, 4.5, 15))
    pairs = _most_mixed_up(counts) if n_classes > 2 else []
    list_in = 0.5 + 0.22 * len(pairs) if pairs else 0.0
    figure = new_figure(side + 1, side + list_in, plot_messages.MIXES_UP)
    matrix = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    # The square root makes the few mistakes of a good model visible.
    image = matrix.imshow(
        np.sqrt(shares),
        cmap="Blues",
        vmin=0,
        vmax=1,
        # Hundreds of names take long to lay out: cells that are nearly square save a second pass.
        aspect="auto" if n_classes > _MAX_CELLS_WITH_SHARES else "equal",
    )
    matrix.set(xlabel=plot_messages.THE_MODEL_SAID, ylabel=plot_messages.REALLY_WAS)
    cell_in = (side - 2) / n_classes
    if n_classes <= MAX_NAMED_CLASSES:
        names = [shorten(label) for label in score.classes]
        size = font_size(n_classes, side - 2)
        name_rows(matrix, names, size)
        name_columns(matrix, names, size=size, cell_pt=72 * cell_in)
        if n_classes > _MAX_CELLS_WITH_SHARES:
            matrix.tick_params(length=0)
        number = _number_many if n_classes > _MAX_CELLS_WITH_SHARES else _number_few
        number(matrix, counts, shares, cell_in=cell_in)
    else:
        matrix.set_xticks([])
        matrix.set_yticks([])
    bar = figure.colorbar(image, ax=matrix, label=plot_messages.SHARE_OF_ROW, shrink=0.8)
    percent = [0, 1, 5, 10, 25, 50, 100]
    bar.set_ticks([float(np.sqrt(p / 100)) for p in percent], labels=[str(p) for p in percent])
    if pairs:
        _list_pairs(figure, score, pairs, share=list_in / (side + list_in))
    return figure


def _number_few(axes: Axes, counts: np.ndarray, shares: np.ndarray, *, cell_in: float) -> None:
    """Every cell's count, and its share where there is one."""
    size = _size_pt(cell_in, max(len(str(counts.max())), len("100%")))
    for row, column in np.ndindex(counts.shape):
        text = f"{counts[row, column]}"
        if counts[row, column]:
            text += f"\n{shares[row, column]:.0%}"
        color = "white" if shares[row, column] > _DARK else "black" if counts[row, column] else GRAY
        cell = axes.text(column, row, text, ha="center", va="center", color=color, fontsize=size)
        cell.set_in_layout(False)  # it lies inside the axes


def _number_many(axes: Axes, counts: np.ndarray, shares: np.ndarray, *, cell_in: float) -> None:
    """The count of each cell that is not empty, as a mark of its shape: thousands of texts would take seconds."""
    size = _size_pt(cell_in, len(str(counts.max())))
    for count in np.unique(counts[counts > 0]).tolist():
        mark = _centred(TextPath((0, 0), str(count), size=size))
        reach = float(np.abs(mark.vertices).max())  # Matplotlib scales a mark by it, which `s` undoes
        for color, is_own in (("white", shares > _DARK), ("black", shares <= _DARK)):
            rows, columns = np.nonzero((counts == count) & is_own)
            marks = axes.scatter(columns, rows, s=(2 * reach) ** 2, marker=mark, color=color, linewidths=0)
            marks.set(label=str(count), in_layout=False)


def _centred(outline: MarkPath) -> MarkPath:
    middle = np.mean(outline.get_extents().get_points(), axis=0)
    return MarkPath(np.asarray(outline.vertices) - middle, outline.codes)


def _size_pt(cell_in: float, n_characters: int) -> float:
    return float(np.clip(72 * cell_in / (0.8 * max(n_characters, 2)), 3, 9))


def _most_mixed_up(counts: np.ndarray) -> list[tuple[int, int]]:
    """(truth, answer) of the most frequent mistakes, the most frequent first."""
    mistakes = counts * ~np.eye(len(counts), dtype=bool)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:_MAX_PAIRS]
    cells = (np.unravel_index(int(i), counts.shape) for i in order)
    return [(int(row), int(column)) for row, column in cells if mistakes[row, column]]


def _list_pairs(figure: Figure, score: TestScore, pairs: list[tuple[int, int]], *, share: float) -> None:
    """Below the matrix, as wide as the figure. share: the part of the figure's height that is kept free for it, 0-1."""
    counts = score.confusion

    def write(n_characters: int) -> str:
        names = [shorten(label, n_characters) for label in score.classes]
        lines = (
            plot_messages.TAKEN_FOR.format(n=int(counts[i].sum()), n_wrong=counts[i, j], truth=names[i], said=names[j])
            for i, j in pairs
        )
        return "\n".join([plot_messages.MIXED_UP_MOST, *lines])

    place_within(figure, bottom=share)
    text = figure.text(0.04, share, "", va="top", fontsize=8, linespacing=1.5, parse_math=False)
    text.set_in_layout(False)
    fit(text, 0.92 * figure.bbox.width, write)
