"""Which photos a cell of a table refers to."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import unquote

from automl.labelling.named_file import NamedFile
from automl.labelling.split_words import innermost_split
from automl.records import Split
from automl.text.upload_names import Folders, clean_parts, clean_text, stem_of

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif"),
    *(".dcm", ".dicom", ".jp2", ".ppm", ".pgm"),
)
"""By these endings a cell is known as the name of a photo, whatever format the photo itself has."""

MAX_REFERENCE_CHARS = 1_000
"""No longer cell is the name of a photo."""

_MAX_FOLDERS = 6
"""Of the folders of a path, the innermost ones that a table may name; each costs an entry in the index."""

_MAX_DIGITS = 18

_IN_ADDRESS = re.compile(r"[=&?#]")
_NUMBER = re.compile(r"(\d+)(?:\.0*)?")
_NUMBERED = re.compile(r"(.*?)(\d+)")
_LABEL_STUDIO_PREFIX = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of a file that was uploaded to it."""


class Closeness(IntEnum):
    """How closely a cell names a photo, the closest first."""

    FILE = 0
    """As a file: `0001.jpg`, though perhaps with another ending, in other capitals or within an address."""

    STEM = 1
    """Without the ending: `0001`."""

    NUMBER = 2
    """By its number alone, where no other photo has that: `1`, `1.0`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoReference:
    """What a cell says of the photos that it refers to.

    Attributes:
        key: The name under which the index knows them.
        folders: The folders that the cell names.
        closeness: How closely it names them.
    """

    key: str
    folders: Folders
    closeness: Closeness


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferredPhotos:
    """The photos that a cell refers to.

    Attributes:
        photos: Their numbers among all files.
        n_shared: How many folders of their paths the cell names.
        is_unclear: Whether they have different paths, so that the cell does not say which of them it refers to.
    """

    photos: tuple[int, ...]
    n_shared: int
    is_unclear: bool


_NO_PHOTOS = ReferredPhotos(photos=(), n_shared=0, is_unclear=False)


class PhotoIndex:
    """Photos by name, however a table may write it: with some of the folders or none, with an ending or without.

    Each question is answered once and the answer kept, since thousands of photos may share a name and thousands of rows
    use it.
    """

    def __init__(self, files: Sequence[NamedFile]) -> None:
        self.files = files
        self._named: defaultdict[str, list[int]] = defaultdict(list)
        self._references: dict[str, PhotoReference | None] = {}
        self._answers: dict[tuple[str, Folders, Split | None], ReferredPhotos] = {}
        for index, file in enumerate(files):
            if file.is_photo:
                name = file.path[-1].lower()
                # Each way to name it is entered, so that answering takes a single look into the dictionary.
                for prefix in _prefixes(file.folders):
                    for key in {prefix + name, prefix + stem_of(name)}:
                        self._named[key].append(index)
        self._numbered = _stems_by_number({stem_of(file.path[-1].lower()) for file in files if file.is_photo})

    @property
    def example(self) -> str:
        """The path of one of the photos, always the same for the same files; empty if there are none."""
        return min(("/".join(file.path) for file in self.files if file.is_photo), default="")

    def reference(self, cell: str) -> PhotoReference | None:
        """What `cell` says of the photos that it may refer to; None if there are no such photos."""
        if cell not in self._references:
            self._references[cell] = self._reference(cell)
        return self._references[cell]

    def _reference(self, cell: str) -> PhotoReference | None:
        if not cell or len(cell) > MAX_REFERENCE_CHARS:
            return None
        for path in _spellings(cell):
            folders, _, name = path.rpartition("/")
            name = name.lower() if name.isascii() else clean_text(name).lower()
            if found := self._known(name):
                key, closeness = found
                parts = clean_parts(folders) if folders else ()
                return PhotoReference(key=key, folders=parts, closeness=closeness)
        return None

    def find(self, cell: str, table_folders: Folders, split: Split | None) -> ReferredPhotos:
        """The photos that share most folders with `cell`.

        Where those are several, the ones beside the table (in `table_folders`) are preferred, then those of `split`.
        """
        reference = self.reference(cell)
        if reference is None:
            return _NO_PHOTOS
        # Folders that are not here, such as those of the machine where the table was made, are passed over.
        prefixes = _prefixes(reference.folders)
        n_shared = max(n for n, prefix in enumerate(prefixes) if prefix + reference.key in self._named)
        key = prefixes[n_shared] + reference.key
        question = (key, table_folders, split)
        if question not in self._answers:
            found = self._narrowed(self._named[key], table_folders, split)
            self._answers[question] = ReferredPhotos(
                photos=tuple(found), n_shared=n_shared, is_unclear=self._is_unclear(found)
            )
        return self._answers[question]

    def _known(self, name: str) -> tuple[str, Closeness] | None:
        """The name under which the index knows the photos called `name`, without folders, and how close that is."""
        is_file = name.endswith(PHOTO_SUFFIXES)
        stem = stem_of(name) if is_file else name
        if name in self._named:
            # The whole name of a photo may be all that there is to its stem, too: `1` of a file without an ending.
            return name, Closeness.FILE if is_file else Closeness.STEM
        # A table may say `1.jpg` of a photo that was sent as `1.png`.
        if is_file and stem in self._named:
            return stem, Closeness.FILE
        number = _NUMBER.fullmatch(stem)
        if number is None or len(number[1]) > _MAX_DIGITS:
            return None
        if number[1] in self._named:  # spreadsheets make 12.0 of 12
            return number[1], Closeness.STEM
        key = self._numbered.get(int(number[1]))
        return (key, Closeness.NUMBER) if key is not None else None

    def _narrowed(self, found: list[int], table_folders: Folders, split: Split | None) -> list[int]:
        n = len(table_folders)
        if self._is_unclear(found):
            found = [index for index in found if self.files[index].folders[:n] == table_folders] or found
        if self._is_unclear(found) and split:
            found = [index for index in found if innermost_split(self.files[index].folders) is split] or found
        return found

    def _is_unclear(self, found: list[int]) -> bool:
        """Whether the photos have different paths. The same path may have been sent twice; that is clear enough."""
        return len(found) > 1 and len({self.files[index].path for index in found}) > 1


def _spellings(cell: str) -> Iterator[str]:
    """The paths that a cell may mean, with / between the parts: as it stands, as an address, as Label Studio has it."""
    path = cell.replace("\\", "/").strip("'\"")
    yield path
    if "%" in path or _IN_ADDRESS.search(path):
        address = unquote(path)
        yield re.split(r"[?#]", address, maxsplit=1)[0]
        # The path of a photo may be what the address asks for: /data/local-files/?d=photos/0001.jpg
        yield from (part for part in _IN_ADDRESS.split(address)[1:] if "." in part)
    folders, _, name = path.rpartition("/")
    if _LABEL_STUDIO_PREFIX.match(name):
        yield f"{folders}/{_LABEL_STUDIO_PREFIX.sub('', name, count=1)}"


def _stems_by_number(stems: set[str]) -> dict[int, str]:
    """The stem with each number, where only one has it: `0001` for 1, or `frame_0001` where all are called so."""
    parts = {stem: found for stem in stems if (found := _NUMBERED.fullmatch(stem)) and len(found[2]) <= _MAX_DIGITS}
    have_one_beginning = len(parts) == len(stems) and len({found[1] for found in parts.values()}) == 1
    counted = {stem: found for stem, found in parts.items() if have_one_beginning or not found[1]}
    of_number: defaultdict[int, list[str]] = defaultdict(list)
    for stem, found in counted.items():
        of_number[int(found[2])].append(stem)
    return {number: found[0] for number, found in of_number.items() if len(found) == 1}


def _prefixes(folders: Folders) -> list[str]:
    """The texts that may stand before a name in a path: nothing, `d/`, `c/d/` and so on."""
    prefixes = [""]
    for folder in reversed(folders[-_MAX_FOLDERS:]):
        prefixes.append(f"{folder.lower()}/{prefixes[-1]}")
    return prefixes
