import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from automl.datasets import holding_out, validation_folds
from automl.datasets import split as split_module
from automl.datasets.split import ALWAYS_TRAINED, make_split
from automl.datasets.verdict import problem_of
from automl.errors import BadDataset
from automl.records import DatasetManifest, ImageRecord, Scoring, Split, SplitPlan
from automl.text.messages import datasets as dataset_messages
from tests.automl.datasets.held_out import held_out_split

SEEDS = range(40)


def image(label: str, sha256: str, split: Split | None = None, name: str = "") -> ImageRecord:
    return ImageRecord(
        path=Path("x"), name=name or f"{label}/{sha256}", label=label, sha256=sha256, width=10, height=10, split=split
    )


def manifest_of(images: Sequence[ImageRecord]) -> DatasetManifest:
    return DatasetManifest(
        name="x",
        classes=tuple(sorted({image.label for image in images})),
        images=tuple(images),
        refused=(),
        fingerprint="",
    )


def of_counts(split: Split | None = None, **n_images: int) -> list[ImageRecord]:
    return [image(label, f"{label}-{split}-{i}", split) for label, n in n_images.items() for i in range(n)]


def random_manifest(seed: int) -> DatasetManifest:
    """A data set that the check would let pass: any class sizes, copies, folders for the split or none."""
    chance = random.Random(seed)
    splits: list[Split | None] = chance.choice(
        [[None], [Split.TRAIN, Split.VALIDATION], list(Split), [None, Split.TEST]]
    )
    while True:
        images = []
        for label in "abcdef"[: chance.randint(2, 6)]:
            for picture in range(chance.choice([1, 2, 3, 5, 20, 120])):
                for copy in range(chance.choice([1, 1, 1, 2, 9])):
                    name = f"{label}/{picture}-{copy}"
                    images.append(image(label, f"{label}{picture}", chance.choice(splits), name))
        learnable = {one.label for one in images if one.split is not Split.TEST}
        images = [one for one in images if one.label in learnable]
        if not problem_of(images):
            return manifest_of(images)


def labels_of(manifest: DatasetManifest, indices: Sequence[int]) -> set[str]:
    return {manifest.images[i].label for i in indices}


def shas_of(manifest: DatasetManifest, indices: Sequence[int]) -> set[str]:
    return {manifest.images[i].sha256 for i in indices}


def contents(manifest: DatasetManifest, plan: SplitPlan) -> object:
    """A plan in terms of pictures instead of their positions."""
    key = [(image.sha256, image.name) for image in manifest.images]
    folds = sorted((key[i], fold) for i, fold in zip(plan.pool, plan.folds, strict=True))
    return folds, sorted(key[i] for i in plan.test), sorted(key[i] for i in plan.left_out), plan.n_folds, plan.notes


def repeats_of(plan: SplitPlan) -> list[tuple[int, ...]]:
    """The folds of the pool's images, for each repeat of the cross-validation."""
    return list(zip(*plan.folds, strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_image_is_used_exactly_once(seed: int) -> None:
    manifest = random_manifest(seed)
    plan = held_out_split(manifest, seed)
    assert sorted((*plan.pool, *plan.test, *plan.left_out)) == list(range(len(manifest.images)))
    assert len(plan.pool) == len(plan.folds)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_picture_straddles_test_pool_or_folds(seed: int) -> None:
    manifest = random_manifest(seed)
    plan = held_out_split(manifest, seed)
    assert shas_of(manifest, plan.test).isdisjoint(shas_of(manifest, plan.pool))
    folds_of: dict[str, set[tuple[int, ...]]] = {}
    for i, folds_of_image in zip(plan.pool, plan.folds, strict=True):
        folds_of.setdefault(manifest.images[i].sha256, set()).add(folds_of_image)
    assert all(len(folds) == 1 for folds in folds_of.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_every_class_is_learned_in_every_fold(seed: int) -> None:
    manifest = random_manifest(seed)
    plan = held_out_split(manifest, seed)
    if dataset_messages.TOO_FEW_TO_COMPARE in plan.notes:
        return  # then each fold lacks the class whose only photo it holds out
    for folds in repeats_of(plan):
        for held_out in range(plan.n_folds):
            trained = [i for i, fold in zip(plan.pool, folds, strict=True) if fold != held_out]
            assert labels_of(manifest, trained) == set(manifest.classes)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_fold_is_empty_and_only_single_pictures_are_always_trained(seed: int) -> None:
    manifest = random_manifest(seed)
    plan = held_out_split(manifest, seed)
    for folds in repeats_of(plan):
        assert set(folds) - {ALWAYS_TRAINED} == set(range(plan.n_folds))
    if dataset_messages.TOO_FEW_TO_COMPARE in plan.notes:
        assert all(ALWAYS_TRAINED not in folds for folds in plan.folds)
        return
    n_pictures = Counter(
        label for label, _ in {(manifest.images[i].label, manifest.images[i].sha256) for i in plan.pool}
    )
    for i, folds_of_image in zip(plan.pool, plan.folds, strict=True):
        is_single = n_pictures[manifest.images[i].label] == 1
        assert all((fold == ALWAYS_TRAINED) == is_single for fold in folds_of_image)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_split_is_the_same_again_in_any_order_of_the_files(seed: int) -> None:
    manifest = random_manifest(seed)
    shuffled = replace(manifest, images=tuple(random.Random(seed).sample(manifest.images, len(manifest.images))))
    plan = held_out_split(manifest, seed)
    assert plan == held_out_split(manifest, seed)
    assert contents(manifest, plan) == contents(shuffled, held_out_split(shuffled, seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_users_test_folder_is_the_test_set(seed: int) -> None:
    manifest = random_manifest(seed)
    own = tuple(i for i, image in enumerate(manifest.images) if image.split is Split.TEST)
    plan = held_out_split(manifest, seed)
    assert plan.test == own if own else (plan.test and not plan.left_out)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_test_folder_every_class_is_tested(seed: int) -> None:
    manifest = random_manifest(seed)
    if all(image.split is not Split.TEST for image in manifest.images):
        assert labels_of(manifest, held_out_split(manifest, seed).test) == set(manifest.classes)


def test_another_seed_gives_another_split() -> None:
    manifest = manifest_of(of_counts(cat=50, dog=50))
    assert held_out_split(manifest, 0).test != held_out_split(manifest, 1).test


def test_fifteen_in_a_hundred_are_held_back_in_each_class() -> None:
    manifest = manifest_of(of_counts(cat=200, dog=40))
    test = Counter(manifest.images[i].label for i in held_out_split(manifest, 0).test)
    assert test == {"cat": 30, "dog": 6}


def test_folds_are_stratified_and_of_equal_size() -> None:
    manifest = manifest_of(of_counts(Split.TRAIN, cat=103, dog=52) + of_counts(Split.TEST, cat=9, dog=9))
    plan = held_out_split(manifest, 0)
    for folds in repeats_of(plan):
        counts = Counter((manifest.images[i].label, fold) for i, fold in zip(plan.pool, folds, strict=True))
        assert sorted(counts.values()) == [10, 10, 10, 11, 11, 20, 20, 21, 21, 21]
        assert max(Counter(folds).values()) - min(Counter(folds).values()) <= 1


def test_few_photos_are_dealt_into_folds_three_times_in_three_ways() -> None:
    manifest = manifest_of(of_counts(Split.TRAIN, cat=300, dog=200) + of_counts(Split.TEST, cat=9, dog=9))
    repeats = repeats_of(held_out_split(manifest, 0))
    assert len(repeats) == 3
    for one, other in combinations(repeats, 2):
        n_same = sum(a == b for a, b in zip(one, other, strict=True))
        assert n_same < 150  # a fifth of the photos are in the same fold by chance


def test_more_than_500_photos_are_dealt_once() -> None:
    manifest = manifest_of(of_counts(Split.TRAIN, cat=301, dog=200) + of_counts(Split.TEST, cat=9, dog=9))
    plan = held_out_split(manifest, 0)
    assert (len(plan.pool), plan.n_folds, len(repeats_of(plan))) == (501, 5, 1)


def test_the_first_deal_does_not_depend_on_the_number_of_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = manifest_of(of_counts(cat=50, dog=50))
    first = repeats_of(held_out_split(manifest, 0))[0]
    monkeypatch.setattr(validation_folds, "MAX_REPEATED_IMAGES", 0)
    assert repeats_of(held_out_split(manifest, 0)) == [first]


def test_adding_photos_moves_no_other_photo_into_the_test_set_at_random() -> None:
    before = manifest_of(of_counts(cat=100, dog=100))
    after = manifest_of([*before.images, image("cat", "new")])
    moved = shas_of(before, held_out_split(before, 0).test) ^ shas_of(after, held_out_split(after, 0).test)
    assert len(moved) <= 2


def test_one_picture_copied_many_times_does_not_fill_the_test_set() -> None:
    copies = [image("cat", "same", name=f"cat/{i}") for i in range(50)]
    manifest = manifest_of([*copies, *of_counts(cat=9, dog=59)])
    assert "same" not in shas_of(manifest, held_out_split(manifest, 0).test)


def test_copies_of_test_photos_are_left_out_of_training_and_reported() -> None:
    leak = image("cat", "cat-Split.TEST-0", Split.TRAIN, "train/cat/leak.jpg")
    images = [*of_counts(Split.TRAIN, cat=5, dog=5), image("cat", leak.sha256, Split.TEST), leak]
    plan = held_out_split(manifest_of(images), 0)
    assert plan.left_out == (11,)
    assert any("1 photo is a copy of a test photo and left out of training" in note for note in plan.notes)


def test_shares_are_written_as_everywhere_else() -> None:
    assert any(
        "photos (15 %), picked at random" in note
        for note in held_out_split(manifest_of(of_counts(cat=100, dog=100)), 0).notes
    )


def test_a_class_with_two_photos_has_one_to_test_and_one_that_is_always_trained() -> None:
    manifest = manifest_of(of_counts(cat=20, dog=2))
    plan = held_out_split(manifest, 0)
    dogs = {i for i, image in enumerate(manifest.images) if image.label == "dog"}
    assert len(dogs & set(plan.test)) == 1
    assert [folds for i, folds in zip(plan.pool, plan.folds, strict=True) if i in dogs] == [(ALWAYS_TRAINED,) * 3]
    assert any("only one photo of 'dog' to learn from" in note for note in plan.notes)


def test_a_class_is_never_in_one_fold_alone_even_where_folds_are_uneven() -> None:
    copies = [image("cat", "many", Split.TRAIN, f"cat/{i}") for i in range(60)]
    test = of_counts(Split.TEST, cat=2, dog=2)
    manifest = manifest_of([*copies, *of_counts(Split.TRAIN, cat=1, dog=2), *test])
    plan = held_out_split(manifest, 0, n_folds=2)
    for folds in repeats_of(plan):
        assert {f for i, f in zip(plan.pool, folds, strict=True) if manifest.images[i].label == "dog"} == {0, 1}


def test_fewer_pictures_than_folds_make_fewer_folds() -> None:
    assert held_out_split(manifest_of(of_counts(cat=3, dog=2)), 0).n_folds == 2


@pytest.mark.parametrize(
    "images",
    [
        of_counts(cat=2, dog=2),
        of_counts(Split.TRAIN, cat=1, dog=1) + of_counts(Split.TEST, cat=1, dog=1),
        of_counts(Split.VALIDATION, cat=1, dog=1) + of_counts(Split.TEST, cat=1, dog=1),
    ],
)
def test_two_photos_a_class_are_one_to_test_and_one_to_learn_from_with_a_warning(images: list[ImageRecord]) -> None:
    manifest = manifest_of(images)
    plan = held_out_split(manifest, 0)
    assert labels_of(manifest, plan.pool) == labels_of(manifest, plan.test) == {"cat", "dog"}
    assert all(sorted(folds) == [0, 1] for folds in repeats_of(plan))
    assert plan.notes[-1] == dataset_messages.TOO_FEW_TO_COMPARE


def test_many_classes_of_two_photos_share_the_folds() -> None:
    plan = held_out_split(manifest_of(of_counts(**dict.fromkeys("abcdefg", 2))), 0)
    assert all(sorted(Counter(folds).values()) == [1, 1, 1, 2, 2] for folds in repeats_of(plan))


def test_a_class_without_photos_to_learn_from_is_refused() -> None:
    with pytest.raises(BadDataset, match="'bird'"):
        held_out_split(manifest_of(of_counts(cat=9, dog=9) + of_counts(Split.TEST, bird=3)), 0)


def test_one_fold_is_no_cross_validation() -> None:
    with pytest.raises(ValueError, match="n_folds"):
        held_out_split(manifest_of(of_counts(cat=9, dog=9)), 0, n_folds=1)


def test_a_small_validation_folder_joins_cross_validation_and_the_user_is_told() -> None:
    images = of_counts(Split.TRAIN, cat=50, dog=50) + of_counts(Split.VALIDATION, cat=5, dog=5)
    plan = held_out_split(manifest_of([*images, *of_counts(Split.TEST, cat=5, dog=5)]), 0)
    assert (len(plan.pool), plan.n_folds) == (110, 5)
    assert any("your validation folder join the training photos in 5-fold" in note for note in plan.notes)


@pytest.fixture
def large_begins_at_100(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_module, "MAX_CROSS_VALIDATED_IMAGES", 100)


@pytest.mark.usefixtures("large_begins_at_100")
def test_a_large_pool_has_one_hold_out() -> None:
    manifest = manifest_of(of_counts(Split.TRAIN, cat=200, dog=100) + of_counts(Split.TEST, cat=5, dog=5))
    plan = held_out_split(manifest, 0)
    assert plan.n_folds == 1
    held_out = [i for i, folds in zip(plan.pool, plan.folds, strict=True) if folds == (0,)]
    assert Counter(manifest.images[i].label for i in held_out) == {"cat": 30, "dog": 15}


@pytest.mark.usefixtures("large_begins_at_100")
def test_a_large_pool_is_validated_on_the_users_own_folder_with_all_copies_of_its_photos() -> None:
    images = of_counts(Split.TRAIN, cat=200, dog=100) + of_counts(Split.VALIDATION, cat=150, dog=60)
    copy = image("cat", images[300].sha256, Split.TRAIN, "train/cat/copy.jpg")
    plan = held_out_split(manifest_of([*images, copy, *of_counts(Split.TEST, cat=5, dog=5)]), 0)
    held_out = {i for i, folds in zip(plan.pool, plan.folds, strict=True) if folds == (0,)}
    assert held_out == {*range(300, 510), 510}
    assert any("compared on the 211 photos of your validation folder" in note for note in plan.notes)


@pytest.mark.usefixtures("large_begins_at_100")
def test_a_class_that_is_only_in_the_validation_folder_is_learned_too() -> None:
    images = of_counts(Split.TRAIN, cat=200) + of_counts(Split.VALIDATION, cat=150, dog=60)
    manifest = manifest_of([*images, *of_counts(Split.TEST, cat=5)])
    plan = held_out_split(manifest, 0)
    trained = [i for i, folds in zip(plan.pool, plan.folds, strict=True) if folds == (ALWAYS_TRAINED,)]
    assert labels_of(manifest, trained) == {"cat", "dog"}


@pytest.mark.usefixtures("large_begins_at_100")
def test_a_small_validation_folder_of_a_large_pool_joins_the_others() -> None:
    images = of_counts(Split.TRAIN, cat=200, dog=200) + of_counts(Split.VALIDATION, cat=5, dog=5)
    plan = held_out_split(manifest_of([*images, *of_counts(Split.TEST, cat=5, dog=5)]), 0)
    assert any("has only 10 photos, too few for that" in note for note in plan.notes)


def test_the_test_set_stays_near_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding_out, "MAX_TEST_IMAGES", 30)
    assert len(held_out_split(manifest_of(of_counts(cat=500, dog=500)), 0).test) == 30


def test_a_test_folder_without_some_class_and_a_tiny_one_are_pointed_out() -> None:
    plan = held_out_split(manifest_of(of_counts(Split.TRAIN, cat=9, dog=9) + of_counts(Split.TEST, cat=3)), 0)
    assert any("no photo of 'dog'" in note for note in plan.notes)
    assert any("only 3 photos: its score is a rough guess" in note for note in plan.notes)


def near(label: str, group: str, n: int, split: Split | None = None) -> list[ImageRecord]:
    """Near copies of one picture."""
    return [replace(image(label, f"{group}{i}", split, f"{label}/{group}-{i}"), group=group) for i in range(n)]


def bursts(label: str, n_groups: int, n_each: int) -> list[ImageRecord]:
    return [one for number in range(n_groups) for one in near(label, f"{label}{number}", n_each)]


@pytest.mark.parametrize("seed", range(5))
def test_near_copies_never_straddle_the_test_or_a_fold(seed: int) -> None:
    manifest = manifest_of([*bursts("a", 12, 5), *bursts("b", 30, 2)])
    plan = held_out_split(manifest, seed)
    groups_of_test = {manifest.images[i].group for i in plan.test}
    assert groups_of_test.isdisjoint({manifest.images[i].group for i in plan.pool})
    folds: dict[str, set[tuple[int, ...]]] = {}
    for i, fold in zip(plan.pool, plan.folds, strict=True):
        folds.setdefault(manifest.images[i].group, set()).add(fold)
    assert all(len(of_group) == 1 for of_group in folds.values())


def test_near_copies_of_own_test_photos_are_left_out_of_training() -> None:
    leaked = [*near("a", "x", 2), *near("a", "x", 1, Split.TEST)[:1]]
    leaked[2] = replace(leaked[2], sha256="other", name="test")
    manifest = manifest_of([*leaked, *bursts("a", 5, 1), *bursts("b", 5, 1)])
    plan = held_out_split(manifest, 0)
    assert [manifest.images[i].group for i in plan.left_out] == ["x", "x"]
    assert any("left out of training" in note for note in plan.notes)


def test_a_class_of_nothing_but_near_copies_of_its_test_is_learned_all_the_same_and_it_says_so() -> None:
    frames = [replace(one, sha256=f"t{n}", split=Split.TEST, name=f"t{n}") for n, one in enumerate(near("a", "x", 3))]
    manifest = manifest_of([*near("a", "x", 4), *frames, *bursts("b", 5, 1)])
    plan = held_out_split(manifest, 0)
    assert sum(manifest.images[i].label == "a" for i in plan.pool) == 4
    assert any("near copies of test photos" in note and "the score is too optimistic" in note for note in plan.notes)


def test_a_group_of_two_labels_is_learned_from_and_never_tested() -> None:
    mixed = [replace(one, label=label) for one, label in zip(near("a", "x", 2), "ab", strict=True)]
    manifest = manifest_of([*mixed, *bursts("a", 6, 1), *bursts("b", 6, 1)])
    for seed in range(10):
        plan = held_out_split(manifest, seed)
        assert {i for i, one in enumerate(manifest.images) if one.group == "x"} <= set(plan.pool)


def test_one_large_burst_does_not_put_every_other_photo_into_the_test() -> None:
    manifest = manifest_of([*near("a", "x", 300), *bursts("a", 40, 1), *bursts("b", 60, 1)])
    plan = held_out_split(manifest, 0)
    learned = {manifest.images[i].group for i in plan.pool if manifest.images[i].label == "a"}
    assert len(learned) >= 30


def test_only_the_classes_that_need_it_are_spared() -> None:
    """One near copy of a test photo is all that there is of `a`; those of `b` have others of their class."""
    shared = [*near("a", "x", 1), *(replace(one, label="b") for one in near("b", "x", 3))]
    shared = [replace(one, sha256=f"{one.label}{n}", name=f"{n}") for n, one in enumerate(shared)]
    tested = replace(shared[0], sha256="t", name="t", split=Split.TEST)
    manifest = manifest_of([*shared, tested, *bursts("b", 30, 1)])
    plan = held_out_split(manifest, 0)
    assert [manifest.images[i].label for i in plan.left_out] == ["b"] * 3


def test_a_class_of_one_burst_cannot_be_tested_and_it_says_so() -> None:
    plan = held_out_split(manifest_of([*near("a", "x", 20), *bursts("b", 20, 1)]), 0)
    assert any("has no photo of 'a'" in note for note in plan.notes)


def test_of_few_photos_none_is_kept_for_a_test() -> None:
    """Each teaches, and is asked for once in every repeat by models that have not seen it."""
    manifest = manifest_of(of_counts(cat=30, dog=40))
    plan = make_split(manifest, 0)
    assert plan.tests_every_photo and not plan.test and plan.pool == tuple(range(70))
    assert plan.tested_rows == tuple(range(70))
    assert len(repeats_of(plan)) == validation_folds.N_REPEATS
    assert plan.notes[0] == dataset_messages.EVERY_PHOTO_TESTED.format(n_folds=5)


def test_of_very_few_photos_the_models_that_answer_learn_from_nine_tenths() -> None:
    """They are nearly as good as the one that is delivered, so the score is not too low."""
    assert make_split(manifest_of(of_counts(cat=20, dog=20)), 0).n_folds == split_module.N_FOLDS_OF_FEW
    assert make_split(manifest_of(of_counts(cat=20, dog=40)), 0).n_folds == split_module.N_FOLDS
    assert held_out_split(manifest_of(of_counts(cat=20, dog=20)), 0).n_folds == split_module.N_FOLDS


def test_many_photos_and_a_test_folder_are_held_out_unless_the_user_wants_otherwise() -> None:
    most = split_module.FEWEST_IMAGES_WITH_TEST
    many = manifest_of(of_counts(cat=most // 2, dog=most // 2))
    assert make_split(many, 0).test
    assert make_split(many, 0, scoring=Scoring.CROSS_VALIDATED).tests_every_photo
    few = manifest_of(of_counts(cat=30, dog=40))
    assert make_split(few, 0, scoring=Scoring.HELD_OUT).test
    own = manifest_of([*few.images, *of_counts(Split.TEST, cat=5, dog=5)])
    for scoring in Scoring:
        assert shas_of(own, make_split(own, 0, scoring=scoring).test) == {one.sha256 for one in own.images[70:]}


def test_also_of_very_many_photos_every_one_is_tested_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_module, "MAX_CROSS_VALIDATED_IMAGES", 50)
    plan = make_split(manifest_of(of_counts(cat=60, dog=60)), 0, scoring=Scoring.CROSS_VALIDATED)
    assert (plan.n_folds, len(plan.tested_rows)) == (5, 120)


def test_a_class_that_no_fold_can_ask_for_is_named() -> None:
    single = manifest_of([*of_counts(cat=9, dog=9), *near("owl", "x", 3)])
    assert any("'owl'" in note for note in make_split(single, 0).notes)
