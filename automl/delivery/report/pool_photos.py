"""What the models of a run have found out about the photos that they learned from."""

import numpy as np

from automl.delivery.report.building import labels_of
from automl.evaluation.learning_curve import learning_curve
from automl.evaluation.look_alikes import MAX_PHOTOS, look_alikes
from automl.evaluation.suspects import suspected_labels
from automl.records import DatasetManifest, SplitPlan
from automl.records.learning_curve import CurvePoint
from automl.records.report import DoubtedLabel, LookAlikePair
from automl.search.candidate import Candidate


def doubted_labels(candidate: Candidate, manifest: DatasetManifest, plan: SplitPlan) -> tuple[DoubtedLabel, ...]:
    """The photos whose label the model doubts, the most doubtful first; only photos that it answered held out."""
    found = suspected_labels(candidate.held_out_logits, labels_of(manifest, plan))
    images = [manifest.images[plan.pool[suspect.row]] for suspect in found]
    return tuple(
        DoubtedLabel(
            name=image.name,
            sha256=image.sha256,
            label=image.label,
            suggested=manifest.classes[suspect.suggested],
            confidence=round(suspect.confidence, 4),
        )
        for suspect, image in zip(found, images, strict=True)
    )


def look_alike_pairs(
    features: np.ndarray | None, manifest: DatasetManifest, plan: SplitPlan
) -> tuple[LookAlikePair, ...]:
    """Pairs of photos of the pool that look like parts of each other. Too large a pool has none.

    features: float (n_pool, n_features), None where they are not known.
    """
    if features is None or len(features) > MAX_PHOTOS:
        return ()
    images = [manifest.images[i] for i in plan.pool]
    return tuple(
        LookAlikePair(sha256=(images[one].sha256, images[other].sha256), likeness=round(likeness, 4))
        for one, other, likeness in look_alikes(features, [image.group or image.sha256 for image in images])
    )


def worth_of_photos(features: np.ndarray | None, manifest: DatasetManifest, plan: SplitPlan) -> tuple[CurvePoint, ...]:
    """How much better a quick model becomes with more photos of the pool; too large a pool has no such figures.

    features: float (n_pool, n_features), None where they are not known.
    """
    if features is None:
        return ()
    images = [manifest.images[i] for i in plan.pool]
    return learning_curve(
        features,
        labels_of(manifest, plan),
        folds=np.array([folds[0] for folds in plan.folds], int),
        groups=[image.clip or image.group or image.sha256 for image in images],
        seed=plan.seed,
    )
