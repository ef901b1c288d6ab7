"""Whether a model can be trained from some photos, and what is said of them in one sentence."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Protocol

from automl.datasets.copies_of_test import SplitPhoto, copies_of_test
from automl.records import RefusedFile, Split
from automl.text.lists import quoted
from automl.text.messages import datasets as dataset_messages
from automl.text.messages import pieces
from automl.text.natural_order import in_natural_order

FEW_IMAGES = 10
UNBALANCED = 3
"""The largest class has so many times the photos of the smallest one: then every class counts the same."""

_FEWEST_PICTURES = 2
"""Of a class: one to learn from, and one to test or to compare with."""

_REFUSALS_IN_A_MESSAGE = 3
_NAME_IN_A_MESSAGE = 80
_LONG_REASON_CHARS = 120


class GroupedPhoto(SplitPhoto, Protocol):
    """The same of a photo whose copies are known; `ImageRecord` has it."""

    @property
    def group(self) -> str: ...


def problem_of(photos: Sequence[GroupedPhoto]) -> str:
    """Why nothing can be trained and tested with these photos and what to do about it, or an empty text.

    All copies of a picture count as one photo: where there is no problem, `make_split` finds something to learn from in
    every class, and something to test with, whether a part is held out or every photo has its turn.
    """
    contents: defaultdict[str, set[str]] = defaultdict(set)
    for photo in photos:
        contents[photo.label].add(photo.sha256)
    labels = in_natural_order(contents)
    if not labels:
        return dataset_messages.NO_USABLE_PHOTO
    if len(labels) == 1:
        return dataset_messages.ONE_CLASS_ONLY.format(classes=quoted(labels))
    if tiny := [label for label in labels if len(contents[label]) < _FEWEST_PICTURES]:
        return dataset_messages.CLASS_TOO_SMALL.format(classes=quoted(tiny))
    test = {photo.sha256 for photo in photos if photo.split is Split.TEST}
    if leaked := [label for label in labels if contents[label] <= test]:
        return dataset_messages.ALL_IN_TEST_TOO.format(classes=quoted(leaked))
    return _problem_of_own_test(photos) if test else _problem_of_drawn_test(photos)


def _problem_of_drawn_test(photos: Sequence[GroupedPhoto]) -> str:
    labels_of: defaultdict[str, set[str]] = defaultdict(set)
    for photo in photos:
        labels_of[picture_of(photo)].add(photo.label)
    n_pictures = Counter(label for labels in labels_of.values() for label in labels)
    if tiny := sorted(label for label, n in n_pictures.items() if n < _FEWEST_PICTURES):
        return dataset_messages.CLASS_OF_COPIES.format(classes=quoted(tiny))
    # A picture in two classes is never asked for, and one of each class has to be learned.
    n_askable = Counter(next(iter(labels)) for labels in labels_of.values() if len(labels) == 1)
    return "" if max(n_askable.values(), default=0) >= _FEWEST_PICTURES else dataset_messages.NOTHING_TO_TEST


def _problem_of_own_test(photos: Sequence[GroupedPhoto]) -> str:
    tested = {picture_of(photo) for photo in photos if photo.split is Split.TEST}
    # A class that has nothing but near copies of test photos is learned from them.
    spared = {picture_of(photos[position]) for position in copies_of_test(photos, picture_of).spared}
    return dataset_messages.TEST_OF_COPIES if tested <= spared else ""


def picture_of(photo: GroupedPhoto) -> str:
    """The same for all copies and near copies of one picture."""
    return photo.group or photo.sha256


def explained(problem: str, refused: Sequence[RefusedFile]) -> str:
    """`problem` with the first refused files and their reasons, which are often what is behind it.

    A long reason is said once, however many files it is that of.
    """
    if not refused:
        return problem
    said: set[str] = set()
    shown: list[str] = []
    for file in refused:
        if len(shown) < _REFUSALS_IN_A_MESSAGE and file.reason not in said:
            shown.append(dataset_messages.FILE_AND_REASON.format(name=_shortened(file.name), reason=file.reason))
            said |= {file.reason} if len(file.reason) > _LONG_REASON_CHARS else set()
    if more := len(refused) - len(shown):
        shown.append(dataset_messages.MORE_FILES_NOT_USED.format(n=more))
    return dataset_messages.PROBLEM_AND_FILES.format(problem=problem, files=" ".join(shown))


def verdict_of(photos: Sequence[SplitPhoto]) -> str:
    """One sentence, such as "1,295 photos, 3 classes, balanced, ready"."""
    counts = Counter(photo.label for photo in photos)
    n_photos = pieces.PHOTOS.format(n=counts.total())
    n_classes = pieces.CLASSES.format(n=len(counts))
    smallest, largest = min(counts.values(), default=0), max(counts.values(), default=0)
    if few := sum(n < FEW_IMAGES for n in counts.values()):
        return dataset_messages.READY_WITH_SMALL_CLASSES.format(
            n=few, photos=n_photos, classes=n_classes, few=FEW_IMAGES
        )
    is_balanced = largest < UNBALANCED * smallest
    verdict = dataset_messages.READY_BALANCED if is_balanced else dataset_messages.READY_UNBALANCED
    return verdict.format(photos=n_photos, classes=n_classes, smallest=smallest, largest=largest)


def are_too_few_to_compare(photos: Sequence[GroupedPhoto]) -> bool:
    """True where one photo of each class is all that there is to learn from, beside the photos of a test folder.

    Without such a folder so few photos are all learned from, and each has its turn at being tested.
    """
    test = {picture_of(photo) for photo in photos if photo.split is Split.TEST}
    learnable = {(photo.label, picture_of(photo)) for photo in photos if picture_of(photo) not in test}
    return bool(test) and max(Counter(label for label, _ in learnable).values(), default=0) <= 1


def _shortened(name: str) -> str:
    """The end of a long name: that is where the file's own is."""
    return name if len(name) <= _NAME_IN_A_MESSAGE else f"…{name[1 - _NAME_IN_A_MESSAGE :]}"
