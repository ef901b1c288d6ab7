"""What the doctor says of the classes as a whole."""

import re
import unicodedata
from collections import Counter, defaultdict

from automl.datasets.edits import ExcludeFiles, RenameClass
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo, Photos
from automl.datasets.findings.finding import Finding, Fix, ids, leave_out, singles
from automl.datasets.findings.photos import shows_nothing
from automl.datasets.findings.registry import Subject, doctor_check
from automl.datasets.verdict import FEW_IMAGES
from automl.records import Severity, Split
from automl.text.lists import quoted
from automl.text.messages import datasets as dataset_messages
from automl.text.natural_order import in_natural_order, natural_key

MAX_IMBALANCE = 10
_EVENED_IMBALANCE, _MIN_EVENED_PHOTOS = 5, 50
_GRAY_SHARE_GAP = 0.3
_MAX_PAIRS = 20
_SHORTEST_PLURAL = 5
_FIRST_ACCENT = 200
"""Of the canonical combining classes of Unicode."""


@doctor_check(Subject.CLASSES)
def tiny_classes(dataset: ExaminedDataset) -> list[Finding]:
    """Classes of very few different photos."""
    classes = dataset.by_class
    tiny = [label for label in in_natural_order(classes) if len({photo.near for photo in classes[label]}) < FEW_IMAGES]
    if not tiny:
        return []
    found = [photo for label in tiny for photo in classes[label]]
    leave_classes_out = Fix(
        title=dataset_messages.LEAVE_CLASSES_OUT.format(classes=quoted(tiny)),
        edit=ExcludeFiles(files=ids(found), title=dataset_messages.CLASSES_LEFT_OUT.format(classes=quoted(tiny))),
    )
    n_others = len(classes) - len(tiny)
    return [
        Finding(
            kind="tiny-class",
            title=dataset_messages.TINY_CLASSES.format(n=len(tiny), classes=quoted(tiny)),
            consequence=dataset_messages.TINY_CLASSES_MEAN.format(few=FEW_IMAGES),
            severity=Severity.WARNING,
            groups=tuple(ids(classes[label]) for label in tiny),
            fix=leave_classes_out if n_others >= 2 else None,  # a data set of one class is of no use
        )
    ]


@doctor_check(Subject.CLASSES)
def unbalanced(dataset: ExaminedDataset) -> list[Finding]:
    """Classes that are very unequal in size."""
    classes = sorted(dataset.by_class.values(), key=lambda group: (len(group), group[0].label))
    if len(classes) < 2 or len(classes[-1]) < MAX_IMBALANCE * len(classes[0]):
        return []
    smallest, largest = classes[0], classes[-1]
    return [
        Finding(
            kind="unbalanced",
            title=dataset_messages.UNBALANCED.format(
                large=largest[0].label, n_large=len(largest), small=smallest[0].label, n_small=len(smallest)
            ),
            consequence=dataset_messages.UNBALANCED_MEANS,
            severity=Severity.INFO,
            groups=(ids(largest), ids(smallest)),
            fix=_even_out(classes, at_most=max(_EVENED_IMBALANCE * len(smallest), _MIN_EVENED_PHOTOS)),
        )
    ]


def _even_out(classes: list[list[Photo]], at_most: int) -> Fix | None:
    """Leaves out what a class has beyond so many photos; None where no class has."""
    # The photos of the user's test folder stay.
    learned = [[photo for photo in group if photo.split is not Split.TEST] for group in classes]
    # Sorted by contents, so that the same photos stay whenever it is asked.
    order = [sorted(group, key=lambda photo: (photo.sha256, photo.file_id)) for group in learned]
    extra = [photo for group in order for photo in group[at_most:]]
    if not extra:
        return None
    title = dataset_messages.KEEP_AT_MOST.format(n=at_most)
    return leave_out(title, extra, done=dataset_messages.LARGE_CLASSES_CUT)


@doctor_check(Subject.CLASSES)
def gray_mixed(dataset: ExaminedDataset) -> list[Finding]:
    """Gray and coloured photos in one data set."""
    # What is blank is reported as that, and has no colour that a model could learn.
    photos = [photo for photo in dataset.used if not shows_nothing(photo)]
    gray = [photo for photo in photos if photo.is_gray]
    coloured = [photo for photo in photos if not photo.is_gray]
    if not gray or not coloured:
        return []
    n_of = Counter(photo.label for photo in photos)
    n_gray_of = Counter(photo.label for photo in gray)
    shares = {label: n_gray_of[label] / n for label, n in n_of.items()}
    most, least = (choose(sorted(shares), key=lambda label: shares[label]) for choose in (max, min))
    is_uneven = shares[most] - shares[least] >= _GRAY_SHARE_GAP
    consequence = dataset_messages.GRAY_UNEVENLY if is_uneven else dataset_messages.GRAY_EVENLY
    return [
        Finding(
            kind="gray",
            title=dataset_messages.GRAY_AND_COLOURED.format(n=len(gray), n_coloured=len(coloured)),
            consequence=consequence.format(
                most=most, most_percent=100 * shares[most], least=least, least_percent=100 * shares[least]
            ),
            severity=Severity.WARNING if is_uneven else Severity.INFO,
            groups=singles(min(gray, coloured, key=len)),
            fix=_leave_out_colour(gray, coloured, n_of),
        )
    ]


def _leave_out_colour(gray: Photos, coloured: Photos, n_of: Counter[str]) -> Fix | None:
    """Leaves out the kind of which there are fewer; None where more than half of a class would go."""
    fewer = min(gray, coloured, key=len)
    n_fewer_of = Counter(photo.label for photo in fewer)
    if any(2 * n_fewer_of[label] > n for label, n in n_of.items()):
        return None
    if fewer is gray:
        return leave_out(dataset_messages.LEAVE_GRAY_OUT, gray, done=dataset_messages.GRAY_LEFT_OUT)
    return leave_out(dataset_messages.LEAVE_COLOURED_OUT, coloured, done=dataset_messages.COLOURED_LEFT_OUT)


@doctor_check(Subject.CLASSES)
def spellings(dataset: ExaminedDataset) -> list[Finding]:
    """Classes whose names are nearly the same."""
    of_label = dataset.by_class
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label in sorted(of_label, key=lambda label: (-len(of_label[label]), natural_key(label))):
        alike[_spelling_key(label)].append(label)
    pairs = [(main, other) for main, *others in alike.values() for other in others]
    return [
        Finding(
            kind="spelling",
            title=dataset_messages.TWO_SPELLINGS.format(other=other, main=main),
            consequence=dataset_messages.TWO_SPELLINGS_MEAN,
            severity=Severity.WARNING,
            groups=(ids(of_label[main]), ids(of_label[other])),
            fix=Fix(
                title=dataset_messages.MAKE_ONE_CLASS.format(main=main),
                edit=RenameClass(
                    old=other, new=main, title=dataset_messages.MADE_ONE_CLASS.format(other=other, main=main)
                ),
            ),
        )
        for main, other in pairs[:_MAX_PAIRS]
    ]


def _spelling_key(label: str) -> str:
    """The same for 'Roses', 'rose ' and 'ROSE', 'Café-au-lait' and 'cafe_au_lait'; 'c' and 'c++' differ."""
    letters = unicodedata.normalize("NFKD", label.casefold())
    # Accents only: what is added to Japanese, Hindi or Arabic letters makes other words.
    letters = "".join(letter for letter in letters if unicodedata.combining(letter) < _FIRST_ACCENT)
    plain = re.sub(r"(?<!\d)[\s_.\-]+(?!\d|$)", "", letters)
    is_plural = len(plain) >= _SHORTEST_PLURAL and plain.isalpha() and plain.endswith("s") and not plain.endswith("ss")
    return plain[:-1] if is_plural else plain


@doctor_check(Subject.CLASSES)
def joined(dataset: ExaminedDataset) -> list[Finding]:
    """Class names that were joined with another spelling already."""
    if not dataset.joined:
        return []
    return [
        Finding(
            kind="joined",
            title=dataset_messages.NAMES_JOINED.format(n=len(dataset.joined)),
            consequence=" ".join(dataset.joined),
            severity=Severity.INFO,
        )
    ]
