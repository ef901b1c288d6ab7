"""What the doctor says of the classes as a whole."""

import re
import unicodedata
from collections import Counter, defaultdict

from automl.datasets.edits import ExcludeFiles, RenameClass
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo, Photos
from automl.datasets.findings.finding import Finding, Fix, ids, is_or_are, leave_out, singles
from automl.datasets.findings.registry import Subject, doctor_check
from automl.datasets.verdict import FEW_IMAGES, quoted
from automl.records import Severity, Split
from automl.text.numbers import counted

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
    tiny = [label for label in sorted(classes) if len({photo.near for photo in classes[label]}) < FEW_IMAGES]
    if not tiny:
        return []
    found = [photo for label in tiny for photo in classes[label]]
    leave_classes_out = Fix(
        title=f"Leave {quoted(tiny)} out", edit=ExcludeFiles(files=ids(found), title=f"Left out {quoted(tiny)}")
    )
    n_others = len(classes) - len(tiny)
    return [
        Finding(
            kind="tiny-class",
            title=f"{counted(len(tiny), 'class has', 'classes have')} too few different photos: {quoted(tiny)}",
            consequence=(
                f"Fewer than {FEW_IMAGES} different photos teach the model little, and its score for them is a guess. "
                "Add photos; near copies count as one."
            ),
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
            title=f"'{largest[0].label}' has {len(largest):,} photos, '{smallest[0].label}' only {len(smallest):,}",
            consequence=(
                "A model gets a good score by giving nearly every photo the larger class. So balanced accuracy, "
                "in which every class counts the same, is the better measure here; more photos of the small class "
                "help."
            ),
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
    done = f"Left out {counted(len(extra), 'photo')} of large classes"
    edit = ExcludeFiles(files=ids(extra), title=done)
    return Fix(title=f"Keep at most {at_most:,} photos of a class", edit=edit)


@doctor_check(Subject.CLASSES)
def gray_mixed(dataset: ExaminedDataset) -> list[Finding]:
    """Gray and coloured photos in one data set."""
    gray = [photo for photo in dataset.photos if photo.is_gray]
    coloured = [photo for photo in dataset.photos if not photo.is_gray]
    if not gray or not coloured:
        return []
    n_of = Counter(photo.label for photo in dataset.photos)
    n_gray_of = Counter(photo.label for photo in gray)
    shares = {label: n_gray_of[label] / n for label, n in n_of.items()}
    most, least = (choose(sorted(shares), key=lambda label: shares[label]) for choose in (max, min))
    is_uneven = shares[most] - shares[least] >= _GRAY_SHARE_GAP
    fewer, colour = (gray, "gray") if len(gray) <= len(coloured) else (coloured, "coloured")
    return [
        Finding(
            kind="gray",
            title=f"{counted(len(gray), 'photo')} {is_or_are(len(gray))} gray, {len(coloured):,} in colour",
            consequence=(
                f"In '{most}' {100 * shares[most]:.0f} % are gray, in '{least}' {100 * shares[least]:.0f} %. The model "
                "may learn the colour instead of the thing, and then be wrong on new photos. Have both kinds in every "
                "class."
                if is_uneven
                else "The model sees both kinds in every class, so this does little harm. If your new photos will all "
                "be of one kind, leave out the other."
            ),
            severity=Severity.WARNING if is_uneven else Severity.INFO,
            groups=singles(fewer),
            fix=_leave_out_colour(fewer, colour, n_of),
        )
    ]


def _leave_out_colour(fewer: Photos, colour: str, n_of: Counter[str]) -> Fix | None:
    """None where more than half of a class would go."""
    n_fewer_of = Counter(photo.label for photo in fewer)
    if any(2 * n_fewer_of[label] > n for label, n in n_of.items()):
        return None
    return leave_out(f"Leave out the {colour} ones", fewer, noun=f"{colour} photo")


@doctor_check(Subject.CLASSES)
def spellings(dataset: ExaminedDataset) -> list[Finding]:
    """Classes whose names are nearly the same."""
    of_label = dataset.by_class
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label in sorted(of_label, key=lambda label: (-len(of_label[label]), label)):
        alike[_spelling_key(label)].append(label)
    pairs = [(main, other) for main, *others in alike.values() for other in others]
    return [
        Finding(
            kind="spelling",
            title=f"'{other}' and '{main}' are two classes",
            consequence=(
                "Their names are nearly the same. If they mean the same thing, the model tries to tell apart what is "
                "the same, and the score suffers."
            ),
            severity=Severity.WARNING,
            groups=(ids(of_label[main]), ids(of_label[other])),
            fix=Fix(
                title=f"Make them one: '{main}'",
                edit=RenameClass(old=other, new=main, title=f"Joined '{other}' with '{main}'"),
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
    names = counted(len(dataset.joined), "class name was", "class names were")
    return [
        Finding(
            kind="joined",
            title=f"{names} joined with another spelling of the same",
            consequence=" ".join(dataset.joined),
            severity=Severity.INFO,
        )
    ]
