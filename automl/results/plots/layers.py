"""The layers of the model and what they hold, as a table."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from automl.results.plots.style import new_figure, shorten

_MAX_ROWS = 60


class LayerRow(NamedTuple):
    """One layer. `n_trained`: those of its `n_params` numbers that the training changed; the rest were frozen."""

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
            layer.name,
            type(layer).__name__,
            _shape(layer.output),
            int(layer.count_params()),
            0 if layer.name in still else sum(int(weight.numpy().size) for weight in layer.trainable_weights),
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
        lines.append([f"… and {len(rest)} more layers", "", "", f"{n_params:,}", f"{n_trained:,}"])
    figure = new_figure(10, 0.24 * (len(lines) + 5) + 0.4, "The layers of the model")
    axes = figure.subplots()
    axes.set_axis_off()
    head = ["Layer", "Kind", "Output", "Parameters", "Trained"]
    table = axes.table(
        [*lines, ["Total", "", "", f"{total:,}", f"{trained:,}"], ["Frozen", "", "", f"{total - trained:,}", ""]],
        colLabels=head,
        colWidths=[0.36, 0.2, 0.22, 0.11, 0.11],
        cellLoc="left",
        edges="horizontal",
        bbox=Bbox.unit(),
    )
    table.auto_set_font_size(False)
    for (row, column), cell in table.get_celld().items():
        is_strong = row == 0 or row > len(lines)
        cell.set_linewidth(0.8 if row == 0 or row == len(lines) else 0.2)
        cell.set_text_props(
            fontsize=8, weight="bold" if is_strong else "normal", ha="right" if column > 2 else "left", parse_math=False
        )
    return figure


def _shape(output: Any) -> str:
    """`(None, 7, 7, 1280)`; of several outputs the last."""
    if not isinstance(output, list | tuple):
        return str(tuple(output.shape))
    return f"{len(output)} outputs, last {tuple(output[-1].shape)}"
