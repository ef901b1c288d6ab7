"""From pictures that decode to a data set that can be trained from: what is kept, what is wrong, what to say."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from automl.records import RefusedFile, Split

FEW_IMAGES = 10
MAX_LISTED_REFUSALS = 100
_REFUSALS_IN_A_MESSAGE = 3
_NAME_IN_A_MESSAGE = 80

_GOOD_START = "10 or more photos of each class are a good start"
TOO_FEW_TO_COMPARE = (
    "There is only one photo of each class to learn from, beside the test photos. That is too few to tell a good model "
    f"from a bad one: scores on validation photos mean nothing here, high or low. Add photos: {_GOOD_START}."
)
"""Of a data set with two photos of each class, say."""


class Picture(Protocol):
    """What is asked of a picture here; `ImageRecord` has it."""

    @property
    def label(self) -> str: ...
    @property
    def split(self) -> Split | None: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Assessment:
    """`kept`: indices of the pictures to use. `refused`: index to reason. `problem`: why nothing can be trained
    from them and what to do about it, or an empty text."""

    kept: tuple[int, ...]
    refused: dict[int, str]
    problem: str


def assess(pictures: Sequence[Picture]) -> Assessment:
    """Sorts out contradictions between pictures that are fine one by one."""
    refused = _same_picture_in_two_classes(pictures)
    refused |= _only_in_test(pictures, refused)
    kept = tuple(index for index in range(len(pictures)) if index not in refused)
    return Assessment(kept, refused, _problem([pictures[index] for index in kept]))


def explained(problem: str, refused: Sequence[RefusedFile]) -> str:
    """`problem` with the first refused files and their reasons, which are often what is behind it."""
    shown = [f"{_shortened(file.name)}: {file.reason}" for file in refused[:_REFUSALS_IN_A_MESSAGE]]
    if more := len(refused) - len(shown):
        shown.append(f"And {counted(more, 'more file')}.")
    return " ".join([problem, "Not used:", *shown]) if shown else problem


def _too_few_to_compare(pictures: Sequence[Picture]) -> bool:
    """True where one photo of each class is all that there is to learn from, once the test has got its own."""
    test = {picture.sha256 for picture in pictures if picture.split is Split.TEST}
    photos = {(picture.label, picture.sha256) for picture in pictures if picture.sha256 not in test}
    n_learnable = 1 if test else 2
    return max(Counter(label for label, _ in photos).values(), default=0) <= n_learnable


def fingerprint(pictures: Sequence[Picture]) -> str:
    """A SHA-256 over contents, labels and splits: the same data set has the same one, in whatever order and names."""
    rows = sorted([picture.sha256, picture.label, picture.split or ""] for picture in pictures)
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


def summarise(pictures: Sequence[Picture], refused: Sequence[RefusedFile], notes: Sequence[str] = ()) -> dict[str, Any]:
    """What pages and the command line show of a data set; JSON. `notes`: more sentences, to go first."""
    labels = sorted({picture.label for picture in pictures})
    counts = Counter((picture.label, picture.split) for picture in pictures)
    n_images = len(pictures)
    return {
        "n_images": n_images,
        "n_refused": len(refused),
        "n_duplicates": n_duplicates(pictures),
        "classes": [
            {
                "label": label,
                "n_images": sum(n for (of, _), n in counts.items() if of == label),
                "train": counts[label, Split.TRAIN],
                "validation": counts[label, Split.VALIDATION],
                "test": counts[label, Split.TEST],
                "unassigned": counts[label, None],
            }
            for label in labels
        ],
        "refused": [{"name": file.name, "reason": file.reason} for file in refused[:MAX_LISTED_REFUSALS]],
        "verdict": f"{counted(n_images, 'photo')}, {counted(len(labels), 'class', 'classes')}, ready",
        "notes": [*notes, *_notes(pictures, labels)],
        "fingerprint": fingerprint(pictures),
    }


def n_duplicates(pictures: Sequence[Picture]) -> int:
    """Pictures that are exact copies of another one."""
    return len(pictures) - len({picture.sha256 for picture in pictures})


def counted(n: int, noun: str, plural: str = "") -> str:
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def quoted(labels: Sequence[str], at_most: int = 5) -> str:
    """ "'ants', 'bees' and 3 more"."""
    shown = [f"'{label}'" for label in labels[:at_most]]
    more = len(labels) - len(shown)
    if more:
        return ", ".join(shown) + f" and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _same_picture_in_two_classes(pictures: Sequence[Picture]) -> dict[int, str]:
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for picture in pictures:
        labels[picture.sha256].add(picture.label)
    return {
        index: f"The same picture is also in {quoted(others)}; nobody can tell which is right."
        for index, picture in enumerate(pictures)
        if (others := sorted(labels[picture.sha256] - {picture.label}))
    }


def _only_in_test(pictures: Sequence[Picture], refused: dict[int, str]) -> dict[int, str]:
    left = {index: picture for index, picture in enumerate(pictures) if index not in refused}
    learnable = {picture.label for picture in left.values() if picture.split is not Split.TEST}
    return {
        index: f"The class '{picture.label}' has photos only in the test folder, so there is nothing to learn it from."
        for index, picture in left.items()
        if picture.label not in learnable
    }


def _problem(pictures: Sequence[Picture]) -> str:
    test = {picture.sha256 for picture in pictures if picture.split is Split.TEST}
    photos: defaultdict[str, set[str]] = defaultdict(set)
    for picture in pictures:
        photos[picture.label].add(picture.sha256)
    labels = sorted(photos)
    if not labels:
        return "There is no photo here that can be used. Make one folder for each class and put its photos in."
    if len(labels) == 1:
        return (
            f"All photos are of one class, {quoted(labels)}. At least two are needed: "
            "add a folder with photos of something else."
        )
    if tiny := [label for label in labels if len(photos[label]) < 2]:
        return (
            f"There are fewer than 2 different photos of {quoted(tiny)}. "
            f"Add photos, or leave the class out. {_GOOD_START}."
        )
    if leaked := [label for label in labels if photos[label] <= test]:
        return (
            f"Every training photo of {quoted(leaked)} is also in the test folder, so there is nothing to learn from. "
            "Add other photos to the training folder."
        )
    return ""


def _shortened(name: str) -> str:
    """The end of a long name: that is where the file's own is."""
    return name if len(name) <= _NAME_IN_A_MESSAGE else f"…{name[1 - _NAME_IN_A_MESSAGE :]}"


def _notes(pictures: Sequence[Picture], labels: Sequence[str]) -> list[str]:
    notes = [TOO_FEW_TO_COMPARE] if labels and _too_few_to_compare(pictures) else []
    n_photos = Counter(picture.label for picture in pictures)
    if few := [label for label in labels if n_photos[label] < FEW_IMAGES]:
        verb = "has" if len(few) == 1 else "have"
        notes.append(f"{quoted(few)} {verb} fewer than {FEW_IMAGES} photos: expect unsure results.")
    if copies := n_duplicates(pictures):
        notes.append(
            f"{counted(copies, 'photo is an exact copy', 'photos are exact copies')} of another one. "
            "Copies never count as unseen photos."
        )
    twins: defaultdict[str, list[str]] = defaultdict(list)
    for label in labels:
        twins[label.casefold()].append(label)
    notes += [
        f"{quoted(alike)} are taken as different classes. Give their folders the same name if they are one."
        for alike in twins.values()
        if len(alike) > 1
    ]
    return notes
