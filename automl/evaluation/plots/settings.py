"""Which settings mattered, and which of their values went with a good score."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from optuna.distributions import CategoricalDistribution, FloatDistribution

from automl.evaluation.plots.progress import COLOUR, GOALS
from automl.evaluation.plots.settings_study import SettingsStudy
from automl.evaluation.plots.style import bare, name_rows, new_figure
from automl.records import Goal, Stage
from automl.text.messages import plots as plot_messages

_MAX_SETTINGS = 12
_MAX_AXES = 7
_TRIES = {Stage.HEADS: plot_messages.HEADS_TRIES, Stage.FINE_TUNING: plot_messages.FINE_TUNED_TRIES}
_SETTINGS = {Stage.HEADS: plot_messages.HEADS_SETTINGS, Stage.FINE_TUNING: plot_messages.FINE_TUNED_SETTINGS}
_HATCH = {Stage.HEADS: "", Stage.FINE_TUNING: "///"}
_HEIGHT_IN = 3.4
_MAX_STEPS = 6
_SIZE_PT = 7.0
_VALUE_CHARACTERS = 18


def importance_bars(studies: Sequence[SettingsStudy]) -> Figure:
    """The share of each setting in the differences of the scores, a panel a stage. `studies` must not be empty."""
    n_rows = max(min(len(study.importances), _MAX_SETTINGS) for study in studies)
    figure = new_figure(5.5 * len(studies), 1.4 + 0.3 * n_rows, plot_messages.SETTINGS_THAT_MATTERED)
    for axes, study in zip(np.ravel(figure.subplots(1, len(studies), squeeze=False)), studies, strict=True):
        top = list(study.importances.items())[:_MAX_SETTINGS]
        widths = [100 * value for _, value in top]
        axes.barh(range(len(top)), widths, color=COLOUR[study.stage], hatch=_HATCH[study.stage], edgecolor="white")
        name_rows(axes, [_words(name) for name, _ in top], 9)
        axes.set_ylim(n_rows - 0.4, -0.6)
        axes.set(xlabel=plot_messages.SHARE_EXPLAINED, title=_TRIES[study.stage].format(n=len(study.scores)))
        bare(axes)
    return figure


def parallel_coordinates(study: SettingsStudy, goal: Goal) -> Figure:
    """Each try is a line through the values of its most important settings; the darker, the better it was."""
    names = list(study.importances)[:_MAX_AXES]
    figure = new_figure(1.55 * len(names) + 2.6, _HEIGHT_IN + 1.4, _SETTINGS[study.stage])
    axes = figure.subplots()
    places, labels = zip(*(_places(study, name) for name in names), strict=True)
    low, high = min(study.scores), max(study.scores)
    heights = np.column_stack([*places, [(score - low) / (high - low) for score in study.scores]])
    order = np.argsort(study.scores, kind="stable")  # the best are drawn last, on top
    lines = [np.column_stack([np.arange(len(names) + 1), heights[i]]) for i in order]
    bundle = LineCollection(lines, cmap="cividis_r", linewidths=1, alpha=0.7)
    bundle.set_array(100 * np.array(study.scores)[order])
    axes.add_collection(bundle)
    for place, ticks in enumerate([*labels, ()]):
        _axis(axes, place, ticks)
    axes.set_xlim(-0.05, len(names) + 0.02)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xticks(
        range(len(names) + 1), [*(_words(name).replace(" ", "\n") for name in names), plot_messages.SCORE], fontsize=8
    )
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(bundle, ax=axes, label=GOALS[goal], pad=0.01)
    return figure


def _axis(axes: Axes, place: int, ticks: Sequence[tuple[float, str]]) -> None:
    axes.axvline(place, color="black", linewidth=0.8)
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5}
    for height, text in ticks:
        label = axes.text(place + 0.04, height, text, fontsize=_SIZE_PT, va="center", bbox=box, parse_math=False)
        label.set_in_layout(False)


def _places(study: SettingsStudy, name: str) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Where the trials' values lie on the axis of a setting, 0-1, and its labels."""
    values = [params[name] for params in study.params]
    distribution = study.distributions[name]
    if isinstance(distribution, CategoricalDistribution):
        return _places_of_choices([str(value) for value in values], study.scores)
    numbers = np.array([float(value) for value in values])
    tried = np.unique(numbers)
    if len(tried) <= _MAX_STEPS:  # a few numbers: in their order, at equal distances
        steps = [(place / (len(tried) - 1), f"{value:g}") for place, value in enumerate(tried)]
        return np.searchsorted(tried, numbers) / (len(tried) - 1), steps
    is_log = isinstance(distribution, FloatDistribution) and distribution.log
    scaled = np.log(numbers) if is_log else numbers
    low, high = scaled.min(), scaled.max()
    ends = [(share, low + share * (high - low)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    if isinstance(distribution, FloatDistribution):
        ticks = [(share, f"{np.exp(value) if is_log else value:.2g}") for share, value in ends]
    else:
        whole = np.unique([round(value) for _, value in ends])
        ticks = [(float((value - low) / (high - low)), str(int(value))) for value in whole]
    return (scaled - low) / (high - low), ticks


def _places_of_choices(values: Sequence[str], scores: Sequence[float]) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """The choice with the best median score is on top; what would overlap has no label."""
    medians = {v: float(np.median([s for s, own in zip(scores, values, strict=True) if own == v])) for v in set(values)}
    ranked = sorted(medians, key=lambda v: (medians[v], v))
    height = {value: (place / (len(ranked) - 1)) for place, value in enumerate(ranked)}
    ticks: list[tuple[float, str]] = []
    free_below = 2.0
    for value in reversed(ranked):
        text = "\n".join(_short(part) for part in value.split("+"))
        half = 0.5 * (text.count("\n") + 1) * 1.4 * _SIZE_PT / (72 * _HEIGHT_IN)
        if height[value] + half <= free_below:
            ticks.append((height[value], text))
            free_below = height[value] - half
    return np.array([height[value] for value in values]), ticks


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"


def _words(name: str) -> str:
    return name.removeprefix("ft_").replace("_", " ")
