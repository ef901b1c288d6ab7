"""What the doctor has to say of a data set, one thing at a time, and what a click can do about it."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from automl.records import Split
from automl.text.names import counted

MAX_GROUPS_STORED = 60
MAX_FILES_STORED = 12
"""Of each group."""

Groups = tuple[tuple[int, ...], ...]


class Severity(StrEnum):
    """How much harm is done if nothing is done, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that one click makes. `title`: on the button. `done`: in the list of what can be undone.

    `kind`, `values`: the edit: "exclude" {"files": ids}, "move" {"files": ids, "to": label},
    "rename" {"from": label, "to": label} or "part" {"files": ids, "to": "train", "validation", "test" or ""}.
    """

    title: str
    done: str
    kind: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """`title`: what was found. `consequence`: what it means for the result, in a sentence or two.

    `groups`: ids of files that are to be seen together, such as copies of one picture. `n_groups`, `n_photos`: how
    many there are in truth, counted where they are not given; what was stored may show fewer.
    """

    kind: str
    title: str
    consequence: str
    severity: Severity
    groups: Groups
    fix: Fix | None
    n_groups: int = 0
    n_photos: int = 0

    def __post_init__(self) -> None:
        if not self.n_groups:
            object.__setattr__(self, "n_groups", len(self.groups))
            object.__setattr__(self, "n_photos", sum(map(len, self.groups)))

    @property
    def key(self) -> str:
        """Tells it from others of its kind, as long as it says the same."""
        return f"{self.kind}-{hashlib.sha256(self.title.encode()).hexdigest()[:8]}"

    def to_json(self) -> dict[str, Any]:
        """With the first groups only; the fix stays whole."""
        shown = [list(group[:MAX_FILES_STORED]) for group in self.groups[:MAX_GROUPS_STORED]]
        return {**asdict(self), "key": self.key, "severity": self.severity.value, "groups": shown}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Finding":
        return cls(
            kind=values["kind"],
            title=values["title"],
            consequence=values["consequence"],
            severity=Severity(values["severity"]),
            groups=tuple(tuple(group) for group in values["groups"]),
            fix=Fix(**values["fix"]) if values["fix"] else None,
            n_groups=values["n_groups"],
            n_photos=values["n_photos"],
        )


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo in use, or one that cannot be only because it lies in two classes.

    `near`: the same number for near copies of one picture, exact ones among them. `width`, `height`: pixels, upright.
    `spread`, `is_gray`, `format`: see `automl.images.fingerprint`; an empty format where they are not known. `split`:
    None where the folders do not say.
    """

    file_id: int
    name: str
    label: str
    split: Split | None
    sha256: str
    near: int
    width: int
    height: int
    format: str
    spread: float
    is_gray: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not used, and why, in words for the user."""

    file_id: int
    name: str
    reason: str


Photos = Sequence[Photo]


def grouped(photos: Photos, key: Callable[[Photo], Hashable]) -> list[list[Photo]]:
    groups: defaultdict[Hashable, list[Photo]] = defaultdict(list)
    for photo in photos:
        groups[key(photo)].append(photo)
    return list(groups.values())


def ids(photos: Photos) -> tuple[int, ...]:
    return tuple(photo.file_id for photo in photos)


def all_ids(groups: Sequence[Photos]) -> Groups:
    """The largest groups first: where only some can be shown, these are worth the most."""
    return tuple(ids(group) for group in sorted(groups, key=len, reverse=True))


def singles(photos: Photos) -> Groups:
    return tuple((photo.file_id,) for photo in photos)


def leave_out(title: str, photos: Photos, noun: str, plural: str = "") -> Fix:
    done = f"Left out {counted(len(photos), noun, plural)}"
    return Fix(title, done, "exclude", {"files": list(ids(photos))})


def is_or_are(n: int) -> str:
    return "is" if n == 1 else "are"
