"""What the doctor says of pictures that are there more than once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from automl.datasets.copies_of_test import copies_of_test
from automl.datasets.edits import TrustLabels
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo, Photos, grouped, n_contents, n_labels
from automl.datasets.findings.finding import Finding, Fix, all_ids, leave_out
from automl.datasets.findings.registry import Subject, doctor_check
from automl.records import Severity, Split
from automl.text.lists import quoted
from automl.text.messages import datasets as dataset_messages
from automl.text.natural_order import in_natural_order
from automl.text.one_or_many import OneOrMany

CONFLICTS = frozenset({"two-labels", "near-two-labels", "same-across-classes"})
"""Kinds of findings on pictures that are in more than one class, of which only the user can say which is right."""

_PART_RANK = {Split.TEST: 0, Split.VALIDATION: 1}


@doctor_check(Subject.COPIES)
def two_labels(dataset: ExaminedDataset) -> list[Finding]:
    """The same picture in more than one class."""
    groups = dataset.in_two_classes
    if not groups:
        return []
    photos = [photo for group in groups for photo in group]
    labels = in_natural_order({photo.label for photo in photos})
    return [
        Finding(
            kind="two-labels",
            title=dataset_messages.TWO_LABELS.format(n=len(groups)),
            consequence=dataset_messages.TWO_LABELS_MEANS.format(classes=quoted(labels)),
            severity=Severity.ERROR,
            groups=all_ids(groups),
            fix=leave_out(dataset_messages.LEAVE_ALL_OUT, photos, done=dataset_messages.TWO_LABELS_LEFT_OUT),
        )
    ]


@doctor_check(Subject.COPIES)
def near_two_labels(dataset: ExaminedDataset) -> list[Finding]:
    """Pictures that are nearly the same, in more than one class."""
    groups = [group for group in dataset.near_copies if n_labels(group) > 1]
    if not groups:
        return []
    photos = [photo for group in groups for photo in group]
    return [
        Finding(
            kind="near-two-labels",
            title=dataset_messages.NEAR_TWO_LABELS.format(n=len(groups)),
            consequence=dataset_messages.NEAR_TWO_LABELS_MEANS,
            severity=Severity.WARNING,
            groups=all_ids(groups),
            fix=leave_out(dataset_messages.LEAVE_ALL_OUT, photos, done=dataset_messages.NEAR_TWO_LABELS_LEFT_OUT),
        )
    ]


@doctor_check(Subject.COPIES)
def same_across_classes(dataset: ExaminedDataset) -> list[Finding]:
    """Pictures that look the same in more than one class, and so many that only the user can say what is right."""
    groups = dataset.same_across_classes
    if not groups:
        return []
    photos = [photo for group in groups for photo in group]
    return [
        Finding(
            kind="same-across-classes",
            title=dataset_messages.SAME_ACROSS_CLASSES.format(n=len(photos)),
            consequence=dataset_messages.SAME_ACROSS_CLASSES_MEANS,
            severity=Severity.WARNING,
            groups=all_ids(groups),
            fix=leave_out(dataset_messages.LEAVE_ALL_OUT, photos, done=dataset_messages.SAME_ACROSS_CLASSES_LEFT_OUT),
            keep=Fix(
                title=dataset_messages.RIGHT_AS_THEY_ARE,
                edit=TrustLabels(trust=True, title=dataset_messages.LABELS_TRUSTED),
            ),
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Likeness:
    """In which way a training photo is like a test photo.

    Attributes:
        kind: Kind of the finding.
        title: Says how many there are.
        consequence: What they mean for the score.
        done: Said after they were left out.
    """

    kind: str
    title: OneOrMany
    consequence: str
    done: OneOrMany


_EXACT = _Likeness(
    kind="test-copies",
    title=dataset_messages.TEST_COPIES,
    consequence=dataset_messages.TEST_COPIES_MEAN,
    done=dataset_messages.TEST_COPIES_LEFT_OUT,
)
_NEAR = _Likeness(
    kind="test-near-copies",
    title=dataset_messages.TEST_NEAR_COPIES,
    consequence=dataset_messages.TEST_NEAR_COPIES_MEAN,
    done=dataset_messages.TEST_NEAR_COPIES_LEFT_OUT,
)


@doctor_check(Subject.COPIES)
def in_test_too(dataset: ExaminedDataset) -> list[Finding]:
    """Training photos that are in the test, too: only a test folder of the user's own can have them by mistake."""
    # A picture in two classes is left out as such, and reported once.
    photos = [photo for group in dataset.near_copies for photo in group]
    copies = copies_of_test(photos, lambda photo: photo.near)
    tested = [photo for photo in photos if photo.split is Split.TEST]
    contents = {photo.sha256 for photo in tested}
    left_out = [photos[position] for position in sorted(copies.left_out)]
    exact = [photo for photo in left_out if photo.sha256 in contents]
    near = [photo for photo in left_out if photo.sha256 not in contents]
    spared = [photos[position] for position in sorted(copies.spared)]
    return [
        *_in_test_too(_EXACT, exact, (), grouped([*tested, *exact], lambda photo: photo.sha256)),
        *_in_test_too(_NEAR, near, spared, grouped([*tested, *near, *spared], lambda photo: photo.near)),
    ]


def _in_test_too(likeness: _Likeness, skipped: Photos, spared: Photos, groups: Sequence[Photos]) -> list[Finding]:
    """The finding on training photos that are in the test, too.

    Args:
        likeness: In which way they are like photos of the test.
        skipped: Those that training skips.
        spared: Those that are learned from all the same, for want of others in their class.
        groups: All of these together with those of the test; groups of one side alone do not matter.
    """
    if not skipped and not spared:
        return []
    consequence = likeness.consequence
    if spared:
        labels = in_natural_order({photo.label for photo in spared})
        consequence = dataset_messages.ONLY_NEAR_COPIES_OF_TEST.format(classes=quoted(labels))
    if skipped and spared:
        consequence = dataset_messages.TEST_NEAR_COPIES_PARTLY_SKIPPED.format(n=len(skipped), others=consequence)
    fix = leave_out(dataset_messages.LEAVE_TRAINING_COPIES_OUT, skipped, done=likeness.done) if skipped else None
    return [
        Finding(
            kind=likeness.kind,
            title=likeness.title.format(n=len(skipped) + len(spared)),
            consequence=consequence,
            severity=Severity.WARNING,
            groups=all_ids([group for group in groups if _is_on_both_sides(group)]),
            fix=fix,
        )
    ]


def _is_on_both_sides(group: Photos) -> bool:
    return len({photo.split is Split.TEST for photo in group}) == 2


@doctor_check(Subject.COPIES)
def duplicates(dataset: ExaminedDataset) -> list[Finding]:
    """Exact copies in one class."""
    groups = dataset.copies
    if not groups:
        return []
    # A copy of a test photo is not trained from in any case, so the test photo is the one to keep.
    extra = _all_but_best(groups, lambda photo: (_part_rank(photo), photo.file_id))
    return [
        Finding(
            kind="duplicates",
            title=dataset_messages.DUPLICATES.format(n=len(extra)),
            consequence=dataset_messages.DUPLICATES_MEAN,
            severity=Severity.INFO,
            groups=all_ids(groups),
            fix=leave_out(dataset_messages.KEEP_ONE_OF_EACH, extra, done=dataset_messages.DUPLICATES_LEFT_OUT),
        )
    ]


@doctor_check(Subject.COPIES)
def near_copies(dataset: ExaminedDataset) -> list[Finding]:
    """Pictures that are nearly the same, in one class."""
    groups = [
        group
        for group in dataset.near_copies
        # Of frames it is said that they are a clip.
        if n_labels(group) == 1 and n_contents(group) > 1 and not all(photo.is_frame for photo in group)
    ]
    if not groups:
        return []
    extra = _all_but_best(groups, lambda photo: (_part_rank(photo), -photo.width * photo.height, photo.file_id))
    return [
        Finding(
            kind="near-copies",
            title=dataset_messages.NEAR_COPIES.format(n=len(groups)),
            consequence=dataset_messages.NEAR_COPIES_MEAN,
            severity=Severity.INFO,
            groups=all_ids(groups),
            fix=leave_out(dataset_messages.KEEP_LARGEST_OF_EACH, extra, done=dataset_messages.NEAR_COPIES_LEFT_OUT),
        )
    ]


def _part_rank(photo: Photo) -> int:
    return _PART_RANK.get(photo.split, 2) if photo.split else 2


def _all_but_best(groups: Sequence[Photos], order: Callable[[Photo], tuple[int, ...]]) -> list[Photo]:
    """Without the photo of each group that comes first by `order`."""
    return [photo for group in groups for photo in sorted(group, key=order)[1:]]
