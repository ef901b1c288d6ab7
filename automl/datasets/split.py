"""Which photos a model learns from, which it is validated on, and which are kept for the one honest score.

A part of few photos would be a test of a handful, which then teach nothing. So of few photos none is kept: every photo
teaches, and is tested by the models of the folds that hold it out.

Every copy of a picture, and every near copy, is on the same side: together they are a group. Groups are dealt out class
by class, which is stratified and works for classes of two pictures, where scikit-learn's `StratifiedGroupKFold` gives
up. The few groups that span classes are always learned from: one of their labels is wrong, so the test should not ask
about them. The order in which groups are dealt out comes from a hash of seed and contents: neither the order of the
files nor the version of a random generator matters. Photos that an earlier run of the data set has used stay where
they were (`steady_sides.py`); what is new is dealt out by the same rule, as far as the test lacks photos.
"""

from collections.abc import Sequence
from dataclasses import replace

from automl.datasets.copies_of_test import copies_of_test
from automl.datasets.holding_out import dealable, held_out
from automl.datasets.split_groups import (
    CutClips,
    Group,
    cut_clips,
    dealt_out,
    group_of,
    groups_of,
    labels_of_one_clip,
)
from automl.datasets.steady_sides import SteadySides, steady_sides
from automl.datasets.validation_folds import require_enough, validation_of
from automl.datasets.verdict import picture_of
from automl.errors import BadDataset
from automl.records import DatasetManifest, RememberedSides, Scoring, Split, SplitPlan
from automl.text.lists import quoted
from automl.text.messages import datasets as dataset_messages
from automl.text.natural_order import in_natural_order
from automl.text.numbers import percent

TEST_SHARE = 0.15
FEWEST_IMAGES_WITH_TEST = 1_000
"""With fewer, every photo teaches and is tested, unless the user wants a part to be held out."""

FEWEST_IMAGES_TO_KEEP_TEST = 500
"""A data set that once had enough photos for a test keeps it down to so many, so that leaving out a few photos does not
change how the score is made."""

MAX_CROSS_VALIDATED_IMAGES = 5_000
N_FOLDS = 5
N_FOLDS_OF_FEW, FEW_OF_A_CLASS = 10, 30
"""Where every photo is tested, with fewer photos of a class: a model of four fifths of them is worse than the one that
is delivered, so the score would be too low (`bench.small_sets`)."""

FEW_TEST_IMAGES = 30
ALWAYS_TRAINED = -1
_NOTHING_KNOWN = SteadySides()


def make_split(
    manifest: DatasetManifest,
    seed: int,
    n_folds: int | None = None,
    *,
    scoring: Scoring = Scoring.AUTO,
    remembered: RememberedSides | None = None,
) -> SplitPlan:
    """Splits a data set. Where the user has a test folder, its photos are the test.

    Of fewer than 1,000 photos without a test folder, none is kept for a test: all are in the pool, cross-validated. Up
    to 5,000 pool images are cross-validated in `n_folds` folds (fewer where there are not so many pictures), up to
    500 with three different assignments to the folds, since the best of many trials on few photos is luck. Of a larger
    pool fold 0 alone is validated on: the user's validation folder if it has 200 images, else 15 %. Where the pool has
    a single picture of each class, a class is unknown in the fold that holds its picture out: the score then says
    nothing, and a note says so.

    Args:
        manifest: The photos.
        seed: Another seed chooses other photos for the test and the folds.
        n_folds: At least 2; None for five, and for ten of few photos that are all tested.
        scoring: What the user wants the score to come from; a test folder is the test whatever is said here.
        remembered: The sides that photos had in earlier runs with this seed; a test folder overrides them, too.

    Raises:
        BadDataset: A class has no picture left to learn from, or there is none to test with.
        ValueError: `n_folds` is less than 2.
    """
    if n_folds is not None and n_folds < 2:
        raise ValueError(f"n_folds must be at least 2, not {n_folds}")
    cut = cut_clips(manifest.images)
    groups = groups_of(manifest, cut, seed)
    test = {i for i, image in enumerate(manifest.images) if image.split is Split.TEST}
    has_own_test = manifest.has_own_test
    remembered = None if has_own_test else remembered
    tests_every_photo = is_every_photo_tested(
        scoring,
        n_images=len(manifest.images),
        has_own_test=has_own_test,
        kept_test=remembered is not None and remembered.keeps_test,
    )
    if not has_own_test and (of_one_group := labels_of_one_clip(manifest, groups)):
        plan = make_split(dealt_out(manifest, of_one_group), seed, n_folds, scoring=scoring, remembered=remembered)
        return replace(plan, notes=(dataset_messages.CLIPS_NOT_KEPT.format(classes=quoted(of_one_group)), *plan.notes))
    steady = _NOTHING_KNOWN
    if not has_own_test and not tests_every_photo:
        steady = steady_sides(manifest, groups, remembered)
        chosen = held_out(groups, TEST_SHARE, len(manifest.images), steady=steady)
        test = {i for group in chosen for i in group.images} - steady.left_out
    copies = copies_of_test(manifest.images, picture_of)
    pool_groups = _learnable(manifest, groups, test | copies.left_out | steady.left_out)
    pool = sorted(i for group in pool_groups for i in group.images)
    left_out = sorted(set(range(len(manifest.images))) - test - set(pool))
    _require_every_class(manifest, pool)
    require_enough(bool(dealable(pool_groups) if tests_every_photo else test), manifest)

    n_folds = n_folds or _usual_folds(manifest, tests_every_photo=tests_every_photo)
    most = len(pool) if tests_every_photo else MAX_CROSS_VALIDATED_IMAGES
    kept, n_folds = _kept_folds(remembered, n_folds, tests_every_photo=tests_every_photo)
    validation = validation_of(
        manifest, pool_groups, n_folds=n_folds, seed=seed, most_cross_validated=most, remembered=kept
    )
    folds = {i: of_group for group, of_group in validation.folds_of.items() for i in group.images}
    return SplitPlan(
        pool=tuple(pool),
        folds=tuple(folds.get(i, (ALWAYS_TRAINED,) * validation.n_repeats) for i in pool),
        n_folds=validation.n_folds,
        test=tuple(sorted(test)),
        left_out=tuple(left_out),
        notes=(
            *(
                _every_photo_notes(manifest, [i for i in pool if i in folds], validation.n_folds)
                if tests_every_photo
                else _test_notes(manifest, test, n_copies=len(copies.left_out), has_own_test=has_own_test)
            ),
            *_steady_notes(steady),
            *_cut_notes(cut, tests_every_photo=tests_every_photo),
            *_spared_notes(in_natural_order({manifest.images[i].label for i in copies.spared})),
            *validation.notes,
        ),
        seed=seed,
    )


def with_folds_dealt_again(
    manifest: DatasetManifest, plan: SplitPlan, *, known: DatasetManifest, remembered: RememberedSides | None = None
) -> SplitPlan:
    """The same split with other folds, since more is known of which photos of the pool belong together.

    Args:
        manifest: The photos, with the clips that are known now.
        plan: The split; its pool may be a part of what there is to learn from.
        known: The photos as they were known when the split was made.
        remembered: The sides that photos had in earlier runs, as the split was made with.
    """
    pool = set(plan.pool)
    cut = cut_clips(known.images)
    groups = [
        group_of(manifest, rest, cut.blocks)
        for group in groups_of(manifest, cut, plan.seed)
        if (rest := [i for i in group.images if i in pool])
    ]
    most = len(plan.pool) if plan.tests_every_photo else MAX_CROSS_VALIDATED_IMAGES
    n_folds = _usual_folds(known, tests_every_photo=plan.tests_every_photo)
    kept, n_folds = _kept_folds(remembered, n_folds, tests_every_photo=plan.tests_every_photo)
    validation = validation_of(
        manifest, groups, n_folds=n_folds, seed=plan.seed, most_cross_validated=most, remembered=kept
    )
    n_repeats = min(len(plan.folds[0]), validation.n_repeats)
    folds = {i: of_group[:n_repeats] for group, of_group in validation.folds_of.items() for i in group.images}
    return replace(
        plan,
        folds=tuple(folds.get(i, (ALWAYS_TRAINED,) * n_repeats) for i in plan.pool),
        n_folds=validation.n_folds,
        notes=(*plan.notes, *(note for note in validation.notes if note not in plan.notes)),
    )


def _kept_folds(
    remembered: RememberedSides | None, n_folds: int, *, tests_every_photo: bool
) -> tuple[RememberedSides | None, int]:
    """What is kept of the folds of earlier runs, and how many folds there may be: no more than there were."""
    if not tests_every_photo or remembered is None or remembered.n_folds < N_FOLDS:
        return None, n_folds
    return remembered, min(n_folds, remembered.n_folds)


def _usual_folds(manifest: DatasetManifest, *, tests_every_photo: bool) -> int:
    are_few = len(manifest.images) < FEW_OF_A_CLASS * len(manifest.classes)
    return N_FOLDS_OF_FEW if tests_every_photo and are_few else N_FOLDS


def is_every_photo_tested(scoring: Scoring, *, n_images: int, has_own_test: bool, kept_test: bool = False) -> bool:
    """Whether no photo is kept for a test: each is tested by models that have not seen it.

    Args:
        scoring: What the user wants.
        n_images: All photos.
        has_own_test: Whether some are in a test folder.
        kept_test: Whether an earlier run had so many photos that a part was kept for the test unasked.
    """
    if has_own_test:
        return False
    if scoring is Scoring.AUTO:
        return n_images < (FEWEST_IMAGES_TO_KEEP_TEST if kept_test else FEWEST_IMAGES_WITH_TEST)
    return scoring is Scoring.CROSS_VALIDATED


def _learnable(manifest: DatasetManifest, groups: Sequence[Group], unused: set[int]) -> list[Group]:
    """The groups to learn from: without the photos of the test and the copies of them."""
    learned = []
    for group in groups:
        rest = tuple(i for i in group.images if i not in unused)
        if rest:
            learned.append(group if len(rest) == len(group.images) else group_of(manifest, rest))
    return learned


def _require_every_class(manifest: DatasetManifest, pool: Sequence[int]) -> None:
    learnable = {manifest.images[i].label for i in pool}
    if lost := [label for label in manifest.classes if label not in learnable]:
        raise BadDataset(dataset_messages.NOTHING_TO_LEARN_OUTSIDE_TEST.format(classes=quoted(lost)))


def _steady_notes(steady: SteadySides) -> list[str]:
    notes = []
    if n := sum(i in steady.left_out for group in steady.test for i in group.images):
        notes.append(dataset_messages.JOINED_THE_TEST.format(n=n))
    if n := len(steady.left_out) - n:
        notes.append(dataset_messages.TEST_PHOTOS_IN_DOUBT.format(n=n))
    if steady.dealt_again:
        notes.append(dataset_messages.DEALT_AGAIN.format(classes=quoted(steady.dealt_again)))
    return notes


def _spared_notes(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    return [dataset_messages.ONLY_NEAR_COPIES_OF_TEST.format(classes=quoted(labels))]


def _every_photo_notes(manifest: DatasetManifest, tested: Sequence[int], n_folds: int) -> list[str]:
    """tested: The photos that a fold holds out."""
    notes = [dataset_messages.EVERY_PHOTO_TESTED.format(n_folds=n_folds)]
    if clips := _clips(manifest, set(tested)):
        notes.append(dataset_messages.CLIPS_IN_ONE_FOLD.format(n=len(clips)))
    known = {manifest.images[i].label for i in tested}
    if untested := [label for label in manifest.classes if label not in known]:
        notes.append(dataset_messages.TEST_LACKS.format(classes=quoted(untested)))
    if len(tested) < FEW_TEST_IMAGES:
        notes.append(dataset_messages.FEW_PHOTOS_TESTED.format(n=len(tested)))
    return notes


def _test_notes(manifest: DatasetManifest, test: set[int], *, n_copies: int, has_own_test: bool) -> list[str]:
    notes = []
    if not has_own_test:
        notes.append(_kept_note(manifest, test))
    elif on_both_sides := _clips(manifest, test) & _clips(manifest, set(range(len(manifest.images))) - test):
        notes.append(dataset_messages.CLIPS_ON_BOTH_SIDES.format(n=len(on_both_sides)))
    if n_copies:
        notes.append(dataset_messages.COPIES_OF_TEST_LEFT_OUT.format(n=n_copies))
    tested = {manifest.images[i].label for i in test}
    if untested := [label for label in manifest.classes if label not in tested]:
        lacks = dataset_messages.TEST_FOLDER_LACKS if has_own_test else dataset_messages.TEST_LACKS
        notes.append(lacks.format(classes=quoted(untested)))
    if len(test) < FEW_TEST_IMAGES:
        notes.append(dataset_messages.SMALL_TEST.format(n=len(test)))
    return notes


def _kept_note(manifest: DatasetManifest, test: set[int]) -> str:
    share = percent(len(test) / len(manifest.images), 0)
    if clips := _clips(manifest, test):
        return dataset_messages.CLIPS_KEPT_FOR_TEST.format(n=len(clips), photos=len(test), share=share)
    return dataset_messages.KEPT_FOR_TEST.format(n=len(test), share=share)


def _clips(manifest: DatasetManifest, images: set[int]) -> set[str]:
    return {manifest.images[i].clip for i in images if manifest.images[i].clip}


def _cut_notes(cut: CutClips, *, tests_every_photo: bool) -> list[str]:
    if not cut.labels:
        return []
    words = dataset_messages.CLIP_TESTED_IN_BLOCKS if tests_every_photo else dataset_messages.CLIP_CUT_INTO_BLOCKS
    return [words.format(n=len(cut.gaps), classes=quoted(cut.labels))]
