"""What a better score costs in size and in time."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from automl.evaluation.plots.progress import COLOUR, GOALS, MARK, STAGES
from automl.evaluation.plots.style import BLUE, bare, new_figure
from automl.records import Goal, Stage, TrialRecord
from automl.search.objective import pareto_front
from automl.text.messages import plots as plot_messages

_MANY_DECADES = 100.0  # beyond that, 2 and 5 between the powers of ten have no room

Cost = Callable[[TrialRecord], float]


def costed_trials(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Those whose score and size are known."""
    return [trial for trial in trials if trial.score is not None and trial.n_bytes > 0]


def trade_offs(trials: Sequence[TrialRecord], goal: Goal) -> Figure:
    """Score against the model's size, the time for one photo and the time of the trial.

    A ring marks the heads that no other head matches in score, size and speed at once (the Pareto front); the line
    shows the best head for at most that cost.

    Raises:
        ValueError: No trial has a score and a size, see `costed_trials`.
    """
    shown = costed_trials(trials)
    if not shown:
        raise ValueError("trade-offs need a trial whose size is known")
    front = {trial.number for trial in pareto_front(shown)}
    figure = new_figure(11, 4.4, plot_messages.COSTS)
    panels = figure.subplots(1, 3, sharey=True)
    costs: list[tuple[str, Cost]] = [
        (plot_messages.SIZE_AXIS, lambda trial: trial.n_bytes / 1e6),
        (plot_messages.LATENCY_AXIS, lambda trial: 1000 * trial.latency_s),
        (plot_messages.TIME_AXIS, lambda trial: trial.duration_s),
    ]
    for axes, (text, cost) in zip(panels, costs, strict=True):
        _scatter(axes, [trial for trial in shown if cost(trial) > 0], cost)
        axes.set_xlabel(text)
        bare(axes)
    for axes, (_, cost) in zip(panels[:2], costs, strict=False):  # the front does not compare times of training
        _front(axes, [trial for trial in shown if cost(trial) > 0], cost=cost, front=front)
    panels[0].set_ylabel(GOALS[goal])
    known = {text: handle for axes in panels for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(known.values()), list(known), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def _scatter(axes: Axes, trials: Sequence[TrialRecord], cost: Cost) -> None:
    for stage in Stage:
        own = [trial for trial in trials if trial.stage is stage]
        if own:
            axes.scatter(*_points(own, cost), s=18, color=COLOUR[stage], marker=MARK[stage], label=STAGES[stage])
    costs = [cost(trial) for trial in trials]
    if costs and max(costs) > 10 * min(costs):
        axes.set_xscale("log")
        within = (1.0,) if max(costs) > _MANY_DECADES * min(costs) else (1.0, 2.0, 5.0)
        axes.xaxis.set_major_locator(LogLocator(subs=within))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())  # its own numbers would lie on each other


def _front(axes: Axes, trials: Sequence[TrialRecord], *, cost: Cost, front: set[int]) -> None:
    """front: numbers of the trials on the Pareto front."""
    ringed = [trial for trial in trials if trial.number in front]
    if ringed:
        text = plot_messages.NONE_BETTER
        axes.scatter(*_points(ringed, cost), s=80, facecolors="none", edgecolors="black", label=text)
    heads = sorted((trial for trial in trials if trial.stage is Stage.HEADS), key=cost)
    if heads:
        costs, scores = _points(heads, cost)
        best = np.maximum.accumulate(scores)
        axes.step(costs, best, where="post", color=BLUE, linewidth=1, label=plot_messages.BEST_AT_COST)


def _points(trials: Sequence[TrialRecord], cost: Cost) -> tuple[list[float], list[float]]:
    return [cost(trial) for trial in trials], [100 * (trial.score or 0.0) for trial in trials]
