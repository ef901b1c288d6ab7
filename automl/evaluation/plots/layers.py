"""The layers of the model and what they hold, as a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from automl.evaluation.plots.style import GRAY, new_figure, shorten
from automl.text.messages import plots as plot_messages

_MAX_ROWS = 60
_PLACES = (0.005, 0.365, 0.565, 0.885, 0.995)
_IS_NUMBER = (False, False, False, True, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """One layer of a network.

    Attributes:
        name: Its name in the network.
        kind: Its class in Keras.
        output_shape: Shape of what it gives, in words.
        n_params: How many numbers it has.
        n_trained: How many of them the training changed; the others were frozen.
    """

    name: str
    kind: str
    output_shape: str
    n_params: int
    n_trained: int


def layer_rows(model: Any, frozen: Iterable[str] = ()) -> list[LayerRow]:
    """The layers of a built `keras.Model`; a model within it, such as a backbone, is one row.

    frozen: names of layers that the training left as they were, whatever Keras says of them.
    """
    still = frozenset(frozen)
    return [
        LayerRow(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=_shape(layer.output),
            n_params=int(layer.count_params()),
            n_trained=0 if layer.name in still else sum(int(weight.numpy().size) for weight in layer.trainable_weights),
        )
        for layer in model.layers
    ]


def layer_table(rows: Sequence[LayerRow]) -> Figure:
    """Layer, kind, output shape and parameters, and below the totals: all, trained, frozen."""
    shown = rows[:_MAX_ROWS]
    total, trained = sum(row.n_params for row in rows), sum(row.n_trained for row in rows)
    lines = [[shorten(r.name, 40), shorten(r.kind, 26), shorten(r.output_shape, 34), f"{r.n_params:,}",
              f"{r.n_trained:,}"] for r in shown]  # fmt: skip
    if len(rows) > len(shown):
        rest = rows[_MAX_ROWS:]
        n_params, n_trained = sum(r.n_params for r in rest), sum(r.n_trained for r in rest)
        lines.append([plot_messages.MORE_LAYERS.format(n=len(rest)), "", "", f"{n_params:,}", f"{n_trained:,}"])
    figure = new_figure(10, 0.24 * (len(lines) + 5) + 0.4, plot_messages.LAYERS)
    table = [
        [
            plot_messages.LAYER,
            plot_messages.KIND,
            plot_messages.OUTPUT,
            plot_messages.PARAMETERS,
            plot_messages.TRAINED,
        ],
        *lines,
        [plot_messages.TOTAL, "", "", f"{total:,}", f"{trained:,}"],
        [plot_messages.FROZEN, "", "", f"{total - trained:,}", ""],
    ]
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(len(table), 0))
    strong = {0, len(table) - 2, len(table) - 1}
    for row, cells in enumerate(table):
        for place, is_number, text in zip(_PLACES, _IS_NUMBER, cells, strict=True):
            weight, side = "bold" if row in strong else "normal", "right" if is_number else "left"
            cell = axes.text(place, row + 0.5, text, ha=side, va="center", fontsize=8, weight=weight, parse_math=False)
            cell.set_in_layout(False)  # it lies inside the axes
    axes.hlines(
        range(1, len(table)),
        0,
        1,
        color=GRAY,
        linewidth=[0.8 if row in strong else 0.2 for row in range(len(table) - 1)],
    )
    return figure


def _shape(output: Any) -> str:
    """`(None, 7, 7, 1280)`; of several outputs the last."""
    if not isinstance(output, list | tuple):
        return str(tuple(output.shape))
    return plot_messages.SEVERAL_OUTPUTS.format(n=len(output), shape=tuple(output[-1].shape))
