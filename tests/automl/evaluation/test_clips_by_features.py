"""Clips are found among features that are far more like their neighbours', and only where nobody said otherwise."""

from dataclasses import replace

import numpy as np
import pytest

from automl.datasets.manifest import manifest_of
from automl.datasets.split import with_folds_dealt_again
from automl.evaluation.clips_by_features import clips_by_features, n_known
from automl.records import DatasetManifest, SplitPlan
from tests.automl.datasets.clip_sets import frames
from tests.automl.datasets.held_out import held_out_split
from tests.automl.datasets.test_split import of_counts

N_FEATURES = 64


def features_of(n_clips: int, n_frames: int, *, spread: float = 0.5) -> np.ndarray:
    """Of clips of two classes by turns, float32 (2 * n_clips * n_frames, N_FEATURES)."""
    random = np.random.default_rng(n_clips)
    scenes = random.normal(size=(2 * n_clips, 1, N_FEATURES))
    seen = scenes + spread * random.normal(size=(2 * n_clips, n_frames, N_FEATURES))
    return seen.reshape(-1, N_FEATURES).astype(np.float32)


def photos(n_clips: int, n_frames: int) -> DatasetManifest:
    """Clips that nobody knows to be clips, in the order of their names: one class after the other."""
    images = of_counts(a=n_clips * n_frames, b=n_clips * n_frames)
    named = [replace(image, name=f"{image.label}/{i:04d}.jpg") for i, image in enumerate(images)]
    return manifest_of("x", named)


def all_learned(manifest: DatasetManifest) -> SplitPlan:
    plan = held_out_split(manifest, 0)
    pool = tuple(range(len(manifest.images)))
    return replace(plan, pool=pool, folds=((0,),) * len(pool), test=())


def test_clips_are_found_and_single_photos_are_none():
    manifest = photos(10, 6)
    found = clips_by_features(manifest, all_learned(manifest), features_of(10, 6))
    assert found is not None and found.n_clips == 20
    names = [image.clip for image in found.manifest.images]
    assert all(len(set(names[k : k + 6])) == 1 for k in range(0, 120, 6)) and len(set(names)) == 20
    assert [image.frame for image in found.manifest.images[6:12]] == list(range(6))
    assert clips_by_features(manifest, all_learned(manifest), features_of(60, 1)) is None


def test_nothing_is_looked_for_where_the_user_has_spoken():
    manifest, features = photos(10, 6), features_of(10, 6)
    assert clips_by_features(replace(manifest, keeps_clips=False), all_learned(manifest), features) is None
    site = [replace(image, clip="north") for image in manifest.images[:2]]
    named = replace(manifest, images=(*site, *manifest.images[2:]))
    assert clips_by_features(named, all_learned(manifest), features) is None


def test_what_was_together_stays_together():
    """The fingerprints have found one clip that begins in the middle of the first one and ends in the second one."""
    manifest = photos(10, 6)
    images = [replace(image, clip="known", frame=i) if 3 <= i < 9 else image for i, image in enumerate(manifest.images)]
    known = replace(manifest, images=tuple(images))
    found = clips_by_features(known, all_learned(known), features_of(10, 6))
    assert found is not None
    assert len({image.clip for image in found.manifest.images[:12]}) == 1


@pytest.mark.parametrize("seed", range(3))
def test_folds_keep_the_clips_that_were_found(seed):
    manifest, features = photos(10, 6), features_of(10, 6)
    plan = held_out_split(manifest, seed)
    found = clips_by_features(manifest, plan, features[list(plan.pool)])
    assert found is not None
    again = with_folds_dealt_again(found.manifest, plan, known=manifest)
    assert (again.pool, again.test) == (plan.pool, plan.test)
    folds: dict[str, set[tuple[int, ...]]] = {}
    for i, of_photo in zip(again.pool, again.folds, strict=True):
        folds.setdefault(found.manifest.images[i].clip or f"alone {i}", set()).add(of_photo)
    assert all(len(of_clip) == 1 for of_clip in folds.values())
    assert with_folds_dealt_again(found.manifest, plan, known=manifest) == again


@pytest.mark.parametrize("label", ["a", "b"])
def test_where_nothing_was_found_the_folds_are_the_same(label):
    manifest = manifest_of("x", [*frames(label, "clip", 30), *of_counts(c=40, d=20)])
    plan = held_out_split(manifest, 1)
    assert with_folds_dealt_again(manifest, plan, known=manifest) == plan


def test_test_photos_that_look_like_frames_are_counted():
    manifest, features = photos(10, 6), features_of(10, 6)
    tested = np.arange(len(features)) % 6 == 0
    plan = replace(all_learned(manifest), pool=tuple(np.flatnonzero(~tested).tolist()))
    found = clips_by_features(manifest, plan, features[~tested])
    assert found is not None
    assert n_known(found, features[~tested], features[tested]) == 20
    others = np.random.default_rng(9).normal(size=(20, N_FEATURES)).astype(np.float32)
    assert n_known(found, features[~tested], others) == 0
