"""What the doctor says of pictures that are there more than once."""

from collections.abc import Callable, Sequence

from automl.datasets.findings.finding import Finding, Photo, Photos, Severity, all_ids, is_or_are, leave_out
from automl.datasets.manifest import quoted
from automl.records import Split
from automl.text.names import counted

_PART_RANK = {Split.TEST: 0, Split.VALIDATION: 1}


def two_labels(groups: Sequence[Photos]) -> list[Finding]:
    if not groups:
        return []
    photos = [photo for group in groups for photo in group]
    labels = sorted({photo.label for photo in photos})
    return [
        Finding(
            "two-labels",
            f"{counted(len(groups), 'picture')} in more than one class",
            f"The very same picture is in {quoted(labels)}, and it is not clear which is right. A model cannot learn "
            "from it. Leave it out, or move it to the class where it belongs.",
            Severity.ERROR,
            all_ids(groups),
            leave_out(
                "Leave all of them out", photos, "photo that lay in two classes", "photos that lay in two classes"
            ),
        )
    ]


def near_two_labels(groups: Sequence[Photos]) -> list[Finding]:
    if not groups:
        return []
    photos = [photo for group in groups for photo in group]
    return [
        Finding(
            "near-two-labels",
            f"{counted(len(groups), 'picture has', 'pictures have')} near copies in another class",
            "Pictures that look almost the same lie in different classes. If that is a mistake, the model learns "
            "something wrong from them; look at them and move them to the right class.",
            Severity.WARNING,
            all_ids(groups),
            leave_out("Leave all of them out", photos, "near copy in two classes", "near copies in two classes"),
        )
    ]


def in_test_too(by_content: Sequence[Photos], by_look: Sequence[Photos]) -> list[Finding]:
    """Only what a user puts into a test folder himself can be there by mistake."""
    exact = [group for group in by_content if _is_on_both_sides(group)]
    tested = {photo.sha256 for group in exact for photo in group}
    near = [group for group in by_look if _is_on_both_sides(group)]
    near = [[photo for photo in group if photo.split is Split.TEST or photo.sha256 not in tested] for group in near]
    near = [group for group in near if _is_on_both_sides(group)]
    return [
        *_leak("test-copies", "copy", "copies", "the very same", exact),
        *_leak("test-near-copies", "near copy", "near copies", "almost the same", near),
    ]


def _is_on_both_sides(group: Photos) -> bool:
    return len({photo.split is Split.TEST for photo in group}) == 2


def _leak(kind: str, noun: str, plural: str, words: str, groups: Sequence[Photos]) -> list[Finding]:
    if not groups:
        return []
    learned = [photo for group in groups for photo in group if photo.split is not Split.TEST]
    n = len(learned)
    return [
        Finding(
            kind,
            f"{counted(n, 'training photo')} {is_or_are(n)} {noun if n == 1 else plural} of test photos",
            f"A test with {words} photos as the training only shows what was memorised. Training skips them, "
            "so that the score stays honest.",
            Severity.WARNING,
            all_ids(groups),
            leave_out("Leave out the training copies", learned, f"training {noun}", f"training {plural}"),
        )
    ]


def duplicates(groups: Sequence[Photos]) -> list[Finding]:
    if not groups:
        return []
    # A copy of a test photo is not trained from in any case, so the test photo is the one to keep.
    extra = _all_but_best(groups, lambda photo: (_part_rank(photo), photo.file_id))
    n = len(extra)
    return [
        Finding(
            "duplicates",
            f"{counted(n, 'photo')} {is_or_are(n)} {'an exact copy' if n == 1 else 'exact copies'} of another",
            "Copies teach nothing new, and what they show counts for more than it should. They are kept on one side of "
            "the split, so that the score stays honest.",
            Severity.INFO,
            all_ids(groups),
            leave_out("Keep one of each", extra, "exact copy", "exact copies"),
        )
    ]


def near_copies(groups: Sequence[Photos]) -> list[Finding]:
    if not groups:
        return []
    extra = _all_but_best(groups, lambda photo: (_part_rank(photo), -photo.width * photo.height, photo.file_id))
    return [
        Finding(
            "near-copies",
            f"{counted(len(groups), 'picture')} {'is' if len(groups) == 1 else 'are'} stored more than once, "
            "almost the same",
            "These may be a burst, frames of a video, or one picture in several sizes. They are kept on one side of "
            "the split, so that the score stays honest, but they teach hardly more than one photo each.",
            Severity.INFO,
            all_ids(groups),
            leave_out("Keep the largest of each", extra, "near copy", "near copies"),
        )
    ]


def _part_rank(photo: Photo) -> int:
    return _PART_RANK.get(photo.split, 2) if photo.split else 2


def _all_but_best(groups: Sequence[Photos], order: Callable[[Photo], tuple[int, ...]]) -> list[Photo]:
    return [photo for group in groups for photo in sorted(group, key=order)[1:]]
