"""The plots of a run as PNG, readable for the colour-blind and in gray print."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from automl.models.heads import Curves
from automl.records import Goal, ImageRecord, Stage, TrialRecord
from automl.results.evaluate import TestScore
from automl.serving.predict import load_image

_BLUE, _ORANGE, _GRAY = "#0072b2", "#d55e00", "#666666"  # Okabe and Ito's palette for colour-blind readers
_SAMPLE_PX = 160
_MAX_SAMPLES = 12
_MAX_CELLS_WITH_NUMBERS = 20
_LABEL_CHARACTERS = 24
_MAX_NAMED_CLASSES = 100
_MARKS = {Stage.HEADS: "o", Stage.FINE_TUNING: "^", Stage.BLEND: "s"}
_STAGES = {Stage.HEADS: "trained on stored features", Stage.FINE_TUNING: "fine-tuned", Stage.BLEND: "a mean of models"}
_GOALS = {Goal.ACCURACY: "Validation accuracy in %", Goal.BALANCED_ACCURACY: "Balanced validation accuracy in %"}


@dataclass(frozen=True, slots=True)
class Plot:
    """One finished picture and what it shows, for its caption and for screen readers."""

    path: Path
    title: str


def draw_all(
    folder: Path,
    curves: Curves,
    best_epoch: int,
    score: TestScore,
    test_images: Sequence[ImageRecord],
    trials: Sequence[TrialRecord],
    goal: Goal,
) -> list[Plot]:
    """Draws every plot into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _save(folder / "confusion_matrix.png", "Which classes it mixes up", confusion_matrix(score)),
        _save(folder / "sample_predictions.png", "What it says of photos it had never seen",
              sample_predictions(score, test_images), dpi=80),  # photographs make large PNGs
        _save(folder / "learning_curves.png", "Loss and accuracy while the best model was trained",
              learning_curves(curves, best_epoch)),
        _save(folder / "search.png", "What was tried over time", search_progress(trials, goal)),
    ]  # fmt: skip


def learning_curves(curves: Curves, best_epoch: int) -> Figure:
    """Training and validation loss and accuracy by epoch."""
    figure = Figure(figsize=(9, 3.6), layout=_layout())
    loss, accuracy = figure.subplots(1, 2)
    _two_lines(loss, curves.train_loss, curves.validation_loss, best_epoch)
    loss.set(title="Loss (lower is better)", xlabel="Epoch")
    loss.set_ylim(bottom=0)
    percent = [[100 * value for value in line] for line in (curves.train_accuracy, curves.validation_accuracy)]
    _two_lines(accuracy, percent[0], percent[1], best_epoch)
    accuracy.set(title="Accuracy in % (higher is better)", xlabel="Epoch")
    accuracy.set_ylim(top=101)
    loss.legend(frameon=False)
    return figure


def _layout() -> ConstrainedLayoutEngine:
    return ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)


def _two_lines(axes: Axes, train: Sequence[float], validation: Sequence[float], best_epoch: int) -> None:
    epochs = np.arange(1, len(train) + 1)
    marker = "o" if len(train) < 3 else None
    axes.plot(epochs, train, color=_BLUE, linestyle="--", marker=marker, label="training")
    axes.plot(epochs, validation, color=_ORANGE, marker=marker, label="validation")
    axes.axvline(best_epoch, color=_GRAY, linewidth=0.8, linestyle=":", label="epoch that was kept")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)


def confusion_matrix(score: TestScore) -> Figure:
    """Counts in the cells, coloured by their share of the row; numbers and names only where they are legible."""
    counts = score.confusion
    n_classes = len(score.classes)
    side = float(np.clip(2.5 + 0.55 * n_classes, 4.5, 16))
    figure = Figure(figsize=(side + 1, side), layout=_layout())
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if n_classes <= _MAX_NAMED_CLASSES:
        _name_classes(axes, score.classes)
    else:  # laying out so many names takes longer than all else, and nobody could read them
        axes.set_xticks([])
        axes.set_yticks([])
    axes.set(xlabel="The model said", ylabel="It really was")
    if n_classes <= _MAX_CELLS_WITH_NUMBERS:
        for row, column in np.ndindex(counts.shape):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color)
    figure.colorbar(image, ax=axes, label="share of the row", shrink=0.8)
    return figure


def _name_classes(axes: Axes, classes: Sequence[str]) -> None:
    names = [shorten(label) for label in classes]
    size = float(np.clip(220 / len(names), 4, 10))
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    for text in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        text.set_parse_math(False)


def sample_predictions(score: TestScore, images: Sequence[ImageRecord]) -> Figure:
    """Test photos with actual and predicted label: the surest mistakes first, filled up with right ones."""
    chosen = _choose_samples(score)
    n_columns = min(4, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    figure = Figure(figsize=(2.6 * n_columns, 3.0 * n_rows), layout=_layout())
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, index in zip(grid.flat, chosen, strict=False):
        axes.imshow(load_image(images[index].path, _SAMPLE_PX))
        actual, predicted = score.classes[score.truth[index]], score.classes[score.predicted[index]]
        is_right = actual == predicted
        sign = "✓" if is_right else "✗"
        probability = score.probabilities[index].max()
        text = f"actual: {shorten(actual)}\n{sign} predicted: {shorten(predicted)} ({probability:.0%})"
        axes.set_title(text, fontsize=8, color="black" if is_right else _ORANGE, loc="left", parse_math=False)
    return figure


def _choose_samples(score: TestScore) -> list[int]:
    """Up to twelve: at most half mistakes, the rest spread over the classes."""
    surest = score.probabilities.max(axis=1)
    wrong = np.flatnonzero(score.predicted != score.truth)
    wrong = wrong[np.argsort(-surest[wrong], kind="stable")][: _MAX_SAMPLES // 2]
    right = np.flatnonzero(score.predicted == score.truth)
    rank = {int(i): int((score.truth[right[:k]] == score.truth[i]).sum()) for k, i in enumerate(right)}
    spread = sorted((int(i) for i in right), key=lambda i: rank[i])
    return [*(int(i) for i in wrong), *spread][:_MAX_SAMPLES]


def search_progress(trials: Sequence[TrialRecord], goal: Goal) -> Figure:
    """Every trial's score against the time at which it ended, and the best head so far as a step.

    The scores of other stages may speak of fewer photos, so they have marks of their own and no part in the step.
    """
    figure = Figure(figsize=(9, 3.6), layout=_layout())
    axes = figure.subplots()
    for stage, color in ((Stage.HEADS, _BLUE), (Stage.FINE_TUNING, _ORANGE), (Stage.BLEND, _GRAY)):
        scored = [
            (t.started_s + t.duration_s, 100 * t.score) for t in trials if t.stage is stage and t.score is not None
        ]
        if not scored:
            continue
        seconds, scores = zip(*scored, strict=True)
        axes.scatter(seconds, scores, s=14, color=color, marker=_MARKS[stage], label=_STAGES[stage])
        if stage is Stage.HEADS:
            axes.step(
                seconds, np.maximum.accumulate(scores), where="post", color=_BLUE, label="the best of these so far"
            )
    axes.set(xlabel="Seconds since the start", ylabel=_GOALS[goal])
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return figure


def shorten(label: str) -> str:
    """A class name that fits on a plot."""
    return label if len(label) <= _LABEL_CHARACTERS else label[: _LABEL_CHARACTERS - 1] + "…"


def _save(path: Path, title: str, figure: Figure, dpi: int = 110) -> Plot:
    figure.suptitle(title, fontsize=11)
    with warnings.catch_warnings():
        # Class names may be in any script; a missing glyph is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, dpi=dpi)
    return Plot(path, title)
