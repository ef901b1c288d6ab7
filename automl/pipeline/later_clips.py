"""What a run makes of clips that only the features of a backbone reveal, when the test is dealt out already."""

import math
from collections.abc import Sequence

import numpy as np

from automl.datasets.split import with_folds_dealt_again
from automl.evaluation.clips_by_features import ClipsByFeatures, clips_by_features, n_known
from automl.records import DatasetManifest, ImageRecord, RememberedSides, SplitPlan
from automl.search.frozen import FrozenFeatures
from automl.search.observer import Observer
from automl.text.messages import pipeline as pipeline_messages

_MOST_COMPARED = 300
"""Test photos that are compared with clips; more would take longer than people wait for a result."""


def later_clips(
    manifest: DatasetManifest,
    plan: SplitPlan,
    features: np.ndarray,
    observer: Observer,
    *,
    remembered: RememberedSides | None = None,
) -> tuple[ClipsByFeatures, SplitPlan] | None:
    """The clips that were not known, and the same split with folds that keep them whole; None where there are none.

    It must be called before the first trial is scored. The same features give the same folds, so a continued run has
    those of its first attempt.

    Args:
        manifest: The photos.
        plan: The split so far.
        features: float (n_pool, n_features), of the photos that are learned from.
        observer: Is told what was found.
        remembered: The sides that photos had in earlier runs.
    """
    found = clips_by_features(manifest, plan, features)
    if found is None:
        return None
    again = with_folds_dealt_again(found.manifest, plan, known=manifest, remembered=remembered)
    observer.note(pipeline_messages.CLIPS_FOUND_LATER.format(n=found.n_clips, photos=len(found.rows)))
    for note in again.notes:
        if note not in plan.notes:
            observer.note(note)
    return found, again


def note_clips_in_test(
    clips: ClipsByFeatures, features: FrozenFeatures, test_images: Sequence[ImageRecord], observer: Observer
) -> None:
    """Says so where test photos look like frames of these clips: the score does not hold for photos of other ones."""
    pool = features.last_layer()
    if pool is None:
        return
    compared = test_images[:: math.ceil(len(test_images) / _MOST_COMPARED)]
    if n := n_known(clips, pool, features.last_layer_of(compared)):
        observer.note(pipeline_messages.TEST_HAS_FRAMES.format(n=n, compared=len(compared)))
