"""Whether 80 % sure means right in 80 of 100: the reliability diagram (Guo et al., 2017)."""

import numpy as np
from matplotlib.figure import Figure

from automl.evaluation.calibration import N_BINS, Calibration
from automl.evaluation.plots.style import BLUE, GRAY, ORANGE, bare, new_figure


def reliability_diagram(found: Calibration) -> Figure:
    """Accuracy over confidence before and after calibration, and below how many answers were how sure.

    Raises:
        ValueError: nothing was held out, so nothing is known.
    """
    if found.ece_before is None or found.ece_after is None:
        raise ValueError("reliability needs answers on photos that were held out")
    figure = new_figure(6, 6, "Is it right as often as it is sure? (validation photos)")
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    axes.plot([0, 100], [0, 100], color=GRAY, linewidth=0.8, label="as sure as it is right")
    for bins, colour, style, text, ece in (
        (found.bins_before, ORANGE, "^--", "before calibration", found.ece_before),
        (found.bins_after, BLUE, "s-", "after calibration", found.ece_after),
    ):
        confidence = [100 * b.confidence for b in bins]
        label = f"{text}, on average {100 * ece:.1f} points off"
        axes.plot(confidence, [100 * b.accuracy for b in bins], style, color=colour, markersize=5, label=label)
    axes.set(xlim=(-1, 101), ylim=(-3, 103), ylabel="How often it was right, in %")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False, fontsize=8)
    width = 100 / N_BINS
    centres = [width * (max(np.ceil(b.confidence * N_BINS), 1) - 0.5) for b in found.bins_after]
    answers = [b.n for b in found.bins_after]
    counts.bar(centres, answers, 0.9 * width, color=BLUE, hatch="///", edgecolor="white")
    counts.set(xlabel="How sure the model was, in %", ylabel="Answers (after)")
    bare(axes)
    bare(counts)
    return figure
