"""A part of the photos stands for all of them where there is no time for more."""

from collections import Counter
from pathlib import Path

import pytest

from automl.pipeline.thinning import affordable_share, thinned
from automl.records import DatasetManifest, ImageRecord, SplitPlan
from tests.automl.datasets.held_out import held_out_split


def manifest(**counts: int) -> DatasetManifest:
    """Every tenth picture is there twice."""
    images = [
        ImageRecord(
            path=Path("x"), name="x", label=label, sha256=f"{label} {number - (number % 10 == 9)}", width=9, height=9
        )
        for label, count in counts.items()
        for number in range(count)
    ]
    return DatasetManifest(name="x", classes=tuple(sorted(counts)), images=tuple(images), refused=(), fingerprint="f")


def labels(photos: DatasetManifest, plan: SplitPlan) -> Counter[str]:
    return Counter(photos.images[index].label for index in plan.pool)


@pytest.mark.parametrize(("seconds", "share"), [(10, 1.0), (15, 1.0), (16, 0.7071), (60, 0.25), (61, 0.17678)])
def test_half_of_the_budget_is_for_the_first_look_at_the_photos(seconds, share):
    assert affordable_share(seconds, 30) == pytest.approx(share, abs=1e-4)


def test_every_class_keeps_its_share_and_a_rare_one_ten_photos():
    photos = manifest(a=8000, b=2000, c=40, d=6)
    full = held_out_split(photos, 0)
    plan, before = thinned(photos, full, 0.1), labels(photos, full)
    after = labels(photos, plan)
    assert after["a"] == pytest.approx(0.1 * before["a"], rel=0.05)
    assert after["b"] == pytest.approx(0.1 * before["b"], rel=0.05)
    assert 10 <= after["c"] <= 15
    assert after["d"] == before["d"]


def test_every_class_keeps_its_share_of_held_out_photos_and_the_test_is_untouched():
    photos = manifest(a=8000, b=2000)
    full = held_out_split(photos, 0)
    plan = thinned(photos, full, 0.1)
    shares = [sum(fold == (0,) for fold in one.folds) / len(one.pool) for one in (full, plan)]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    assert (plan.test, plan.left_out, plan.n_folds) == (full.test, full.left_out, full.n_folds)
    fold_of = dict(zip(full.pool, full.folds, strict=True))
    assert [fold_of[index] for index in plan.pool] == list(plan.folds)


def test_copies_of_a_picture_stay_together():
    photos = manifest(a=3000, b=3000)
    full = held_out_split(photos, 0)
    n_before = Counter(photos.images[index].sha256 for index in full.pool)
    n_after = Counter(photos.images[index].sha256 for index in thinned(photos, full, 0.2).pool)
    assert all(n == n_before[sha256] for sha256, n in n_after.items())


def test_of_few_photos_one_repeat_with_all_its_folds_is_left():
    photos = manifest(a=30, b=30)
    full = held_out_split(photos, 0)
    plan = thinned(photos, full, 0.2)
    assert len(full.folds[0]) == 3
    assert {fold for (fold,) in plan.folds} == set(range(5))
    assert min(labels(photos, plan).values()) >= 10
