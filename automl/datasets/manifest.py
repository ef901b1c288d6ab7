"""What is said of a data set as a whole: whether it can be trained from, its figures, and one sentence."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

from automl.records import RefusedFile, Split
from automl.text.names import counted

FEW_IMAGES = 10
UNBALANCED = 3
"""The largest class has so many times the photos of the smallest one: then every class counts the same."""

MAX_LISTED_REFUSALS = 100
_REFUSALS_IN_A_MESSAGE = 3
_NAME_IN_A_MESSAGE = 80

_GOOD_START = "10 or more photos of each class are a good start"
TOO_FEW_TO_COMPARE = (
    "There is only one different photo of each class to learn from, beside the test photos. That is too few to tell a "
    "good model from a bad one: scores on validation photos mean nothing here, high or low. Add photos: "
    f"{_GOOD_START}."
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
        "n_duplicates": n_images - len({picture.sha256 for picture in pictures}),
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
        "verdict": _verdict(Counter(picture.label for picture in pictures)),
        "notes": [*notes, TOO_FEW_TO_COMPARE] if labels and _too_few_to_compare(pictures) else [*notes],
        "fingerprint": fingerprint(pictures),
    }


def _verdict(counts: Counter[str]) -> str:
    """ "1,295 photos, 3 classes, balanced, ready"."""
    parts = [counted(counts.total(), "photo"), counted(len(counts), "class", "classes")]
    smallest, largest = min(counts.values(), default=0), max(counts.values(), default=0)
    if few := sum(n < FEW_IMAGES for n in counts.values()):
        have = "1 class has" if few == 1 else f"{few:,} classes have"
        return f"{', '.join(parts)}, ready, but {have} fewer than {FEW_IMAGES} photos: expect unsure results"
    is_balanced = largest < UNBALANCED * smallest
    balance = "balanced" if is_balanced else f"unbalanced ({smallest:,} to {largest:,} photos a class)"
    return f"{', '.join(parts)}, {balance}, ready"


def quoted(labels: Sequence[str], at_most: int = 5) -> str:
    """ "'ants', 'bees' and 3 more"."""
    shown = [f"'{label}'" for label in labels[:at_most]]
    more = len(labels) - len(shown)
    if more:
        return ", ".join(shown) + f" and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def problem_of(pictures: Sequence[Picture]) -> str:
    """Why nothing can be trained from these pictures and what to do about it, or an empty text."""
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
