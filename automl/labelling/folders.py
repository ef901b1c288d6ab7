"""Classes from folders: which folder is the class, and which part of the split it lies in."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automl.labelling.places import (
    MAX_LABEL_CHARS,
    PLAIN_FOLDERS,
    NamedFile,
    NoPlace,
    Place,
    Places,
    innermost_split,
    split_of,
    without_lonely_split,
)
from automl.records import Split
from automl.text.upload_names import Folders

_OUTSIDE = NoPlace("It lies outside any class folder. Put it in a folder with the name of what it shows.")
_TOO_LONG = NoPlace(f"The name of its class folder is longer than {MAX_LABEL_CHARS} characters.")


def places_by_folders(files: Sequence[NamedFile]) -> Places:
    """Understands class folders, train, validation and test folders above them (or inside them), and any number of
    wrapping folders around all of it. What lies deeper inside a class folder belongs to that class.
    """
    # A stray README beside the folder must not hide that the folder wraps everything.
    photos = {file.folders for file in files if file.is_photo}
    tree = _Tree.of(photos or {file.folders for file in files if file.unusable is None})
    of_folders = {folders: tree.place(folders) for folders in {file.folders for file in files}}
    return without_lonely_split([file.unusable or of_folders[file.folders] for file in files])


def places_by_parent(files: Sequence[NamedFile]) -> Places:
    """The folder that directly holds a file is its class, however deep; the innermost split folder names the part."""
    of_folders = {folders: _in_parent(folders) for folders in {file.folders for file in files}}
    return without_lonely_split([file.unusable or of_folders[file.folders] for file in files])


def _in_parent(folders: Folders) -> Place | NoPlace:
    classes = [folder for folder in folders if not split_of(folder)]
    if not classes:
        return _OUTSIDE
    if len(classes[-1]) > MAX_LABEL_CHARS:
        return _TOO_LONG
    return Place(classes[-1], innermost_split(folders))


@dataclass(frozen=True, slots=True)
class _Tree:
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
    def of(cls, folders: Iterable[Folders]) -> "_Tree":
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
        return _OUTSIDE
    if len(folders[0]) > MAX_LABEL_CHARS:
        return _TOO_LONG
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
    return frozenset(outer for outer, inner in inside.items() if len(inner) > 1 or not inner <= PLAIN_FOLDERS)


def _wrapper_depth(folders: set[Folders]) -> int:
    """How many folders, one inside the other, merely wrap all the rest."""
    depth = 0
    while True:
        below = {folder[depth:] for folder in folders if len(folder) > depth}
        if len({folder[0] for folder in below}) != 1:
            return depth
        inside = {folder[1] for folder in below if len(folder) > 1}
        holds_files = any(len(folder) == 1 for folder in below)
        if not inside or (len(inside) == 1 and holds_files and not _branches(below)):
            return depth  # a class folder
        depth += 1


def _branches(folders: set[Folders]) -> bool:
    """Whether any of `folders` lie beside each other; if not, each lies in the one before."""
    longest = max(folders, key=len)
    return any(folder != longest[: len(folder)] for folder in folders)
