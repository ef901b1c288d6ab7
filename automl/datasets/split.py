"""Which photos a model learns from, which it is validated on, and which are kept for the one honest score.

Every copy of a picture, and every near copy, is on the same side: together they are a group. Groups are dealt out class
by class, which is stratified and works for classes of two pictures, where scikit-learn's `StratifiedGroupKFold` gives
up. The few groups that span classes are always learned from: one of their labels is wrong, so the test should not ask
about them. The order in which groups are dealt out comes from a hash of seed and contents: neither the order of the
files nor the version of a random generator matters, and adding photos moves few of the others.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from automl.datasets.verdict import problem_of, quoted
from automl.errors import BadDataset
from automl.records import DatasetManifest, Split, SplitPlan
from automl.text.messages import datasets as dataset_messages
from automl.text.natural_order import in_natural_order
from automl.text.numbers import percent

TEST_SHARE = 0.15
MAX_TEST_IMAGES = 10_000
MAX_CROSS_VALIDATED_IMAGES = 5_000
MAX_REPEATED_IMAGES = 500
N_REPEATS = 3
VALIDATION_SHARE = 0.15
MIN_OWN_VALIDATION_IMAGES = 200
FEW_TEST_IMAGES = 30
ALWAYS_TRAINED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """All copies and near copies of one picture.

    Attributes:
        label: Their class; empty where they differ.
        key: Identifies the group, made from contents.
        images: Indices into the manifest.
        is_validation: Whether one of them is in the user's validation folder.
    """

    label: str
    key: str
    images: tuple[int, ...]
    is_validation: bool


_FoldsOfGroups = dict[_Group, tuple[int, ...]]
"""The folds that hold a group out, one for each repeat of the cross-validation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Validation:
    """How models are compared.

    Attributes:
        folds_of: The folds of each group that is ever validated on.
        n_folds: Number of folds of one repeat.
        notes: Sentences for the user.
    """

    folds_of: _FoldsOfGroups
    n_folds: int
    notes: list[str]

    @property
    def n_repeats(self) -> int:
        return len(next(iter(self.folds_of.values())))


def make_split(manifest: DatasetManifest, seed: int, n_folds: int = 5) -> SplitPlan:
    """Splits a data set. Where the user has a test folder, its photos are the test.

    Up to 5,000 pool images are cross-validated in `n_folds` folds (fewer where there are not so many pictures), up to
    500 with three different assignments to the folds, since the best of many trials on few photos is luck. Of a larger
    pool fold 0 alone is validated on: the user's validation folder if it has 200 images, else 15 %. Where the pool has
    a single picture of each class, a class is unknown in the fold that holds its picture out: the score then says
    nothing, and a note says so.

    Args:
        manifest: The photos.
        seed: Another seed chooses other photos for the test and the folds.
        n_folds: At least 2.

    Raises:
        BadDataset: A class has no picture left to learn from, or there is none to test with.
        ValueError: `n_folds` is less than 2.
    """
    if n_folds < 2:
        raise ValueError(f"n_folds must be at least 2, not {n_folds}")
    groups = _groups(manifest, seed)
    test = {i for i, image in enumerate(manifest.images) if image.split is Split.TEST}
    has_own_test = bool(test)
    if not has_own_test:
        share = min(TEST_SHARE, MAX_TEST_IMAGES / max(1, len(manifest.images)))
        test = {i for group in _held_out(groups, share) for i in group.images}
    pool_groups, spared = _learnable(manifest, groups, test)
    pool = sorted(i for group in pool_groups for i in group.images)
    left_out = sorted(set(range(len(manifest.images))) - test - set(pool))
    _require_every_class(manifest, pool)
    _require_a_test(manifest, test, pool_groups)

    validation = _validation(pool_groups, n_pool=len(pool), n_folds=n_folds, seed=seed)
    folds = {i: of_group for group, of_group in validation.folds_of.items() for i in group.images}
    return SplitPlan(
        pool=tuple(pool),
        folds=tuple(folds.get(i, (ALWAYS_TRAINED,) * validation.n_repeats) for i in pool),
        n_folds=validation.n_folds,
        test=tuple(sorted(test)),
        left_out=tuple(left_out),
        notes=(
            *_test_notes(manifest, test, n_left_out=len(left_out), has_own_test=has_own_test),
            *_spared_notes(spared),
            *validation.notes,
        ),
        seed=seed,
    )


def _groups(manifest: DatasetManifest, seed: int) -> list[_Group]:
    """In the order in which they are dealt out."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(manifest.images):
        members[image.group or image.sha256].append(index)
    groups = [_group(manifest, key, images) for key, images in members.items()]
    return sorted(groups, key=lambda group: hashlib.sha256(f"{seed} {group.key}".encode()).digest())


def _group(manifest: DatasetManifest, key: str, images: Sequence[int]) -> _Group:
    labels = {manifest.images[i].label for i in images}
    is_validation = any(manifest.images[i].split is Split.VALIDATION for i in images)
    label = labels.pop() if len(labels) == 1 else ""
    return _Group(label=label, key=key, images=tuple(images), is_validation=is_validation)


def _learnable(manifest: DatasetManifest, groups: Sequence[_Group], test: set[int]) -> tuple[list[_Group], list[str]]:
    """The groups to learn from, and the classes of which there are only near copies of test photos.

    Near copies of test photos are left out, except those of the latter classes: else nothing could be learned of them.
    """
    clean = [group for group in groups if test.isdisjoint(group.images)]
    known = {manifest.images[i].label for group in clean for i in group.images}
    exact = {manifest.images[i].sha256 for i in test}
    near: defaultdict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        unseen = [i for i in group.images if i not in test and manifest.images[i].sha256 not in exact]
        own = tuple(i for i in unseen if manifest.images[i].label not in known)
        if len(own) < len(group.images) and own and not test.isdisjoint(group.images):
            rest = _group(manifest, group.key, own)
            for label in {manifest.images[i].label for i in own} - known:
                near[label].append(rest)
    spared = {group.key: group for of_class in near.values() for group in of_class}
    return clean + list(spared.values()), sorted(near)


def _by_class(groups: Sequence[_Group]) -> list[list[_Group]]:
    """The groups of each class, classes by name, without classes of a single group, which cannot be held out."""
    classes: defaultdict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        if group.label:
            classes[group.label].append(group)
    return [classes[label] for label in sorted(classes) if len(classes[label]) >= 2]


def _held_out(groups: Sequence[_Group], share: float) -> set[_Group]:
    """About `share` of the images of each class, at least one picture and never all."""
    return {group for of_class in _by_class(groups) for group in _held_out_of_class(of_class, share)}


def _held_out_of_class(groups: list[_Group], share: float) -> list[_Group]:
    """The first groups that fit into the share; never so many groups that few are left to learn from."""
    n_images = sum(len(group.images) for group in groups)
    wanted, most_groups = round(share * n_images), max(1, round(share * len(groups)))
    chosen: list[_Group] = []
    for group in groups:
        if len(chosen) < most_groups and len(group.images) <= wanted:
            chosen.append(group)
            wanted -= len(group.images)
    return chosen or [min(groups, key=lambda group: len(group.images))]


def _validation(groups: Sequence[_Group], *, n_pool: int, n_folds: int, seed: int) -> _Validation:
    if not _by_class(groups):
        alone = [[group] for group in groups]
        folds_of, n_used = _repeated(alone, n_folds=n_folds, n_pool=n_pool, seed=seed)
        return _Validation(folds_of=folds_of, n_folds=n_used, notes=[dataset_messages.TOO_FEW_TO_COMPARE])
    if n_pool <= MAX_CROSS_VALIDATED_IMAGES:
        return _cross_validation(groups, n_pool=n_pool, n_folds=n_folds, seed=seed)
    return _single_validation(groups)


def _n_own(groups: Sequence[_Group]) -> int:
    """How many images are together with one of the user's validation folder."""
    return sum(len(group.images) for group in groups if group.is_validation)


def _cross_validation(groups: Sequence[_Group], *, n_pool: int, n_folds: int, seed: int) -> _Validation:
    """Each photo takes its turn at validation."""
    folds_of, n_used = _repeated(_by_class(groups), n_folds=n_folds, n_pool=n_pool, seed=seed)
    notes = []
    if _n_own(groups):
        notes.append(dataset_messages.JOINED_IN_CROSS_VALIDATION.format(n_folds=n_used))
    if single := {group.label for group in groups if group.label} - {group.label for group in folds_of}:
        notes.append(dataset_messages.SINGLE_PHOTO_OF_CLASS.format(classes=quoted(in_natural_order(single))))
    return _Validation(folds_of=folds_of, n_folds=n_used, notes=notes)


def _single_validation(groups: Sequence[_Group]) -> _Validation:
    """One part of the photos is validated on: the user's own where it is large enough."""
    n_own = _n_own(groups)
    if n_own >= MIN_OWN_VALIDATION_IMAGES and (own := _own_validation(groups)):
        note = dataset_messages.COMPARED_ON_OWN_FOLDER.format(n=n_own)
        return _Validation(folds_of=dict.fromkeys(own, (0,)), n_folds=1, notes=[note])
    share = percent(VALIDATION_SHARE, 0)
    if n_own:
        note = dataset_messages.COMPARED_ON_SHARE_INSTEAD.format(n=n_own, share=share)
    else:
        note = dataset_messages.COMPARED_ON_SHARE.format(share=share)
    held_out = _held_out(groups, VALIDATION_SHARE)
    return _Validation(folds_of=dict.fromkeys(held_out, (0,)), n_folds=1, notes=[note])


def _repeated(
    classes: Sequence[Sequence[_Group]], *, n_folds: int, n_pool: int, seed: int
) -> tuple[_FoldsOfGroups, int]:
    """The folds of each group of `classes`, and how many folds there are."""
    first, n_used = _dealt(classes, n_folds)
    deals = [first]
    for repeat in range(1, N_REPEATS if n_pool <= MAX_REPEATED_IMAGES else 1):
        shuffled = [
            sorted(of_class, key=lambda group: hashlib.sha256(f"{seed} {repeat} {group.key}".encode()).digest())
            for of_class in classes
        ]
        deals.append(_dealt(shuffled, n_folds)[0])
    return {group: tuple(deal[group] for deal in deals) for group in first}, n_used


def _dealt(classes: Sequence[Sequence[_Group]], n_folds: int) -> tuple[dict[_Group, int], int]:
    """The fold of each group of `classes`, and how many folds there are.

    No fold is empty, and none holds all of a class that has two groups.
    """
    n_used = min(n_folds, sum(map(len, classes)))
    n_in_fold = [0] * n_used
    fold_of: dict[_Group, int] = {}
    for of_class in classes:
        n_of_class = [0] * n_used
        # The large groups first: the small ones then even the folds out.
        for group in sorted(of_class, key=lambda group: -len(group.images)):
            fold = min(range(n_used), key=lambda f: (n_of_class[f], n_in_fold[f]))
            fold_of[group] = fold
            n_of_class[fold] += len(group.images)
            n_in_fold[fold] += len(group.images)
    return fold_of, n_used


def _own_validation(groups: Sequence[_Group]) -> set[_Group]:
    """The user's validation pictures; of a class that has no others, only a share, since it must be learned too."""
    learned = {group.label for group in groups if not group.is_validation}
    own = {group for group in groups if group.is_validation and group.label in learned}
    return own | _held_out([group for group in groups if group.label not in learned], VALIDATION_SHARE)


def _require_every_class(manifest: DatasetManifest, pool: Sequence[int]) -> None:
    learnable = {manifest.images[i].label for i in pool}
    if lost := [label for label in manifest.classes if label not in learnable]:
        raise BadDataset(dataset_messages.NOTHING_TO_LEARN_OUTSIDE_TEST.format(classes=quoted(lost)))


def _require_a_test(manifest: DatasetManifest, test: set[int], pool_groups: Sequence[_Group]) -> None:
    """The check refuses such a data set before a run begins, but versions that were saved earlier may be such."""
    if not test or len(pool_groups) < 2:
        raise BadDataset(problem_of(manifest.images) or dataset_messages.NOTHING_TO_TEST)


def _spared_notes(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    return [dataset_messages.ONLY_NEAR_COPIES_OF_TEST.format(classes=quoted(labels))]


def _test_notes(manifest: DatasetManifest, test: set[int], *, n_left_out: int, has_own_test: bool) -> list[str]:
    notes = []
    if not has_own_test:
        share = len(test) / len(manifest.images)
        notes.append(dataset_messages.KEPT_FOR_TEST.format(n=len(test), share=percent(share, 0)))
    if n_left_out:
        notes.append(dataset_messages.COPIES_OF_TEST_LEFT_OUT.format(n=n_left_out))
    tested = {manifest.images[i].label for i in test}
    if untested := [label for label in manifest.classes if label not in tested]:
        lacks = dataset_messages.TEST_FOLDER_LACKS if has_own_test else dataset_messages.TEST_LACKS
        notes.append(lacks.format(classes=quoted(untested)))
    if len(test) < FEW_TEST_IMAGES:
        notes.append(dataset_messages.SMALL_TEST.format(n=len(test)))
    return notes
