"""Clips are dealt out, not their frames; a class of one clip is cut into blocks of time with gaps between them."""

import random
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest

from automl.datasets.manifest import manifest_of
from automl.datasets.split import ALWAYS_TRAINED
from automl.datasets.split_groups import together
from automl.records import ImageRecord, Split, SplitPlan
from tests.automl.datasets.clip_sets import clips, frames
from tests.automl.datasets.held_out import held_out_split
from tests.automl.datasets.test_split import bursts, near, of_counts


def random_images(seed: int) -> list[ImageRecord]:
    """Classes of clips, of single photos, of near copies, of one clip, and sites that have photos of every class."""
    chance = random.Random(seed)
    images: list[ImageRecord] = []
    for label in "abcd"[: chance.randint(2, 4)]:
        images += clips(label, [chance.randint(3, 30) for _ in range(chance.choice([0, 1, 2, 3, 8, 20]))])
        images += of_counts(**{label: chance.choice([0, 2, 5, 40])})
        images += bursts(label, chance.choice([0, 3]), 4)
        images += of_counts(**{label: 2})
    for site in range(chance.choice([0, 0, 5])):
        for label in {image.label for image in images}:
            images += frames(label, f"site {site}", chance.randint(1, 5), ordered=False)
    return images


def sides_of(images: list[ImageRecord], plan: SplitPlan) -> dict[int, object]:
    """Test, or the folds of a photo in each repeat; photos that are left out are not there."""
    return dict.fromkeys(plan.test, "test") | dict(zip(plan.pool, plan.folds, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_no_clip_is_on_both_sides_unless_it_is_all_of_a_class(seed):
    images = random_images(seed)
    plan = held_out_split(manifest_of("x", images), seed)
    sides = sides_of(images, plan)
    n_of = Counter(image.label for image in images)
    of_clip: defaultdict[str, set[object]] = defaultdict(set)
    for row, side in sides.items():
        image = images[row]
        is_cut = sum(one.clip == image.clip for one in images) >= 0.8 * n_of[image.label]
        if image.clip and not is_cut:
            of_clip[image.clip].add(side == "test")
    assert all(len(both) == 1 for both in of_clip.values())
    assert sorted([*sides, *plan.left_out]) == list(range(len(images)))


@pytest.mark.parametrize("seed", range(40))
def test_every_class_is_tested_and_learned(seed):
    images = random_images(seed)
    plan = held_out_split(manifest_of("x", images), seed)
    labels = {image.label for image in images}
    assert {images[i].label for i in plan.test} == {images[i].label for i in plan.pool} == labels


@pytest.mark.parametrize("seed", range(10))
def test_whole_clips_are_dealt_to_the_folds(seed):
    images = clips("a", [10] * 8) + clips("b", [12] * 8)
    plan = held_out_split(manifest_of("x", images), seed)
    assert Counter(images[i].label for i in plan.test) == {"a": 20, "b": 24}
    of_clip: defaultdict[str, set[object]] = defaultdict(set)
    for row, side in sides_of(images, plan).items():
        of_clip[images[row].clip].add(side)
    assert all(len(sides) == 1 for sides in of_clip.values())
    assert any("44 photos (25 %) are kept for the final test, those of 4 clips" in note for note in plan.notes)


def test_one_giant_clip_among_many_is_never_the_test():
    images = clips("a", [300, *[5] * 20]) + of_counts(b=100)
    for seed in range(10):
        assert "a0" not in {images[i].clip for i in held_out_split(manifest_of("x", images), seed).test}


@pytest.mark.parametrize("n_frames", [6, 15, 60, 300])
def test_a_class_of_one_clip_is_cut_into_blocks_with_a_gap_between_them(n_frames):
    images = frames("a", "turn", n_frames) + of_counts(b=60)
    plan = held_out_split(manifest_of("x", images), 0)
    sides = sides_of(images, plan)
    runs = [sides.get(row, "gap") for row in range(n_frames)]
    tested = [row for row in range(n_frames) if runs[row] == "test"]
    assert 0.1 * n_frames <= len(tested) <= 0.5 * n_frames
    assert not any({"test"} < {one, other} and "gap" not in (one, other) for one, other in pairwise(runs))
    assert runs.count("gap") <= 0.3 * n_frames
    (note,) = (note for note in plan.notes if "blocks of time" in note)
    assert "'a'" in note and "The score holds for this scene only" in note
    assert not any("copies of test photos" in note for note in plan.notes)


def test_the_ends_of_a_turntable_are_neighbours_too():
    images = frames("a", "turn", 72) + of_counts(b=60)
    plan = held_out_split(manifest_of("x", images), 0)
    assert 71 in plan.left_out


def test_near_copies_within_a_clip_do_not_join_its_blocks():
    images = [*(replace(image, group="same") for image in frames("a", "turn", 40)), *of_counts(b=60)]
    assert {images[i].label for i in held_out_split(manifest_of("x", images), 0).test} == {"a", "b"}


def test_where_one_clip_is_left_to_learn_from_models_are_compared_on_parts_of_it():
    images = clips("a", [12, 12]) + clips("b", [12, 12])
    plan = held_out_split(manifest_of("x", images), 0)
    assert len(plan.test) == 24 and all(ALWAYS_TRAINED not in folds for folds in plan.folds)
    for repeat in zip(*plan.folds, strict=True):
        for fold in range(plan.n_folds):
            assert {images[i].label for i, one in zip(plan.pool, repeat, strict=True) if one != fold} == {"a", "b"}
    assert any("only one clip of 'a' and 'b' to learn from" in note for note in plan.notes)


@pytest.mark.parametrize("seed", range(10))
def test_groups_that_the_user_named_may_span_classes_and_are_tested_as_a_whole(seed):
    sites = [one for site in range(6) for label in "ab" for one in frames(label, f"site {site}", 5, ordered=False)]
    plan = held_out_split(manifest_of("x", sites), seed)
    tested = {sites[i].clip for i in plan.test}
    assert len(tested) == 2 and tested.isdisjoint({sites[i].clip for i in plan.pool})
    folds: defaultdict[str, set[object]] = defaultdict(set)
    for i, fold in zip(plan.pool, plan.folds, strict=True):
        folds[sites[i].clip].add(fold)
    assert all(len(of_site) == 1 for of_site in folds.values())


def test_near_copies_in_two_classes_are_still_never_tested():
    mixed = [*near("a", "x", 2), *near("b", "x", 2)]
    images = [*mixed, *clips("a", [5] * 6), *clips("b", [5] * 6)]
    for seed in range(10):
        assert {0, 1, 2, 3} <= set(held_out_split(manifest_of("x", images), seed).pool)


def test_a_test_folder_of_the_user_stays_and_groups_on_both_sides_are_pointed_out():
    images = [
        *(one for site in range(4) for label in "ab" for one in frames(label, f"s{site}", 4, ordered=False)),
        *(one for label in "ab" for one in frames(label, "s0", 3, Split.TEST, ordered=False)),
    ]
    plan = held_out_split(manifest_of("x", images), 0)
    assert plan.test == tuple(range(32, 38)) and not plan.left_out
    assert any(
        "Photos of 1 clip or group are in the test folder and among the training photos" in note for note in plan.notes
    )


def test_what_belongs_together_is_numbered():
    images = [*frames("a", "one", 3), *near("a", "x", 2), *of_counts(a=2), *of_counts(a=1)]
    assert together(images).tolist() == [0, 0, 0, 1, 1, 2, 3, 2]


def two_sites() -> list[ImageRecord]:
    return [one for site in ("north", "south") for label in "ab" for one in frames(label, site, 10, ordered=False)]


def test_of_two_sites_one_is_tested_and_models_are_compared_on_photos_of_the_other():
    images = two_sites()
    plan = held_out_split(manifest_of("x", images), 0)
    assert len({images[i].clip for i in plan.test}) == len({images[i].clip for i in plan.pool}) == 1
    assert {fold for folds in plan.folds for fold in folds} == set(range(plan.n_folds))
    assert any("only one group of 'a' and 'b' to learn from" in note for note in plan.notes)


def test_a_class_of_one_patient_is_tested_photo_by_photo_and_the_others_by_patient():
    images = [one for patient in range(5) for one in frames("ill", f"patient {patient}", 4, ordered=False)]
    images += frames("well", "patient 9", 20, ordered=False)
    plan = held_out_split(manifest_of("x", images), 0)
    assert {images[i].label for i in plan.test} == {images[i].label for i in plan.pool} == {"ill", "well"}
    assert len({images[i].clip for i in plan.test if images[i].label == "ill"}) == 1
    assert plan.notes[0].startswith("All photos of 'well' are of one group")
    assert not any("too few" in note or "only one photo" in note for note in plan.notes)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_user_names_as_groups_every_class_is_tested_and_learned(seed):
    chance = random.Random(seed)
    n_groups = chance.choice([2, 3, 6])
    images = [
        one
        for label in "abc"[: chance.randint(2, 3)]
        for group in chance.sample(range(n_groups), chance.randint(1, n_groups))
        for one in frames(label, f"group {group}", chance.randint(2, 6), ordered=False)
    ]
    plan = held_out_split(manifest_of("x", images), seed)
    labels = {image.label for image in images}
    assert {images[i].label for i in plan.test} == {images[i].label for i in plan.pool} == labels


def test_a_validation_folder_with_frames_of_every_clip_leaves_enough_to_learn_from():
    images = [
        replace(image, split=Split.VALIDATION if image.frame % 5 == 4 else Split.TRAIN)
        for label in "ab"
        for image in clips(label, [60] * 60)
    ]
    plan = held_out_split(manifest_of("x", images), 0)
    n_validated = sum(folds[0] == 0 for folds in plan.folds)
    assert 0.1 * len(plan.pool) <= n_validated <= 0.3 * len(plan.pool)
    assert "same clips or groups" in plan.notes[-1]
    assert f"{n_validated / len(plan.pool):.0%}".replace("%", " %") in plan.notes[-1]


def test_copies_of_frames_are_in_the_block_of_the_frame():
    clip = frames("a", "clip", 40)
    images = [*clip, *(replace(one, sha256=f"{one.sha256} small") for one in clip[::3]), *of_counts(b=40)]
    plan = held_out_split(manifest_of("x", images), 0)
    numbers = {side: {images[i].frame for i in side if images[i].clip} for side in (plan.test, plan.pool)}
    assert numbers[plan.test] and numbers[plan.test].isdisjoint(numbers[plan.pool])
    assert min(abs(one - other) for one in numbers[plan.test] for other in numbers[plan.pool]) > 1
