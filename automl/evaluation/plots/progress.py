"""What the search tried over time, and the best so far."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from automl.evaluation.plots.style import BLUE, GRAY, GREEN, ORANGE, PINK, bare, clock, new_figure
from automl.records import Goal, Stage, TrialRecord, TrialState
from automl.text.messages import plots as plot_messages

STAGES = {
    Stage.HEADS: plot_messages.ON_STORED_FEATURES,
    Stage.FINE_TUNING: plot_messages.FINE_TUNED,
    Stage.DISTILLATION: plot_messages.TAUGHT,
    Stage.ENSEMBLE: plot_messages.MEAN,
}
COLOUR = {Stage.HEADS: BLUE, Stage.FINE_TUNING: ORANGE, Stage.DISTILLATION: PINK, Stage.ENSEMBLE: GREEN}
MARK = {Stage.HEADS: "o", Stage.FINE_TUNING: "^", Stage.DISTILLATION: "D", Stage.ENSEMBLE: "s"}
GOALS = {Goal.ACCURACY: plot_messages.ACCURACY_SCORE, Goal.BALANCED_ACCURACY: plot_messages.BALANCED_ACCURACY_SCORE}
_ENDED = {TrialState.PRUNED: ("x", plot_messages.GIVEN_UP_EARLY), TrialState.FAILED: ("+", plot_messages.FAILED)}


def search_progress(trials: Sequence[TrialRecord], goal: Goal) -> Figure:
    """Every trial's score against the time at which it ended, and the best head so far as a step.

    The scores of other stages may speak of fewer photos, so they have marks of their own and no part in the step.
    Below, one row a stage: when its trials ran, and which were given up.
    """
    figure = new_figure(9, 5.2, plot_messages.TRIED_OVER_TIME)
    axes, rows = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    unit_s, axis = clock(max((_end_s(t) for t in trials), default=0.0))
    for stage in Stage:
        _scores(axes, [t for t in trials if t.stage is stage and t.score is not None], stage=stage, unit_s=unit_s)
    _timeline(rows, trials, unit_s)
    axes.set_ylabel(GOALS[goal])
    rows.set_xlabel(axis)
    bare(axes)
    handles = [*axes.get_legend_handles_labels()[0], *rows.get_legend_handles_labels()[0]]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def _end_s(trial: TrialRecord) -> float:
    return trial.started_s + trial.duration_s


def _scores(axes: Axes, trials: Sequence[TrialRecord], *, stage: Stage, unit_s: float) -> None:
    if not trials:
        return
    in_order = sorted(trials, key=_end_s)
    ends = [_end_s(t) / unit_s for t in in_order]
    scores = [100 * (t.score or 0.0) for t in in_order]
    axes.scatter(ends, scores, s=16, color=COLOUR[stage], marker=MARK[stage], label=STAGES[stage])
    if stage is Stage.HEADS:
        best = np.maximum.accumulate(scores)
        axes.step(ends, best, where="post", color=COLOUR[stage], label=plot_messages.BEST_OF_THESE)


def _timeline(axes: Axes, trials: Sequence[TrialRecord], unit_s: float) -> None:
    stages = [stage for stage in Stage if any(t.stage is stage for t in trials)]
    for row, stage in enumerate(stages):
        spans = [(t.started_s / unit_s, t.duration_s / unit_s) for t in trials if t.stage is stage]
        axes.broken_barh(spans, (row - 0.3, 0.6), color=COLOUR[stage], alpha=0.45, edgecolor="white", linewidth=0.3)
    for state, (mark, text) in _ENDED.items():
        ended = [t for t in trials if t.state is state]
        if ended:
            ends, places = [_end_s(t) / unit_s for t in ended], [stages.index(t.stage) for t in ended]
            axes.scatter(ends, places, s=24, marker=mark, color="black", linewidths=1, label=text.format(n=len(ended)))
    axes.set_yticks(range(len(stages)), [STAGES[stage] for stage in stages], fontsize=8)
    axes.set_ylim(max(len(stages), 1) - 0.4, -0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines["bottom"].set_color(GRAY)
