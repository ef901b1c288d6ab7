"""Whether a model can be trained from some photos, and what is said of them in one sentence."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Protocol

from automl.records import RefusedFile, Split
from automl.text.numbers import counted

FEW_IMAGES = 10
UNBALANCED = 3
"""The largest class has so many times the photos of the smallest one: then every class counts the same."""

_REFUSALS_IN_A_MESSAGE = 3
_NAME_IN_A_MESSAGE = 80

_GOOD_START = "10 or more photos of each class are a good start"
TOO_FEW_TO_COMPARE = (
    "There is only one different photo of each class to learn from, beside the test photos. That is too few to tell a "
    "good model from a bad one: scores on validation photos mean nothing here, high or low. Add photos: "
    f"{_GOOD_START}."
)
"""Said of a data set with two photos of each class, for example."""


class LabelledPhoto(Protocol):
    """What has to be known of a photo here; `ImageRecord` and `DataFile` have it."""

    @property
    def label(self) -> str: ...
    @property
    def split(self) -> Split | None: ...
    @property
    def sha256(self) -> str: ...


def problem_of(photos: Sequence[LabelledPhoto]) -> str:
    """Why nothing can be trained from these photos and what to do about it, or an empty text."""
    test = {photo.sha256 for photo in photos if photo.split is Split.TEST}
    contents: defaultdict[str, set[str]] = defaultdict(set)
    for photo in photos:
        contents[photo.label].add(photo.sha256)
    labels = sorted(contents)
    if not labels:
        return "There is no photo here that can be used. Make one folder for each class and put its photos in."
    if len(labels) == 1:
        return (
            f"All photos are of one class, {quoted(labels)}. At least two are needed: "
            "add a folder with photos of something else."
        )
    if tiny := [label for label in labels if len(contents[label]) < 2]:
        return (
            f"There are fewer than 2 different photos of {quoted(tiny)}. "
            f"Add photos, or leave the class out. {_GOOD_START}."
        )
    if leaked := [label for label in labels if contents[label] <= test]:
        return (
            f"Every training photo of {quoted(leaked)} is also in the test folder, so there is nothing to learn from. "
            "Add other photos to the training folder."
        )
    return ""


def explained(problem: str, refused: Sequence[RefusedFile]) -> str:
    """`problem` with the first refused files and their reasons, which are often what is behind it."""
    shown = [f"{_shortened(file.name)}: {file.reason}" for file in refused[:_REFUSALS_IN_A_MESSAGE]]
    if more := len(refused) - len(shown):
        shown.append(f"And {counted(more, 'more file')}.")
    return " ".join([problem, "Not used:", *shown]) if shown else problem


def verdict_of(photos: Sequence[LabelledPhoto]) -> str:
    """One sentence, such as "1,295 photos, 3 classes, balanced, ready"."""
    counts = Counter(photo.label for photo in photos)
    parts = [counted(counts.total(), "photo"), counted(len(counts), "class", "classes")]
    smallest, largest = min(counts.values(), default=0), max(counts.values(), default=0)
    if few := sum(n < FEW_IMAGES for n in counts.values()):
        have = "1 class has" if few == 1 else f"{few:,} classes have"
        return f"{', '.join(parts)}, ready, but {have} fewer than {FEW_IMAGES} photos: expect unsure results"
    is_balanced = largest < UNBALANCED * smallest
    balance = "balanced" if is_balanced else f"unbalanced ({smallest:,} to {largest:,} photos a class)"
    return f"{', '.join(parts)}, {balance}, ready"


def are_too_few_to_compare(photos: Sequence[LabelledPhoto]) -> bool:
    """True where one photo of each class is all that there is to learn from, once the test has got its own."""
    test = {photo.sha256 for photo in photos if photo.split is Split.TEST}
    learnable = {(photo.label, photo.sha256) for photo in photos if photo.sha256 not in test}
    n_needed = 1 if test else 2
    return bool(photos) and max(Counter(label for label, _ in learnable).values(), default=0) <= n_needed


def quoted(labels: Sequence[str], at_most: int = 5) -> str:
    """The first labels in quotation marks, such as "'ants', 'bees' and 3 more"."""
    shown = [f"'{label}'" for label in labels[:at_most]]
    more = len(labels) - len(shown)
    if more:
        return ", ".join(shown) + f" and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _shortened(name: str) -> str:
    """The end of a long name: that is where the file's own is."""
    return name if len(name) <= _NAME_IN_A_MESSAGE else f"…{name[1 - _NAME_IN_A_MESSAGE :]}"
