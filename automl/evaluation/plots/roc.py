"""ROC and precision-recall curves, each class against all others."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from automl.evaluation.plots.style import BLUE, COLOURS, GRAY, LINES, bare, name_lines, new_figure, shorten
from automl.evaluation.score import TestScore
from automl.text.messages import plots as plot_messages

_MAX_LINES = 10
_GRID = np.linspace(0, 1, 101)


class _ClassCurves:
    """Of one class: ROC (`false_positive`, `true_positive`, `area`), and `precision` over `recall` (`average`)."""

    def __init__(self, is_own: np.ndarray, probability: np.ndarray) -> None:
        from sklearn import metrics

        self.false_positive, self.true_positive, _ = metrics.roc_curve(is_own, probability)
        self.area = float(metrics.auc(self.false_positive, self.true_positive))
        self.precision, self.recall, _ = metrics.precision_recall_curve(is_own, probability)
        # Average precision as scikit-learn defines it.
        self.average = float(-(np.diff(self.recall) * self.precision[:-1]).sum())


def shown_classes(score: TestScore) -> list[int]:
    """Classes of which the test has photos, beside photos of other classes: only they have curves."""
    n_own = np.bincount(score.truth, minlength=len(score.classes))
    return [int(i) for i in np.flatnonzero((n_own > 0) & (n_own < score.n_images))]


def roc_curves(score: TestScore) -> Figure:
    """One line a class; for more than ten classes their mean and the middle half of them.

    Raises:
        ValueError: There is no such class, see `shown_classes`.
    """
    classes = shown_classes(score)
    if not classes:
        raise ValueError("ROC curves need test photos of at least two classes")
    figure = new_figure(10, 4.6 + 0.17 * min(len(classes), _MAX_LINES), plot_messages.CURVES)
    roc, recall = figure.subplots(1, 2)
    curves = [_ClassCurves(score.truth == i, score.probabilities[:, i]) for i in classes]
    if len(classes) <= _MAX_LINES:
        for place, (number, one) in enumerate(zip(classes, curves, strict=True)):
            _lines(roc, recall, one, place=place, name=shorten(score.classes[number]))
    else:
        area, average = np.mean([c.area for c in curves]), np.mean([c.average for c in curves])
        text = plot_messages.MEAN_OF_CLASSES.format(n=len(classes), area=area, average=average)
        _mean(roc, text, [np.interp(_GRID, c.false_positive, c.true_positive) for c in curves])
        _mean(recall, text, [np.interp(_GRID, c.recall[::-1], c.precision[::-1]) for c in curves])
    roc.plot([0, 1], [0, 1], color=GRAY, linewidth=0.8, label=plot_messages.GUESSING)
    roc.set(title=plot_messages.ROC, xlabel=plot_messages.SHARE_OF_OTHERS, ylabel=plot_messages.SHARE_FOUND)
    recall.set(
        title=plot_messages.PRECISION_RECALL, xlabel=plot_messages.RECALL_AXIS, ylabel=plot_messages.PRECISION_AXIS
    )
    for axes in (roc, recall):
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        bare(axes)
    name_lines(figure, roc)
    return figure


def _lines(roc: Axes, recall: Axes, one: _ClassCurves, *, place: int, name: str) -> None:
    """place: of the class among those shown; it decides on the colour."""
    colour, line = COLOURS[place % len(COLOURS)], LINES[place % len(LINES)]
    text = plot_messages.ONE_CLASS.format(name=name, area=one.area, average=one.average)
    roc.plot(one.false_positive, one.true_positive, line, color=colour, label=text)
    recall.plot(one.recall, one.precision, line, color=colour, drawstyle="steps-post", label=text)


def _mean(axes: Axes, text: str, lines: list[np.ndarray]) -> None:
    low, high = np.percentile(lines, [25, 75], axis=0)
    axes.fill_between(_GRID, low, high, color=BLUE, alpha=0.2, linewidth=0, label=plot_messages.MIDDLE_HALF)
    axes.plot(_GRID, np.mean(lines, axis=0), color=BLUE, label=text)
