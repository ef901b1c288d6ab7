"""How the best model learned."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from automl.evaluation.plots.style import BLUE, GRAY, ORANGE, bare, new_figure
from automl.models.head.training import Curves
from automl.text.messages import plots as plot_messages


def learning_curves(curves: Curves, best_epoch: int) -> Figure:
    """Training and validation loss and accuracy by epoch; `best_epoch` counts from 1."""
    figure = new_figure(9, 3.6, plot_messages.LEARNING)
    loss, accuracy = figure.subplots(1, 2)
    _two_lines(loss, curves.train_loss, curves.validation_loss, best_epoch=best_epoch)
    loss.set(title=plot_messages.LOSS, xlabel=plot_messages.EPOCH)
    loss.set_ylim(bottom=0)
    percent = [[100 * value for value in line] for line in (curves.train_accuracy, curves.validation_accuracy)]
    _two_lines(accuracy, percent[0], percent[1], best_epoch=best_epoch)
    accuracy.set(title=plot_messages.ACCURACY, xlabel=plot_messages.EPOCH)
    accuracy.set_ylim(top=101)
    loss.legend(frameon=False)
    return figure


def _two_lines(axes: Axes, train: Sequence[float], validation: Sequence[float], *, best_epoch: int) -> None:
    epochs = np.arange(1, len(train) + 1)
    marker = "o" if len(train) < 3 else None
    axes.plot(epochs, train, color=BLUE, linestyle="--", marker=marker, label=plot_messages.TRAINING)
    axes.plot(epochs, validation, color=ORANGE, marker=marker, label=plot_messages.VALIDATION)
    axes.axvline(best_epoch, color=GRAY, linewidth=0.8, linestyle=":", label=plot_messages.EPOCH_KEPT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    bare(axes)
