"""The confusion matrix, as numbers where they fit and as a list of what is mixed up most."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from automl.results.evaluate import TestScore
from automl.results.plots.style import GRAY, fit, font_size, name_columns, name_rows, new_figure, place_within, shorten

MAX_NAMED_CLASSES = 100
_MAX_CELLS_WITH_SHARES = 20
_MAX_PAIRS = 12


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
    figure = new_figure(side + 1, side + list_in, "Which classes it mixes up")
    matrix = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    # The square root makes the few mistakes of a good model visible.
    image = matrix.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    matrix.set(xlabel="The model said", ylabel="It really was")
    cell_in = (side - 2) / n_classes
    if n_classes <= MAX_NAMED_CLASSES:
        names = [shorten(label) for label in score.classes]
        size = font_size(n_classes, side - 2)
        name_rows(matrix, names, size)
        name_columns(matrix, names, size, 72 * cell_in)
        if n_classes > _MAX_CELLS_WITH_SHARES:
            matrix.tick_params(length=0)
        _number_cells(matrix, counts, shares, cell_in)
    else:
        matrix.set_xticks([])
        matrix.set_yticks([])
    bar = figure.colorbar(image, ax=matrix, label="share of the row in %", shrink=0.8)
    percent = [0, 1, 5, 10, 25, 50, 100]
    bar.set_ticks([float(np.sqrt(p / 100)) for p in percent], labels=[str(p) for p in percent])
    if pairs:
        _list_pairs(figure, score, pairs, list_in / (side + list_in))
    return figure


def _number_cells(axes: Axes, counts: np.ndarray, shares: np.ndarray, cell_in: float) -> None:
    has_shares = len(counts) <= _MAX_CELLS_WITH_SHARES
    width = max(len(str(counts.max())), 4 if has_shares else 2)
    size = float(np.clip(72 * cell_in / (0.8 * width), 3, 9))
    for row, column in np.ndindex(counts.shape):
        if not has_shares and not counts[row, column]:
            continue
        text = f"{counts[row, column]}"
        if has_shares and counts[row, column]:
            text += f"\n{shares[row, column]:.0%}"
        color = "white" if shares[row, column] > 0.3 else "black" if counts[row, column] else GRAY
        cell = axes.text(column, row, text, ha="center", va="center", color=color, fontsize=size)
        cell.set_in_layout(False)  # it lies inside the axes; measuring thousands takes seconds


def _most_mixed_up(counts: np.ndarray) -> list[tuple[int, int]]:
    """(truth, answer) of the most frequent mistakes, the most frequent first."""
    mistakes = counts * ~np.eye(len(counts), dtype=bool)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:_MAX_PAIRS]
    cells = (np.unravel_index(int(i), counts.shape) for i in order)
    return [(int(row), int(column)) for row, column in cells if mistakes[row, column]]


def _list_pairs(figure: Figure, score: TestScore, pairs: list[tuple[int, int]], share: float) -> None:
    """At the bottom, which is kept free of the matrix; as wide as the figure. `share`: of its height, 0-1."""
    counts = score.confusion

    def write(n_characters: int) -> str:
        names = [shorten(label, n_characters) for label in score.classes]
        lines = (
            f"{counts[i, j]} of {counts[i].sum()} photos of {names[i]} were taken for {names[j]}" for i, j in pairs
        )
        return "\n".join(["What it mixes up most", *lines])

    place_within(figure, bottom=share)
    text = figure.text(0.04, share, "", va="top", fontsize=8, linespacing=1.5, parse_math=False)
    text.set_in_layout(False)
    fit(text, 0.92 * figure.bbox.width, write)
