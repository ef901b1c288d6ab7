"""Whether 80 % sure means right in 80 of 100: the reliability diagram (Guo et al., 2017)."""

import numpy as np
from matplotlib.figure import Figure

from automl.evaluation.calibration import N_BINS, Calibration
from automl.evaluation.plots.style import BLUE, GRAY, ORANGE, bare, new_figure
from automl.text.messages import plots as plot_messages


def reliability_diagram(found: Calibration, *, tests_every_photo: bool = False) -> Figure:
    """Accuracy over confidence before and after calibration, and below how many answers were how sure.

    tests_every_photo: whether there was no test set, so that the same answers make the score.

    Raises:
        ValueError: nothing was held out, so nothing is known.
    """
    if found.ece_before is None or found.ece_after is None:
        raise ValueError("reliability needs answers on photos that were held out")
    title = plot_messages.RELIABILITY_OF_EVERY_PHOTO if tests_every_photo else plot_messages.RELIABILITY
    figure = new_figure(6, 6, title)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    axes.plot([0, 100], [0, 100], color=GRAY, linewidth=0.8, label=plot_messages.AS_SURE_AS_RIGHT)
    for bins, colour, style, text, ece in (
        (found.bins_before, ORANGE, "^--", plot_messages.BEFORE_CALIBRATION, found.ece_before),
        (found.bins_after, BLUE, "s-", plot_messages.AFTER_CALIBRATION, found.ece_after),
    ):
        confidence = [100 * b.confidence for b in bins]
        label = text.format(points=100 * ece)
        axes.plot(confidence, [100 * b.accuracy for b in bins], style, color=colour, markersize=5, label=label)
    axes.set(xlim=(-1, 101), ylim=(-3, 103), ylabel=plot_messages.HOW_OFTEN_RIGHT)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False, fontsize=8)
    width = 100 / N_BINS
    centres = [width * (max(np.ceil(b.confidence * N_BINS), 1) - 0.5) for b in found.bins_after]
    answers = [b.n for b in found.bins_after]
    counts.bar(centres, answers, 0.9 * width, color=BLUE, hatch="///", edgecolor="white")
    counts.set(xlabel=plot_messages.HOW_SURE, ylabel=plot_messages.ANSWERS_AFTER)
    bare(axes)
    bare(counts)
    return figure
