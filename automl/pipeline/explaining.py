"""Where the delivered model looks, for a page of heat maps; its mistakes, and what it is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from automl.evaluation.explain import Explainer
from automl.evaluation.nearest import nearest
from automl.evaluation.plots import HeatMaps, LayerRow, layer_rows
from automl.evaluation.plots.photos import choose_samples
from automl.evaluation.score import TestScore
from automl.models.weights.cache import InstalledWeights
from automl.records import ImageRecord
from automl.records.report import ReportedMistake, ReportedPhoto
from automl.search.candidate import Candidate
from automl.search.frozen import FrozenFeatures
from automl.serving.heat import shown, typical_of
from automl.serving.predict import PhotoRules, load_image

_N_MISTAKES, _N_NEAREST = 12, 3


def heat_maps(
    candidate: Candidate,
    model: Any,
    *,
    weights: Mapping[str, InstalledWeights],
    learned: Sequence[ImageRecord],
    tested: Sequence[ImageRecord],
    score: TestScore,
    rules: PhotoRules,
) -> HeatMaps:
    """Heat maps of the test photos that the page of samples shows.

    Where there is no test set, they say what speaks for the answer that is shown in the eyes of the delivered model,
    though a model that had not seen the photo gave that answer.

    Args:
        candidate: The delivered model.
        model: The same as `Exporter.build_keras` built it.
        weights: The installed ones by the name of their backbone.
        learned: The photos that were learned from.
        tested: The test photos.
        score: The answers to the test photos.
        rules: How photos become pixels.
    """
    size = candidate.image_size_px
    typical = typical_of(learned)
    explainer = Explainer(weights, candidate, typical=_pixels(typical, size, rules), model=model)
    rows = choose_samples(score)
    heat = explainer.heat(_pixels([tested[row] for row in rows], size, rules), score.predicted[rows])
    return HeatMaps(shown(heat), rows)


def explained_mistakes(
    features: FrozenFeatures, *, learned: Sequence[ImageRecord], tested: Sequence[ImageRecord], score: TestScore
) -> tuple[ReportedMistake, ...]:
    """The most confident mistakes on test photos, each with the training photos that look most like it."""
    wrong, pool = _most_confident_mistakes(score), features.last_layer()
    if pool is None or not len(wrong):
        return ()
    neighbours = nearest(pool, features.last_layer_of([tested[row] for row in wrong.tolist()]), _N_NEAREST)
    return _reported_mistakes(wrong, neighbours.tolist(), learned=learned, tested=tested, score=score)


def explained_mistakes_of_folds(
    features: FrozenFeatures, *, learned: Sequence[ImageRecord], folds: np.ndarray, score: TestScore
) -> tuple[ReportedMistake, ...]:
    """The same without a test set: each photo beside those that the model which answered for it has learned from.

    folds: int (n_learned,), the fold that has not seen the photo; -1 for one that was not asked about.
    """
    wrong, pool = _most_confident_mistakes(score), features.last_layer()
    if pool is None or not len(wrong):
        return ()
    rows = np.flatnonzero(folds >= 0)
    neighbours = []
    for row in rows[wrong].tolist():
        others = np.flatnonzero(folds != folds[row])
        neighbours.append(others[nearest(pool[others], pool[[row]], _N_NEAREST)[0]].tolist())
    tested = [learned[row] for row in rows.tolist()]
    return _reported_mistakes(wrong, neighbours, learned=learned, tested=tested, score=score)


def _most_confident_mistakes(score: TestScore) -> np.ndarray:
    """int (n,): rows of the score."""
    wrong = np.flatnonzero(score.predicted != score.truth)
    return wrong[np.argsort(-score.confidence[wrong], kind="stable")][:_N_MISTAKES]


def _reported_mistakes(
    wrong: np.ndarray,
    neighbours: Sequence[Sequence[int]],
    *,
    learned: Sequence[ImageRecord],
    tested: Sequence[ImageRecord],
    score: TestScore,
) -> tuple[ReportedMistake, ...]:
    """neighbours: of each mistake, rows of `learned`, the most alike first."""
    return tuple(
        ReportedMistake(
            name=tested[row].name,
            sha256=tested[row].sha256,
            label=tested[row].label,
            predicted=score.classes[score.predicted[row]],
            confidence=round(float(score.confidence[row]), 4),
            nearest=tuple(_reported(learned[one]) for one in near),
        )
        for row, near in zip(wrong.tolist(), neighbours, strict=True)
    )


def _reported(image: ImageRecord) -> ReportedPhoto:
    return ReportedPhoto(name=image.name, sha256=image.sha256, label=image.label)


def layers_of(candidate: Candidate, model: Any) -> list[LayerRow]:
    """The layers of its Keras `model`; a backbone that was not fine-tuned is frozen."""
    frozen = [branch.name for branch in candidate.branches if branch.tuned is None]
    return layer_rows(model, frozen)


def _pixels(images: Sequence[ImageRecord], size_px: int, rules: PhotoRules) -> np.ndarray:
    return np.stack([load_image(image.path, size_px, rules) for image in images])
