"""What a run finds out about photos of nothing that its model has learned."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from automl.delivery.tap_inputs import frozen_taps, tap_name
from automl.evaluation.intervals import clustered_interval, wilson_interval
from automl.evaluation.novelty import FEWEST_PHOTOS, MOST_PHOTOS, Novelty, learn_distance
from automl.evaluation.other_pictures import other_pictures
from automl.evaluation.score import TestScore
from automl.models.weights.cache import InstalledWeights
from automl.processors import onnx_threads
from automl.records import SplitPlan
from automl.records.report import NoveltyReport
from automl.search.block import Block
from automl.search.candidate import Candidate
from automl.search.frozen import FrozenFeatures
from automl.search.joined import unit
from automl.serving.predict import Classifier, resize_square
from automl.text.messages import pipeline as pipeline_messages


def learned_novelty(
    candidate: Candidate,
    *,
    features: FrozenFeatures,
    weights: Mapping[str, InstalledWeights],
    plan: SplitPlan,
) -> Novelty | None:
    """How far photos are from all that a model learned from; None where it cannot tell, see `why_unable`.

    Only networks that were not fine-tuned take part: the features of a fine-tuned one have seen every photo that could
    say how far true photos are.
    """
    taps = frozen_taps(candidate, weights)
    if not taps:
        return None
    n = len(plan.pool)
    rows = np.linspace(0, n - 1, min(n, MOST_PHOTOS)).round().astype(int)
    folds = np.array(plan.folds)[rows, 0]
    blocks = [(Block(branch.backbone, branch.image_size_px), number) for branch, number in taps]
    for block in {block for block, _ in blocks} - features.available():
        features.compute(block, lambda _done, _total: None)
    units = [unit(features.tap(block, number, rows)) for block, number in blocks]
    return learn_distance(
        np.concatenate(units, axis=1),
        taps=[tap_name(tap) for tap in taps],
        widths=[part.shape[1] for part in units],
        folds=folds,
    )


def why_unable(candidate: Candidate, weights: Mapping[str, InstalledWeights]) -> str:
    """Why a model cannot tell photos of nothing that it has learned, for its user."""
    if not frozen_taps(candidate, weights):
        return pipeline_messages.NO_DISTANCE_WHEN_TUNED
    return pipeline_messages.NO_DISTANCE_OF_FEW.format(n=FEWEST_PHOTOS)


def novelty_report(novelty: Novelty, score: TestScore, model: Path) -> NoveltyReport:
    """Both rates, of true photos and of other pictures.

    Args:
        novelty: of the delivered model.
        score: its answers to the test photos; without a test set, photos that were held out count.
        model: the delivered `model.onnx`, which is asked about the other pictures.
    """
    flagged, clusters = novelty.flagged, np.arange(len(novelty.flagged))
    if score.distances is not None:
        flagged = score.distances > 1
        clusters = np.arange(len(flagged)) if score.clusters is None else score.clusters
    classifier = Classifier(model, onnx_threads())
    others = other_pictures()
    n_recognised = 0
    for picture in others:
        _, distances = classifier.ask_arrays(resize_square(picture, classifier.size_px, classifier.rules)[np.newaxis])
        n_recognised += distances is not None and bool(distances[0] > 1)
    return NoveltyReport(
        is_tested=score.distances is not None,
        n_photos=len(flagged),
        n_flagged=int(flagged.sum()),
        flagged_95=clustered_interval(flagged, clusters),
        n_others=len(others),
        n_recognised=n_recognised,
        recognised_95=wilson_interval(n_recognised, len(others)),
    )
