"""From the names of files to classes: which folder is the class, and which part of the split it lies in.

A name is only ever read as a label. Nothing here touches the file system, so `../`, absolute paths and backslashes
are as harmless as any other name.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from automl.records import Split

MAX_LABEL_CHARS = 200

SPLIT_FOLDERS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), Split.VALIDATION),
    **dict.fromkeys(("test", "testing"), Split.TEST),
}

_JUNK_FOLDERS = frozenset(
    {"__macosx", ".ipynb_checkpoints", ".git", ".svn", "@eadir", "$recycle.bin", "system volume information"}
    | {".trashes", ".spotlight-v100", ".fseventsd"}
)
_JUNK_FILES = frozenset(
    {".ds_store", ".localized", ".gitkeep", ".gitignore", "thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini"}
)
_PLAIN_FOLDERS = frozenset(
    {"images", "image", "imgs", "img", "photos", "photo", "pictures", "pics", "jpg", "jpeg", "png", "raw", "data"}
)
_DOCUMENTS: tuple[str, ...] = (
    *(".txt", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".md", ".rst", ".html", ".htm", ".pdf", ".py", ".log"),
    *(".ipynb", ".zip", ".tar", ".gz", ".7z", ".rar", ".doc", ".docx", ".xls", ".xlsx", ".mat", ".npy", ".npz"),
    *(".pkl", ".h5", ".db"),
)

Folders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file belongs. `split`: None where the folders do not say."""

    label: str
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why a file belongs nowhere. `is_junk`: a leftover of some program; people need not hear of each."""

    reason: str
    is_junk: bool = False


def guess_layout(names: Sequence[str]) -> list[Place | NoPlace]:
    """The place of each of `names` (relative paths with / or \\), in their order.

    Understands class folders, train, validation and test folders above them (or inside them), and any number of
    wrapping folders around all of it. What lies deeper inside a class folder belongs to that class.
    """
    paths = [clean_parts(name) for name in names]
    unusable = [_why_unusable(path) for path in paths]
    usable = [path for path, reason in zip(paths, unusable, strict=True) if reason is None]
    # A stray README beside the folder must not hide that the folder wraps everything.
    pictures = {path[:-1] for path in usable if not path[-1].lower().endswith(_DOCUMENTS)}
    layout = _Layout.of(pictures or {path[:-1] for path in usable})
    places = [
        layout.place(path[:-1]) if reason is None else reason for path, reason in zip(paths, unusable, strict=True)
    ]
    return _without_lonely_split(places)


def clean_parts(name: str) -> Folders:
    """The folders and the file name of `name`: readable text, without empty parts, `.` and `..`."""
    parts = (clean_text(part) for part in name.replace("\\", "/").split("/"))
    return tuple(part for part in parts if part not in ("", ".", ".."))


def clean_text(text: str) -> str:
    """`text` in Unicode's composed form on one line, no control characters, no blanks around it."""
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_junk(name: str) -> bool:
    """True for what operating systems and programs leave in folders: `.DS_Store`, `Thumbs.db`, `__MACOSX/...`."""
    parts = [part.lower() for part in clean_parts(name)]
    if not parts:
        return False
    return parts[-1] in _JUNK_FILES or parts[-1].startswith("._") or not _JUNK_FOLDERS.isdisjoint(parts)


def split_of(folder: str) -> Split | None:
    """The part of the split that a folder of this name holds, if it is named for one."""
    return SPLIT_FOLDERS.get(folder.lower())


def _why_unusable(path: Folders) -> NoPlace | None:
    if not path:
        return NoPlace("It has no name.")
    if is_junk("/".join(path)):
        return NoPlace("It is not a photo but a leftover of a program or of the system.", is_junk=True)
    if any(part.startswith(".") for part in path):
        return NoPlace("It is hidden (its name, or its folder's, begins with a dot). Rename it if you want it used.")
    return None


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the folders together mean.

    `depth`: wrapping folders around everything. `wrappers`: folders, just inside, that wrap some of the classes.
    `splits`: folders, inside those, that part the data. `inner_depth`: wrapping folders inside the splits.
    `only_splits`: there are train or test folders but no class folders in them.
    """

    depth: int
    wrappers: frozenset[str]
    splits: frozenset[str]
    inner_depth: int
    only_splits: bool

    @classmethod
    def of(cls, folders: Iterable[Folders]) -> "_Layout":
        depth = _wrapper_depth(set(folders))
        rest = {folder[depth:] for folder in folders if len(folder) > depth}
        wrappers = _wrappers_beside_classes(rest)
        rest = {folder[1:] if folder[0] in wrappers else folder for folder in rest}
        splits = frozenset(folder[0] for folder in rest if len(folder) > 1 and split_of(folder[0]))
        inner = {folder[1:] if folder[0] in splits else folder for folder in rest}
        only_splits = not splits and bool(rest) and all(split_of(folder[0]) for folder in rest)
        return cls(depth, wrappers, splits, _wrapper_depth(inner) if splits else 0, only_splits)

    def place(self, folders: Folders) -> Place | NoPlace:
        rest = folders[self.depth :]
        if rest and rest[0] in self.wrappers:
            rest = rest[1:]
        split = None
        if rest and (rest[0] in self.splits or self.only_splits):
            split = split_of(rest[0])
            if len(rest) == 1:
                return NoPlace(
                    f"It lies directly in the folder '{rest[0]}', so what it shows is unknown. "
                    f"Put it in a folder with the name of its class: {rest[0]}/name-of-class/photo.jpg."
                )
            rest = rest[1:]
        elif rest and Split.TRAIN in map(split_of, self.splits):
            return NoPlace("It lies beside the training folder, not in a class folder inside it.")
        return _in_class(rest[self.inner_depth :], split)


def _in_class(folders: Folders, split: Split | None) -> Place | NoPlace:
    if not folders:
        return NoPlace("It lies outside any class folder. Put it in a folder with the name of what it shows.")
    if len(folders[0]) > MAX_LABEL_CHARS:
        return NoPlace(f"The name of its class folder is longer than {MAX_LABEL_CHARS} characters.")
    return Place(folders[0], split or (split_of(folders[1]) if len(folders) > 1 else None))


def _wrappers_beside_classes(folders: set[Folders]) -> frozenset[str]:
    """Folders of folders among folders of files: `pets/cat`, `pets/dog` and, sent later, `bird`."""
    classes = {folder[0] for folder in folders if len(folder) == 1}
    if not classes:
        return frozenset()
    inside: defaultdict[str, set[str]] = defaultdict(set)
    for folder in folders:
        if folder[0] not in classes and not split_of(folder[0]):
            inside[folder[0]].add(folder[1].lower())
    return frozenset(outer for outer, inner in inside.items() if len(inner) > 1 or not inner <= _PLAIN_FOLDERS)


def _wrapper_depth(folders: set[Folders]) -> int:
    """How many folders, one inside the other, merely wrap all the rest."""
    depth = 0
    while True:
        below = {folder[depth:] for folder in folders if len(folder) > depth}
        if len({folder[0] for folder in below}) != 1:
            return depth
        inside = {folder[1] for folder in below if len(folder) > 1}
        holds_files = any(len(folder) == 1 for folder in below)
        if not inside or (len(inside) == 1 and holds_files):
            return depth  # a class folder
        depth += 1


def _without_lonely_split(places: list[Place | NoPlace]) -> list[Place | NoPlace]:
    """A single `train` (or `test`) folder around everything parts nothing, so it says nothing."""
    splits = [place.split for place in places if isinstance(place, Place)]
    if any(a is not b for a, b in pairwise(splits)):
        return places
    return [Place(place.label) if isinstance(place, Place) else place for place in places]
