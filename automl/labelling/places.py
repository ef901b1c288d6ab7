"""Where a file belongs: its class, and the part of the split that its owner has put it in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from automl.records import Split
from automl.text.upload_names import clean_text

MAX_LABEL_CHARS = 200


class Reading(StrEnum):
    """What the class of a photo is read from."""

    FOLDERS = "folders"
    """The outermost folder that tells photos apart."""

    PARENT = "parent"
    """The folder that directly holds the photo."""

    NAMES = "names"
    """The name of the photo's file."""

    TABLE = "table"
    """A .csv or .tsv among the files."""


LAYOUTS: Mapping[str, Reading] = {
    "folders": Reading.FOLDERS,
    "innermost": Reading.PARENT,
    "names": Reading.NAMES,
    "table": Reading.TABLE,
}
"""What the command line calls each reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file belongs.

    Attributes:
        label: The name of its class.
        split: The part of the split that it was put in; None where nothing says.
        group: What it has in common with other photos of any class, such as a site, a patient, a date or a clip; empty
            where nothing says. Photos of one group are never on both sides of the split.
    """

    label: str
    split: Split | None = None
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlace:
    """Why a file belongs nowhere.

    Attributes:
        reason: A sentence for people.
        is_junk: Whether it is a leftover of some program, of which people need not hear one by one.
        is_table: Whether it is a table that has said where other files belong.
        companion: The word that says that it belongs to a photo and is none itself, such as `masks`; empty without
            one. It lacks more than a class.
    """

    reason: str
    is_junk: bool = False
    is_table: bool = False
    companion: str = ""


Places = list[Place | NoPlace]
"""The places of several files, in the order of the files."""


@lru_cache(maxsize=4096)
def clean_label(text: str) -> str:
    """`text` as the name of a class: one line, without separators of paths; empty if nothing is left of it."""
    label = clean_text(re.sub(r"[/\\]+", "-", text))
    return "" if label in (".", "..") else label


def without_lonely_split(places: Places) -> Places:
    """The places without their splits where all of them are the same.

    A single `train` (or `test`) folder around everything divides nothing, so it says nothing.
    """
    splits = [place.split for place in places if isinstance(place, Place)]
    if any(a is not b for a, b in pairwise(splits)):
        return places
    return [replace(place, split=None) if isinstance(place, Place) else place for place in places]
