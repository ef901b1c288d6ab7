"""Small results to plot, and what a figure really writes where."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from automl.evaluation.bias_corrected import BiasCorrected
from automl.evaluation.calibration import Bin, Calibration
from automl.evaluation.plots.style import lay_out
from automl.evaluation.score import TestScore
from automl.models.head.training import Curves
from automl.records import ImageRecord, Stage, TrialRecord, TrialState

CURVES = Curves(
    train_loss=(1.0, 0.5), train_accuracy=(0.5, 0.8), validation_loss=(1.1, 0.7), validation_accuracy=(0.4, 0.75)
)
BINS = (Bin(0.5, 0.4, 10), Bin(0.9, 0.7, 30)), (Bin(0.5, 0.5, 12), Bin(0.8, 0.8, 28))
CALIBRATION = Calibration(
    temperature=1.4,
    ece_before=0.17,
    ece_after=0.01,
    bins_before=BINS[0],
    bins_after=BINS[1],
    threshold=0.7,
    coverage=0.7,
    accuracy_when_sure=0.95,
)


def score(n_classes: int, n_images: int = 40) -> TestScore:
    """Right four times of five; every third name is as long and as wide as names are."""
    random = np.random.default_rng(0)
    names = tuple(f"{'W' * 30 if i % 3 == 2 else 'class $x_'} {i}" for i in range(n_classes))
    truth = np.arange(n_images) % n_classes
    said = np.where(random.random(n_images) < 0.8, truth, random.integers(n_classes, size=n_images))
    probabilities = random.dirichlet(np.ones(n_classes), n_images) + np.eye(n_classes)[said]
    return TestScore(
        classes=names, truth=truth, probabilities=(probabilities / 2).astype(np.float32), baseline_accuracy=0.5
    )


def cross_validated_score(n_classes: int, n_images: int = 40) -> TestScore:
    """The same without a test set."""
    found = score(n_classes, n_images)
    correctness = (found.predicted == found.truth).astype(float)
    corrected = BiasCorrected(
        correctness=correctness,
        accuracy=float(correctness.mean()),
        accuracy_interval=(0.6, 0.9),
        balanced_accuracy=float(correctness.mean()),
        balanced_accuracy_interval=(0.6, 0.9),
        log_loss=0.5,
        coverage=0.0,
        accuracy_when_sure=None,
    )
    return replace(found, corrected=corrected)


def pictures(folder, n: int) -> list[ImageRecord]:
    path = folder / "picture.png"
    Image.new("RGB", (30, 30), "green").save(path)
    return [ImageRecord(path=path, name="picture.png", label="x", sha256="0", width=30, height=30)] * n


def trial(number, value, stage=Stage.HEADS, state=TrialState.COMPLETE, params=None, n_bytes=0, latency_s=0.0):
    return TrialRecord(
        number=number,
        state=state,
        backbones=("a",),
        image_size_px=224,
        params=params or {},
        score=value,
        started_s=number,
        duration_s=1.0,
        stage=stage,
        n_bytes=n_bytes,
        latency_s=latency_s,
    )


def searched(n: int = 40) -> list[TrialRecord]:
    """Heads whose learning rate decides, then fine-tuning; some pruned, one failed."""
    random = np.random.default_rng(1)
    trials = []
    for number in range(n):
        stage = Stage.HEADS if number < n / 2 else Stage.FINE_TUNING
        rate = float(10 ** random.uniform(-3, -1))
        names = ("mobilenet_v2", "mobilenet_v2+efficientnet_lite0")
        params = {
            "learning_rate": rate,
            "dropout": float(random.uniform(0, 0.6)),
            "backbones": names[number % 2],
            "image_size_px": (96, 160, 224)[number % 3],
            "always": "same",
        }
        value = 0.9 - 0.1 * abs(np.log10(rate) + 2) + 0.001 * float(random.random())
        trials.append(trial(number, value, stage, params=params, n_bytes=9_000_000 + number, latency_s=0.01))
    pruned = trial(n, None, Stage.FINE_TUNING, TrialState.PRUNED)
    return [*trials, pruned, trial(n + 1, None, Stage.HEADS, TrialState.FAILED)]


def drawn_texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[float, ...]]]:
    """Each text that is drawn, and its boxes: left, bottom, right, top in pixels."""
    found: dict[str, list[tuple[float, ...]]] = {}
    draw = Text.draw

    def record(text: Text, renderer) -> None:
        if text.get_visible() and text.get_text().strip():
            found.setdefault(text.get_text(), []).append(text.get_window_extent(renderer).extents)
        draw(text, renderer)

    lay_out(figure)
    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", record)
        figure.draw_without_rendering()
    return found


def assert_readable(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    """All texts lie within the figure, and none on another one."""
    found = drawn_texts(figure, monkeypatch)
    texts = [text for text, boxes in found.items() for _ in boxes]
    boxes = np.array([box for same in found.values() for box in same])
    assert len(texts) > 1
    outside = (boxes[:, :2] < -1).any(axis=1) | (boxes[:, 2:] > np.array(figure.bbox.size) + 1).any(axis=1)
    assert [texts[i] for i in np.flatnonzero(outside)] == []
    apart = [(boxes[:, None, k + 2] <= boxes[None, :, k] + 1.5) for k in (0, 1)]
    overlap = ~(apart[0] | apart[0].T | apart[1] | apart[1].T)
    assert [(texts[i], texts[j]) for i, j in np.argwhere(np.triu(overlap, 1))] == []
