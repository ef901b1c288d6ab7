"""What the doctor says of pictures that are there more than once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo, Photos, n_contents, n_labels
from automl.datasets.findings.finding import Finding, all_ids, is_or_are, leave_out
from automl.datasets.findings.registry import Subject, doctor_check
from automl.datasets.verdict import quoted
from automl.records import Severity, Split
from automl.text.numbers import counted

_PART_RANK = {Split.TEST: 0, Split.VALIDATION: 1}


@doctor_check(Subject.COPIES)
def two_labels(dataset: ExaminedDataset) -> list[Finding]:
    """The same picture in more than one class."""
    groups = dataset.in_two_classes
    if not groups:
        return []
    photos = [photo for group in groups for photo in group]
    labels = sorted({photo.label for photo in photos})
    return [
        Finding(
            kind="two-labels",
            title=f"{counted(len(groups), 'picture')} in more than one class",
            consequence=(
                f"The very same picture is in {quoted(labels)}, and it is not clear which is right. A model cannot "
                "learn from it. Leave it out, or move it to the class where it belongs."
            ),
            severity=Severity.ERROR,
            groups=all_ids(groups),
            fix=leave_out(
                "Leave all of them out",
                photos,
                noun="photo that lay in two classes",
                plural="photos that lay in two classes",
            ),
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
            title=f"{counted(len(groups), 'picture has', 'pictures have')} near copies in another class",
            consequence=(
                "Pictures that look almost the same lie in different classes. If that is a mistake, the model learns "
                "something wrong from them; look at them and move them to the right class."
            ),
            severity=Severity.WARNING,
            groups=all_ids(groups),
            fix=leave_out(
                "Leave all of them out",
                photos,
                noun="near copy in two classes",
                plural="near copies in two classes",
            ),
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Likeness:
    """In which way a training photo is like a test photo.

    Attributes:
        kind: Kind of the finding.
        noun: What one such photo is called.
        plural: What several are called.
        words: How alike they are.
    """

    kind: str
    noun: str
    plural: str
    words: str


_EXACT = _Likeness(kind="test-copies", noun="copy", plural="copies", words="the very same")
_NEAR = _Likeness(kind="test-near-copies", noun="near copy", plural="near copies", words="almost the same")


@doctor_check(Subject.COPIES)
def in_test_too(dataset: ExaminedDataset) -> list[Finding]:
    """Training photos that are in the test, too: only a test folder of the user's own can have them by mistake."""
    exact = [group for group in dataset.by_content if _is_on_both_sides(group)]
    tested = {photo.sha256 for group in exact for photo in group}
    near = [group for group in dataset.by_fingerprint if _is_on_both_sides(group)]
    # Exact copies are reported once, as such.
    near = [[photo for photo in group if photo.split is Split.TEST or photo.sha256 not in tested] for group in near]
    near = [group for group in near if _is_on_both_sides(group)]
    return [*_in_test_too(_EXACT, exact), *_in_test_too(_NEAR, near)]


def _is_on_both_sides(group: Photos) -> bool:
    return len({photo.split is Split.TEST for photo in group}) == 2


def _in_test_too(likeness: _Likeness, groups: Sequence[Photos]) -> list[Finding]:
    if not groups:
        return []
    learned = [photo for group in groups for photo in group if photo.split is not Split.TEST]
    n = len(learned)
    copies = likeness.noun if n == 1 else likeness.plural
    return [
        Finding(
            kind=likeness.kind,
            title=f"{counted(n, 'training photo')} {is_or_are(n)} {copies} of test photos",
            consequence=(
                f"A test with {likeness.words} photos as the training only shows what was memorised. Training skips "
                "them, so that the score stays honest."
            ),
            severity=Severity.WARNING,
            groups=all_ids(groups),
            fix=leave_out(
                "Leave out the training copies",
                learned,
                noun=f"training {likeness.noun}",
                plural=f"training {likeness.plural}",
            ),
        )
    ]


@doctor_check(Subject.COPIES)
def duplicates(dataset: ExaminedDataset) -> list[Finding]:
    """Exact copies in one class."""
    groups = dataset.copies
    if not groups:
        return []
    # A copy of a test photo is not trained from in any case, so the test photo is the one to keep.
    extra = _all_but_best(groups, lambda photo: (_part_rank(photo), photo.file_id))
    n = len(extra)
    return [
        Finding(
            kind="duplicates",
            title=f"{counted(n, 'photo')} {is_or_are(n)} {'an exact copy' if n == 1 else 'exact copies'} of another",
            consequence=(
                "Copies teach nothing new, and what they show counts for more than it should. They are kept on one "
                "side of the split, so that the score stays honest."
            ),
            severity=Severity.INFO,
            groups=all_ids(groups),
            fix=leave_out("Keep one of each", extra, noun="exact copy", plural="exact copies"),
        )
    ]


@doctor_check(Subject.COPIES)
def near_copies(dataset: ExaminedDataset) -> list[Finding]:
    """Pictures that are nearly the same, in one class."""
    groups = [group for group in dataset.near_copies if n_labels(group) == 1 and n_contents(group) > 1]
    if not groups:
        return []
    extra = _all_but_best(groups, lambda photo: (_part_rank(photo), -photo.width * photo.height, photo.file_id))
    n = len(groups)
    return [
        Finding(
            kind="near-copies",
            title=f"{counted(n, 'picture')} {is_or_are(n)} stored more than once, almost the same",
            consequence=(
                "These may be a burst, frames of a video, or one picture in several sizes. They are kept on one side "
                "of the split, so that the score stays honest, but they teach hardly more than one photo each."
            ),
            severity=Severity.INFO,
            groups=all_ids(groups),
            fix=leave_out("Keep the largest of each", extra, noun="near copy", plural="near copies"),
        )
    ]


def _part_rank(photo: Photo) -> int:
    return _PART_RANK.get(photo.split, 2) if photo.split else 2


def _all_but_best(groups: Sequence[Photos], order: Callable[[Photo], tuple[int, ...]]) -> list[Photo]:
    """Without the photo of each group that comes first by `order`."""
    return [photo for group in groups for photo in sorted(group, key=order)[1:]]
