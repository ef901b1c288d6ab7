"""Photos stay on their side of the split from version to version."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from automl.datasets.split import FEWEST_IMAGES_TO_KEEP_TEST, is_every_photo_tested, make_split, with_folds_dealt_again
from automl.datasets.steady_sides import MOST_LEFT_OUT
from automl.datasets.verdict import problem_of
from automl.records import DatasetManifest, ImageRecord, RememberedSides, Scoring, Split, SplitPlan
from tests.automl.datasets.test_split import contents, image, labels_of, manifest_of, random_manifest, shas_of

SEEDS = range(30)
HELD_OUT, EVERY_PHOTO = Scoring.HELD_OUT, Scoring.CROSS_VALIDATED


def photos(first: int = 0, **n_images: int) -> list[ImageRecord]:
    return [image(label, f"{label}{first + i}") for label, n in n_images.items() for i in range(n)]


def split(
    images: Sequence[ImageRecord], before: RememberedSides | None = None, scoring: Scoring = HELD_OUT
) -> tuple[DatasetManifest, SplitPlan, RememberedSides]:
    """The split of a run, and what is remembered after it."""
    manifest = manifest_of(images)
    plan = make_split(manifest, 0, scoring=scoring, remembered=before)
    is_by_rule = scoring is Scoring.AUTO
    return manifest, plan, (before or RememberedSides()).after(manifest, plan, is_by_rule=is_by_rule)


def photos_of_test(images: Sequence[ImageRecord], before: RememberedSides | None = None) -> set[str]:
    manifest, plan, _ = split(images, before)
    return shas_of(manifest, plan.test)


def folds_of(manifest: DatasetManifest, plan: SplitPlan) -> dict[str, tuple[int, ...]]:
    return {manifest.images[i].sha256: folds for i, folds in zip(plan.pool, plan.folds, strict=True)}


def relabelled(images: Sequence[ImageRecord], label: str, *shas: str) -> list[ImageRecord]:
    return [replace(one, label=label) if one.sha256 in shas else one for one in images]


def grouped(images: Sequence[ImageRecord], group: str, *shas: str) -> list[ImageRecord]:
    return [replace(one, group=group) if one.sha256 in shas else one for one in images]


@pytest.mark.parametrize("scoring", [HELD_OUT, EVERY_PHOTO])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_photos_are_split_again_as_they_were(seed: int, scoring: Scoring) -> None:
    manifest = random_manifest(seed)
    if manifest.has_own_test:
        return
    _, plan, after = split(manifest.images, scoring=scoring)
    _, again, after_again = split(manifest.images, after, scoring)
    assert contents(manifest, again) == contents(manifest, plan)
    assert after_again == after


@pytest.mark.parametrize("scoring", [HELD_OUT, EVERY_PHOTO])
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_a_later_version_is_it_can_be_split_and_split_again_alike(seed: int, scoring: Scoring) -> None:
    """Photos come and go, labels are corrected, copies turn up; every photo is on one side, groups stay whole."""
    chance = random.Random(seed)
    before = [one for one in random_manifest(seed).images if one.split is not Split.TEST]
    if problem_of(before):
        return
    _, _, sides = split(before, scoring=chance.choice([HELD_OUT, EVERY_PHOTO]))
    labels = sorted({one.label for one in before})
    later = [one for one in before if chance.random() < 0.8]
    later = [replace(one, label=chance.choice(labels)) if chance.random() < 0.1 else one for one in later]
    later += photos(1000, **{label: chance.choice([0, 1, 7, 60]) for label in (*labels, "new")})
    later = [replace(one, group=f"g{chance.randrange(9)}") if chance.random() < 0.05 else one for one in later]
    if problem_of(later):
        return
    manifest, plan, after = split(later, sides, scoring)
    assert sorted([*plan.pool, *plan.test, *plan.left_out]) == list(range(len(later)))
    assert not {later[i].sha256 for i in plan.pool} & {later[i].sha256 for i in plan.test}
    assert not {later[i].group for i in plan.pool} & {later[i].group for i in plan.test} - {""}
    assert labels_of(manifest, plan.pool) == set(manifest.classes)
    _, again, _ = split(later, after, scoring)
    assert contents(manifest, again)[:4] == contents(manifest, plan)[:4]  # type: ignore[index]


def test_a_corrected_label_changes_no_side() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    for sha256 in (sides.test[0], sides.learned[0]):
        corrected = relabelled(images, "b" if sha256.startswith("a") else "a", sha256)
        assert photos_of_test(corrected, sides) == set(sides.test)


def test_new_photos_join_the_test_as_far_as_it_lacks_them() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    few = [*images, *photos(100, a=3)]
    assert photos_of_test(few, sides) == set(sides.test)  # 15 % of 63 are still 9
    many = photos_of_test([*images, *photos(100, a=60, b=2)], sides)
    assert set(sides.test) < many
    assert (len(many), sum(sha256.startswith("b") for sha256 in many)) == (27, 9)


def test_what_is_new_is_also_learned_from_where_the_test_lacks_much() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    rest = [one for one in images if one.sha256 not in sides.test[1:]]  # one photo of a is left in the test
    later = photos_of_test([*rest, *photos(100, a=20)], sides)
    assert len([sha256 for sha256 in later if int(sha256[1:]) >= 100]) == 3


def test_photos_that_are_left_out_for_a_while_come_back_to_their_side() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    gone = {sides.test[0], sides.learned[0]}
    _, _, without = split([one for one in images if one.sha256 not in gone], sides)
    assert photos_of_test(images, without) == set(sides.test)


def test_new_copies_of_test_photos_follow_them_and_those_of_learned_ones_do_not() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    kept, taught = sides.test[0], next(one for one in sides.learned if one[0] == sides.test[0][0])
    more = [*images, image("a", "near test"), image("a", "near learned")]
    more = grouped(grouped(more, "x", kept, "near test"), "y", taught, "near learned")
    more = relabelled(more, kept[0], "near test", "near learned")
    assert photos_of_test(more, sides) == {*sides.test, "near test"}


def test_learned_photos_that_turn_out_to_be_copies_of_test_photos_are_left_out_and_stay_so() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    taught = next(one for one in sides.learned if one[0] == sides.test[0][0])
    joined = grouped(images, "x", sides.test[0], taught)
    manifest, plan, after = split(joined, sides)
    assert shas_of(manifest, plan.test) == set(sides.test)
    assert shas_of(manifest, plan.left_out) == {taught}
    assert any("turns out to belong together with a test photo" in note for note in plan.notes)
    more = [*joined, *photos(100, b=1)]
    assert shas_of(manifest_of(more), split(more, after)[1].left_out) == {taught}
    # Without the evidence it is learned from again.
    assert not split(images, after)[1].left_out


def test_test_photos_with_two_labels_are_neither_asked_nor_learned_until_one_is_corrected() -> None:
    images = photos(a=60, b=60)
    first, second = sorted(sha256 for sha256 in split(images)[2].test if sha256[0] == "a")[:2]
    images = grouped(images, "x", first, second)
    _, _, sides = split(images)
    if first not in sides.test:  # the two are one picture, and may have been dealt to the other side
        sides = RememberedSides(test=(*sides.test, first, second), learned=sides.learned)
    doubtful = relabelled(images, "b", first)
    manifest, plan, after = split(doubtful, sides)
    assert shas_of(manifest, plan.left_out) == {first, second}
    assert any("two labels now" in note for note in plan.notes)
    assert {first, second} <= photos_of_test(relabelled(doubtful, "b", second), after)


def test_a_new_class_made_of_learned_photos_is_tested_too() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    moved = [one for one in sides.learned if one[0] == "a"][:30]
    manifest, plan, after = split(relabelled(images, "c", *moved), sides)
    assert labels_of(manifest, plan.test) == {"a", "b", "c"}
    assert {one for one in sides.test if one not in moved} <= shas_of(manifest, plan.test)
    assert any("“c” were dealt out anew" in note or "'c'" in note for note in plan.notes), plan.notes
    assert not any("dealt out anew" in note for note in split(relabelled(images, "c", *moved), after)[1].notes)


def test_a_class_of_which_only_test_photos_are_left_is_dealt_out_anew() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    rest = [one for one in images if one.label == "b" or one.sha256 in sides.test]
    manifest, plan, _ = split(rest, sides)
    assert "a" in labels_of(manifest, plan.pool) and "a" in labels_of(manifest, plan.test)


def test_where_much_would_be_left_out_the_class_is_dealt_out_anew() -> None:
    """As after photos were said to be clips: each clip has photos of both sides."""
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    in_clips = [replace(one, clip=f"clip {i % 6}" if one.label == "a" else "") for i, one in enumerate(images)]
    manifest, plan, _ = split(in_clips, sides)
    assert len(plan.left_out) <= MOST_LEFT_OUT * 60
    assert {one for one in sides.test if one[0] == "b"} <= shas_of(manifest, plan.test)
    clips = [{in_clips[i].clip for i in part} - {""} for part in (plan.pool, plan.test)]
    assert clips[0] and clips[1] and not clips[0] & clips[1]


def test_folds_stay_where_every_photo_is_tested() -> None:
    images = photos(a=60, b=60)
    manifest, plan, sides = split(images, scoring=EVERY_PHOTO)
    later = manifest_of(relabelled([*images[1:], *photos(100, a=9, b=1)], "b", "a5"))
    _, after, _ = split(later.images, sides, EVERY_PHOTO)
    before, now = folds_of(manifest, plan), folds_of(later, after)
    assert all(now[sha256] == folds for sha256, folds in before.items() if sha256 in now)
    sizes = [list(now.values()).count(folds) for folds in set(now.values())]
    assert len(now) == 129 and min(sizes) > 0


def test_of_folds_that_become_fewer_two_become_one() -> None:
    images = photos(a=25, b=25)
    manifest, plan, sides = split(images, scoring=EVERY_PHOTO)
    assert plan.n_folds == 10
    later = manifest_of([*images, *photos(100, a=20, b=20)])
    _, after, _ = split(later.images, sides, EVERY_PHOTO)
    before, now = folds_of(manifest, plan), folds_of(later, after)
    assert after.n_folds == 5
    assert all(now[sha256] == tuple(fold % 5 for fold in folds) for sha256, folds in before.items())


def test_photos_that_turn_out_to_be_copies_share_the_fold_of_most_of_them() -> None:
    images = photos(a=60, b=60)
    manifest, plan, sides = split(images, scoring=EVERY_PHOTO)
    before = folds_of(manifest, plan)
    two = [sha256 for sha256 in before if sha256[0] == "a" and before[sha256][0] == 2][:2]
    one = next(sha256 for sha256 in before if sha256[0] == "a" and before[sha256][0] == 3)
    joined = grouped(images, "x", *two, one)
    now = folds_of(manifest_of(joined), split(joined, sides, EVERY_PHOTO)[1])
    assert {now[sha256][0] for sha256 in (*two, one)} == {2}


def test_no_fold_is_left_empty_and_none_gets_all_of_a_class() -> None:
    images = photos(a=40, b=40)
    manifest, plan, sides = split(images, scoring=EVERY_PHOTO)
    before = folds_of(manifest, plan)
    rest = [one for one in images if before[one.sha256][0] == 1 or one.sha256 in ("b0", "b1", "b2", "b3")]
    later = manifest_of(rest)
    _, after, _ = split(rest, sides, EVERY_PHOTO)
    for repeat in zip(*after.folds, strict=True):
        assert set(repeat) == set(range(after.n_folds))
        for label in "ab":
            assert len({fold for i, fold in zip(after.pool, repeat, strict=True) if rest[i].label == label}) > 1
    assert later.classes == ("a", "b")


def test_folds_stay_where_they_are_dealt_again_since_more_clips_are_known() -> None:
    images = photos(a=40, b=40)
    _, _, sides = split(images, scoring=EVERY_PHOTO)
    manifest = manifest_of([*images[3:], *photos(1000, a=9)])
    plan = make_split(manifest, 0, scoring=EVERY_PHOTO, remembered=sides)
    assert plan.folds != make_split(manifest, 0, scoring=EVERY_PHOTO).folds
    assert with_folds_dealt_again(manifest, plan, known=manifest, remembered=sides) == plan


def test_a_data_set_that_grows_into_a_test_is_dealt_out_by_the_rule_and_keeps_it() -> None:
    images = photos(a=450, b=450)
    _, plan, sides = split(images, scoring=Scoring.AUTO)
    assert plan.tests_every_photo and not sides.keeps_test
    grown = [*images, *photos(1000, a=80, b=80)]
    manifest, plan, after = split(grown, sides, Scoring.AUTO)
    assert not plan.tests_every_photo and after.keeps_test
    # By the rule alone, as if nothing was known: also photos of before are tested.
    assert plan == make_split(manifest, 0)
    # Some photos less than 1,000 do not change how the score is made, nor what is tested.
    fewer = grown[100:]
    assert not split(fewer, after, Scoring.AUTO)[1].tests_every_photo
    assert photos_of_test(fewer, after) == {one.sha256 for one in fewer} & set(after.test)
    tiny = [*photos(a=200, b=200)]
    assert split(tiny, after, Scoring.AUTO)[1].tests_every_photo


def test_a_data_set_keeps_its_test_down_to_a_number() -> None:
    assert is_every_photo_tested(
        Scoring.AUTO, n_images=FEWEST_IMAGES_TO_KEEP_TEST - 1, has_own_test=False, kept_test=True
    )
    n = FEWEST_IMAGES_TO_KEEP_TEST
    assert not is_every_photo_tested(Scoring.AUTO, n_images=n, has_own_test=False, kept_test=True)
    assert is_every_photo_tested(Scoring.AUTO, n_images=n, has_own_test=False)


def test_the_users_own_test_folder_overrides_what_is_remembered() -> None:
    _, _, sides = split(photos(a=60, b=60))
    images = [replace(one, split=Split.TEST if i % 4 == 0 else None) for i, one in enumerate(photos(a=60, b=60))]
    manifest = manifest_of(images)
    assert make_split(manifest, 0, remembered=sides) == make_split(manifest, 0)


def test_folds_of_a_run_that_tested_every_photo_do_not_forget_the_test_of_another() -> None:
    images = photos(a=60, b=60)
    _, _, sides = split(images)
    _, _, both = split(images, sides, EVERY_PHOTO)
    assert (both.test, both.learned) == (sides.test, sides.learned)
    assert both.folds and photos_of_test(images, both) == set(sides.test)
