"""Where a file belongs: its class, and the part of the split that its owner has put it in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from automl.records import Split
from automl.text.upload_names import Folders, clean_parts, clean_text, is_document, is_junk_path

MAX_LABEL_CHARS = 200

SPLIT_FOLDERS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), Split.VALIDATION),
    **dict.fromkeys(("test", "testing"), Split.TEST),
}
PLAIN_FOLDERS = frozenset(
    {"images", "image", "imgs", "img", "photos", "photo", "pictures", "pics", "jpg", "jpeg", "png", "raw", "data"}
)
_WORDS_BESIDE_SPLIT = PLAIN_FOLDERS | {"set", "dataset", "split", "folder", "files", "samples"}


class Reading(StrEnum):
    """What names the class of a photo.

    FOLDERS: the outermost folder that tells photos apart. PARENT: the folder that directly holds the photo.
    NAMES: the name of its file. TABLE: a .csv or .tsv among the files.
    """

    FOLDERS = "folders"
    PARENT = "parent"
    NAMES = "names"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file belongs. `split`: None where nothing says."""

    label: str
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why a file belongs nowhere.

    `is_junk`: a leftover of some program; people need not hear of each. `is_table`: it has said where others belong.
    """

    reason: str
    is_junk: bool = False
    is_table: bool = False


Places = list[Place | NoPlace]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A name in its parts. `unusable`: why it cannot be used, whatever the others are called."""

    path: Folders
    unusable: NoPlace | None
    is_document: bool

    @classmethod
    def of(cls, name: str) -> "NamedFile":
        folder, _, file = name.replace("\\", "/").rpartition("/")
        folders, unusable = _folders(folder)
        file = clean_text(file)
        if file in ("", ".", ".."):  # the last folder is all the name there is
            path = clean_parts(name)
            return cls(path, _why_unusable(path), is_document(path))
        return cls((*folders, file), unusable or _why_unusable((file,)), is_document((file,)))

    @property
    def folders(self) -> Folders:
        return self.path[:-1]

    @property
    def is_photo(self) -> bool:
        """As far as its name tells."""
        return self.unusable is None and not self.is_document


@lru_cache(maxsize=4096)
def split_of(folder: str) -> Split | None:
    """The part of the split that a folder of this name holds, if it is named for one: `train`, `test_set`."""
    words = [word for word in re.split(r"[\s_.-]+", folder.lower()) if word]
    named = [word for word in words if word not in _WORDS_BESIDE_SPLIT]
    return SPLIT_FOLDERS.get(named[0]) if len(named) == 1 else None


@lru_cache(maxsize=4096)
def innermost_split(folders: Folders) -> Split | None:
    """The part of the split that the innermost folder named for one names."""
    return next((split for folder in reversed(folders) if (split := split_of(folder))), None)


@lru_cache(maxsize=4096)
def clean_label(text: str) -> str:
    """`text` as the name of a class: one line, no separators of paths; empty if nothing is left of it."""
    label = clean_text(re.sub(r"[/\\]+", "-", text))
    return "" if label in (".", "..") else label


def without_lonely_split(places: Places) -> Places:
    """A single `train` (or `test`) folder around everything parts nothing, so it says nothing."""
    splits = [place.split for place in places if isinstance(place, Place)]
    if any(a is not b for a, b in pairwise(splits)):
        return places
    return [Place(place.label) if isinstance(place, Place) else place for place in places]


def labels_of(files: Sequence[NamedFile], places: Sequence[Place | NoPlace]) -> list[str]:
    """The labels of those that are photos, in order, one a photo."""
    return [
        place.label
        for file, place in zip(files, places, strict=True)
        if isinstance(place, Place) and not file.is_document
    ]


@lru_cache(maxsize=4096)
def _folders(folder: str) -> tuple[Folders, NoPlace | None]:
    """Thousands of files share a folder: its parts, and why nothing in it can be used."""
    folders = clean_parts(folder)
    return folders, _why_unusable((*folders, "photo")) if folders else None


def _why_unusable(path: Folders) -> NoPlace | None:
    if not path:
        return NoPlace("It has no name.")
    if is_junk_path(path):
        return NoPlace("It is not a photo but a leftover of a program or of the system.", is_junk=True)
    if any(part.startswith(".") for part in path):
        return NoPlace("It is hidden (its name, or its folder's, begins with a dot). Rename it if you want it used.")
    return None
