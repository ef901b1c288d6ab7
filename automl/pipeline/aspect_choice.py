"""Chooses for a run how its photos become square, and says what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from automl.delivery.report.building import labels_of
from automl.images.pixel_rules import rules_of
from automl.pipeline.thinning import thinned
from automl.records import Aspect, DatasetManifest, SplitPlan, TrialRecord
from automl.search.aspect import (
    ASPECTS,
    AspectScore,
    affordable_photos,
    are_not_square,
    best_aspect,
    score_of,
)
from automl.search.block import Block
from automl.search.context import SearchContext
from automl.search.costs import ModelCosts
from automl.search.frozen import FrozenFeatures
from automl.search.plan import INPUT_SIZES_PX, block_seconds
from automl.search.search import planned_features
from automl.text.messages import pipeline as pipeline_messages
from automl.text.numbers import percent

_NOTES: Mapping[Aspect, str] = {
    "squeeze": pipeline_messages.ASPECT_SQUEEZE,
    "whole": pipeline_messages.ASPECT_WHOLE,
    "crop": pipeline_messages.ASPECT_CROP,
}


class AspectChoice:
    """One choice for one run.

    Args:
        plan: whose pool is learned from; its photos are the rows of `features`.
        features: of these photos.
        context: of the search that follows.
    """

    def __init__(
        self,
        manifest: DatasetManifest,
        plan: SplitPlan,
        *,
        features: FrozenFeatures,
        context: SearchContext,
    ) -> None:
        self._manifest, self._plan, self._features = manifest, plan, features
        self._context, self._observer = context, context.observer

    @staticmethod
    def of_earlier(trials: Sequence[TrialRecord]) -> Aspect | None:
        """What an attempt at the run that was broken off had chosen; None where it had no choice."""
        chosen = {trial.params.get("aspect") for trial in trials}
        return next((aspect for aspect in ASPECTS if aspect in chosen), None)

    def compared(self) -> Aspect | None:
        """The best way, by the first network at the size of the run; None where there is no need or no time.

        The size matters: what is whole is smaller in its square, so few pixels cost it more than squeezing does.
        """
        if self._manifest.contract is None or not are_not_square([self._manifest.images[i] for i in self._plan.pool]):
            return None
        self._observer.activity(pipeline_messages.COMPARING_ASPECTS)
        costs = ModelCosts(self._features, objective=self._context.objective, n_classes=len(self._manifest.classes))
        if not any(costs.is_allowed([name], INPUT_SIZES_PX[0]) for name in self._features.backbones):
            return None  # the search will say so
        first = planned_features(self._context, self._features, costs).blocks[0]
        n = self._n_affordable(first)
        if not n:
            return None
        some = thinned(self._manifest, self._plan, n / len(self._plan.pool))
        scores = self._scores(some, first)
        best = best_aspect(scores)
        self._observer.note(
            _NOTES[best].format(n=len(some.pool), **{name: percent(scores[name].accuracy) for name in ASPECTS})
        )
        return best

    def _n_affordable(self, block: Block) -> int:
        n_photos = len(self._plan.pool)
        decode_s = self._features.decode_seconds() / n_photos
        look_s = block_seconds(self._features.seconds_per_image(block.backbone), block.image_size_px, len(ASPECTS))
        return affordable_photos(decode_s + look_s, n_photos, self._context.budget.search_left_s)

    def _scores(self, some: SplitPlan, block: Block) -> dict[Aspect, AspectScore]:
        place = {index: row for row, index in enumerate(self._plan.pool)}
        usual = rules_of(self._manifest.contract)
        layers = self._features.last_layers_by(
            [replace(usual, aspect=aspect) for aspect in ASPECTS],
            [place[index] for index in some.pool],
            block,
            lambda done, total: self._observer.activity(pipeline_messages.COMPARING_ASPECTS, done / total),
        )
        labels, folds = labels_of(self._manifest, some), np.array(some.folds)[:, 0]
        return {aspect: score_of(found, labels, folds) for aspect, found in zip(ASPECTS, layers, strict=True)}
