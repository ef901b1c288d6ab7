"""Whatever the photos are: either the verdict names a problem, or they can be split, learned from and tested."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from automl.datasets.split import make_split
from automl.datasets.verdict import problem_of
from automl.errors import BadDataset
from automl.records import DatasetManifest, ImageRecord, Scoring, Split, SplitPlan
from tests.automl.datasets.test_split import bursts, image, manifest_of, near, repeats_of

SEEDS = range(300)
SPLITS: list[list[Split | None]] = [
    [None],
    [None],
    [Split.TRAIN],
    [Split.VALIDATION],
    [Split.TEST],
    [Split.TRAIN, Split.VALIDATION],
    [Split.TRAIN, Split.TEST],
    [None, None, None, Split.TEST],
    list(Split),
]


def any_images(seed: int) -> list[ImageRecord]:
    """Any class sizes, copies, groups inside of classes and across them, folders for the split or none."""
    chance = random.Random(seed)
    splits = chance.choice(SPLITS)
    n_groups = chance.choice([0, 1, 2, 5, 30])
    crosses = chance.random() < 0.5
    images = []
    for label in "abcdef"[: chance.randint(1, 5)]:
        for picture in range(chance.choice([1, 2, 3, 4, 12, 40])):
            group = ""
            if n_groups and chance.random() < 0.8:
                group = f"{'' if crosses else label}group{chance.randrange(n_groups)}"
            for copy in range(chance.choice([1, 1, 1, 3])):
                name = f"{label}/{picture}-{copy}"
                images.append(replace(image(label, f"{label}{picture}", chance.choice(splits), name=name), group=group))
    return images


def require_sound(manifest: DatasetManifest, scoring: Scoring, seed: int = 0) -> None:
    """There is something to test, every class is learned, and no fold is without photos to learn from or to ask for."""
    plan = make_split(manifest, seed, scoring=scoring)
    has_own_test = any(one.split is Split.TEST for one in manifest.images)
    assert plan.tests_every_photo == (scoring is Scoring.CROSS_VALIDATED and not has_own_test)
    assert plan.pool
    assert {manifest.images[row].label for row in plan.pool} == set(manifest.classes)
    assert plan.n_folds >= 2
    for folds in repeats_of(plan):
        assert set(folds) >= set(range(plan.n_folds))
        for held_out in range(plan.n_folds):
            assert any(fold != held_out for fold in folds)
    pictures = [one.group or one.sha256 for one in manifest.images]
    if plan.tests_every_photo:
        require_every_photo_tested(plan, pictures)
        return
    spared = {manifest.images[row].label for row in plan.pool if pictures[row] in {pictures[i] for i in plan.test}}
    if spared:
        assert any("the score is too optimistic" in note for note in plan.notes)
    tested = {manifest.images[row].label for row in plan.test}
    assert tested - spared or {pictures[row] for row in plan.test} - {pictures[row] for row in plan.pool}


def require_every_photo_tested(plan: SplitPlan, pictures: Sequence[str]) -> None:
    """Copies of a picture are in one fold, in every repeat; a photo is asked for in all repeats or in none."""
    assert plan.tested_rows and not plan.left_out
    for folds in repeats_of(plan):
        assert len({(pictures[row], fold) for row, fold in zip(plan.pool, folds, strict=True)}) == len(
            {pictures[row] for row in plan.pool}
        )
    assert all(len({fold == -1 for fold in folds}) == 1 for folds in plan.folds)


@pytest.mark.parametrize("scoring", [Scoring.HELD_OUT, Scoring.CROSS_VALIDATED])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_data_set_without_a_problem_can_be_split(seed: int, scoring: Scoring) -> None:
    images = any_images(seed)
    learnable = {one.label for one in images if one.split is not Split.TEST}
    images = [one for one in images if one.label in learnable]  # the check leaves the other classes out
    manifest = manifest_of(images)
    if problem_of(images):
        # Never anything but a sentence for the user.
        try:
            make_split(manifest, seed, scoring=scoring)
        except BadDataset as error:
            assert error.message
        return
    require_sound(manifest, scoring, seed)


def test_both_ends_are_met() -> None:
    problems = [bool(problem_of(any_images(seed))) for seed in SEEDS]
    assert 0.15 < sum(problems) / len(problems) < 0.85


HOPELESS: dict[str, Sequence[ImageRecord]] = {
    "no photo": [],
    "one class": bursts("a", 9, 1),
    "one photo saved twice": [*near("a", "x", 2), *near("b", "y", 2)],
    "a class of one group": [*near("a", "x", 20), *bursts("b", 20, 1)],
    "all photos in one group": [*near("a", "x", 20), *(replace(one, label="b") for one in near("c", "x", 20))],
    "only groups that span classes": [
        replace(one, label="ab"[number % 2]) for number, one in enumerate(bursts("c", 9, 4))
    ],
    "a test of near copies": [
        *(replace(one, split=Split.TEST) for one in (*near("a", "x", 1), *near("b", "y", 1))),
        *(replace(one, sha256=f"{one.sha256}'") for one in (*near("a", "x", 3), *near("b", "y", 3))),
    ],
    "a test of exact copies": [
        replace(one, split=split) for split in (None, Split.TEST) for one in (*bursts("a", 3, 1), *bursts("b", 3, 1))
    ],
    "only test photos": [replace(one, split=Split.TEST) for one in (*bursts("a", 3, 1), *bursts("b", 3, 1))],
}


@pytest.mark.parametrize("kind", HOPELESS)
def test_what_cannot_be_tested_is_refused_before_a_run(kind: str) -> None:
    assert problem_of(HOPELESS[kind])


@pytest.mark.parametrize("scoring", [Scoring.HELD_OUT, Scoring.CROSS_VALIDATED])
@pytest.mark.parametrize("kind", ["no photo", "all photos in one group", "only groups that span classes"])
def test_a_run_that_begins_all_the_same_ends_with_a_sentence(kind: str, scoring: Scoring) -> None:
    """Versions that an older Darkroom has saved may be such."""
    with pytest.raises(BadDataset):
        make_split(manifest_of(HOPELESS[kind]), 0, scoring=scoring)


HOPEFUL: dict[str, Sequence[ImageRecord]] = {
    "a validation folder only": [
        replace(one, split=Split.VALIDATION) for one in (*bursts("a", 9, 1), *bursts("b", 9, 1))
    ],
    "two photos of each class": [*bursts("a", 2, 1), *bursts("b", 2, 1)],
    "one class of one burst beside its test": [
        *near("a", "x", 4),
        *(replace(one, sha256=f"t{n}", split=Split.TEST) for n, one in enumerate(near("a", "x", 3))),
        *bursts("b", 5, 1),
        *(replace(one, sha256=f"u{n}", group="", split=Split.TEST) for n, one in enumerate(near("b", "y", 3))),
    ],
}


@pytest.mark.parametrize("scoring", [Scoring.HELD_OUT, Scoring.CROSS_VALIDATED])
@pytest.mark.parametrize("kind", HOPEFUL)
def test_what_can_be_tested_is_split(kind: str, scoring: Scoring) -> None:
    manifest = manifest_of(HOPEFUL[kind])
    assert not problem_of(manifest.images)
    require_sound(manifest, scoring)
