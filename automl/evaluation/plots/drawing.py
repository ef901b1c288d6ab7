"""All plots of a run, in the order in which people look at them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from automl.evaluation.calibration import Calibration
from automl.evaluation.plots.confusion import confusion_matrix
from automl.evaluation.plots.curves import learning_curves
from automl.evaluation.plots.fonts import drawn_with, legible_names
from automl.evaluation.plots.layers import LayerRow, layer_table
from automl.evaluation.plots.per_class import per_class_scores
from automl.evaluation.plots.photos import heat_maps, sample_predictions
from automl.evaluation.plots.progress import search_progress
from automl.evaluation.plots.reliability import reliability_diagram
from automl.evaluation.plots.roc import roc_curves, shown_classes
from automl.evaluation.plots.settings import importance_bars, parallel_coordinates
from automl.evaluation.plots.settings_study import studies_of
from automl.evaluation.plots.style import Plot, save, save_photographs
from automl.evaluation.plots.trade_offs import costed_trials, trade_offs
from automl.evaluation.score import TestScore
from automl.models.head.training import Curves
from automl.records import Goal, ImageRecord, TrialRecord
from automl.serving.predict import PhotoRules


@dataclass(frozen=True, slots=True)
class HeatMaps:
    """Where some test photos speak for the class that the model named.

    Attributes:
        heat: float32 (n, height, width), 0-1.
        rows: The n test photos that it belongs to.
    """

    heat: np.ndarray
    rows: Sequence[int]


def draw_all(
    folder: Path,
    *,
    curves: Curves,
    best_epoch: int,
    score: TestScore,
    test_images: Sequence[ImageRecord],
    rules: PhotoRules,
    trials: Sequence[TrialRecord],
    goal: Goal,
    calibration: Calibration | None = None,
    maps: HeatMaps | None = None,
    layers: Sequence[LayerRow] = (),
) -> list[Plot]:
    """Draws every plot into `folder` for which there is something to show.

    A regression knows no epochs and has no learning curves. ROC curves need test photos of two classes, trade-offs a
    trial of known size, and settings can be compared from twelve complete trials of a stage on.

    Args:
        folder: It is made if it is not there.
        curves: How the winner learned.
        best_epoch: The epoch that was kept, from 1; 0 where there are none.
        score: The winner's answers to the test photos.
        test_images: The photos that the rows of `score` belong to.
        rules: How they become pixels.
        trials: All trials of the run.
        goal: What the search made as high as possible.
        calibration: Of the winner; None where it was not calibrated.
        maps: Heat maps of some test photos; None where there was no time for them.
        layers: The layers of the winner's Keras model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    legible = legible_names(score.classes)
    score = replace(score, classes=legible.names)
    with drawn_with(legible.families):
        return [
            save(folder / "confusion_matrix.png", confusion_matrix(score), legible.unshown),
            *_photographs(folder, score, test_images=test_images, rules=rules, maps=maps),
            save(folder / "per_class.png", per_class_scores(score), legible.unshown),
            *_probabilities(folder, score, calibration=calibration, unshown=legible.unshown),
            *([save(folder / "learning_curves.png", learning_curves(curves, best_epoch))] if curves.train_loss else []),
            save(folder / "search.png", search_progress(trials, goal)),
            *_settings(folder, trials, goal),
            *([save(folder / "layers.png", layer_table(layers))] if layers else []),
        ]


def _photographs(
    folder: Path, score: TestScore, *, test_images: Sequence[ImageRecord], rules: PhotoRules, maps: HeatMaps | None
) -> Iterator[Plot]:
    yield save_photographs(folder / "sample_predictions.png", sample_predictions(score, test_images, rules))
    if maps:
        figure = heat_maps(score, test_images, heat=maps.heat, rows=maps.rows, rules=rules)
        yield save_photographs(folder / "heat_maps.png", figure)


def _probabilities(
    folder: Path, score: TestScore, *, calibration: Calibration | None, unshown: Mapping[str, str]
) -> Iterator[Plot]:
    if shown_classes(score):
        yield save(folder / "roc.png", roc_curves(score), unshown)
    if calibration and calibration.bins_before:
        yield save(
            folder / "reliability.png", reliability_diagram(calibration, tests_every_photo=not score.is_held_out)
        )


def _settings(folder: Path, trials: Sequence[TrialRecord], goal: Goal) -> Iterator[Plot]:
    if costed_trials(trials):
        yield save(folder / "trade_offs.png", trade_offs(trials, goal))
    studies = studies_of(trials)
    if studies:
        yield save(folder / "importance.png", importance_bars(studies))
    for study in studies:
        name = f"settings_{study.stage.value.replace('-', '_')}.png"
        yield save(folder / name, parallel_coordinates(study, goal))
