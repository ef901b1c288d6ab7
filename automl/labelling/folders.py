"""Classes from folders: which folder is the class, and which part of the split it lies in."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automl.labelling.named_file import NamedFile
from automl.labelling.places import MAX_LABEL_CHARS, NoPlace, Place, Places, without_lonely_split
from automl.labelling.split_words import PLAIN_FOLDERS, innermost_split, split_of
from automl.records import Split
from automl.text.upload_names import Folders

_OUTSIDE = NoPlace(reason="It lies outside any class folder. Put it in a folder with the name of what it shows.")
_TOO_LONG = NoPlace(reason=f"The name of its class folder is longer than {MAX_LABEL_CHARS} characters.")


def places_by_folders(files: Sequence[NamedFile]) -> Places:
    """The places of files that lie in class folders.

    There may be train, validation and test folders above the class folders or inside them, and any number of folders
    that wrap everything. What lies deeper inside a class folder belongs to that class.
    """
    # Only photos decide: a stray README beside the folder must not hide that the folder wraps everything.
    photos = {file.folders for file in files if file.is_photo}
    tree = _FolderTree.of(photos or {file.folders for file in files if file.unusable is None})
    of_folders = {folders: tree.place(folders) for folders in {file.folders for file in files}}
    return without_lonely_split([file.unusable or of_folders[file.folders] for file in files])


def places_by_parent(files: Sequence[NamedFile]) -> Places:
    """The places of files whose class is the folder that directly holds them, however deep.

    The innermost folder that is named for a part of the split says the part, and is no class.
    """
    of_folders = {folders: _in_parent(folders) for folders in {file.folders for file in files}}
    return without_lonely_split([file.unusable or of_folders[file.folders] for file in files])


def _in_parent(folders: Folders) -> Place | NoPlace:
    classes = [folder for folder in folders if not split_of(folder)]
    if not classes:
        return _OUTSIDE
    if len(classes[-1]) > MAX_LABEL_CHARS:
        return _TOO_LONG
    return Place(label=classes[-1], split=innermost_split(folders))


@dataclass(frozen=True, slots=True, kw_only=True)
class _FolderTree:
    """What all folders together mean, from the outermost to the innermost.

    Attributes:
        depth: How many folders, one inside the other, wrap everything.
        wrappers: Folders just inside of those that wrap some of the classes.
        splits: Folders inside of those that are parts of the split.
        inner_depth: How many folders, one inside the other, wrap everything inside the parts of the split.
        only_splits: Whether there are train or test folders but no class folders in them.
    """

    depth: int
    wrappers: frozenset[str]
    splits: frozenset[str]
    inner_depth: int
    only_splits: bool

    @classmethod
    def of(cls, folders: Iterable[Folders]) -> "_FolderTree":
        depth = _wrapper_depth(set(folders))
        rest = {folder[depth:] for folder in folders if len(folder) > depth}
        wrappers = _wrappers_beside_classes(rest)
        rest = {folder[1:] if folder[0] in wrappers else folder for folder in rest}
        splits = frozenset(folder[0] for folder in rest if len(folder) > 1 and split_of(folder[0]))
        inner = {folder[1:] if folder[0] in splits else folder for folder in rest}
        # With photos directly in `train` and `test`, these would else be taken for two classes.
        only_splits = not splits and bool(rest) and all(split_of(folder[0]) for folder in rest)
        return cls(
            depth=depth,
            wrappers=wrappers,
            splits=splits,
            inner_depth=_wrapper_depth(inner) if splits else 0,
            only_splits=only_splits,
        )

    def place(self, folders: Folders) -> Place | NoPlace:
        """The place of a file that lies in these folders."""
        rest = folders[self.depth :]
        if rest and rest[0] in self.wrappers:
            rest = rest[1:]
        split = None
        if rest and (rest[0] in self.splits or self.only_splits):
            split = split_of(rest[0])
            if len(rest) == 1:
                return NoPlace(
                    reason=f"It lies directly in the folder '{rest[0]}', so what it shows is unknown. "
                    f"Put it in a folder with the name of its class: {rest[0]}/name-of-class/photo.jpg."
                )
            rest = rest[1:]
        elif rest and Split.TRAIN in map(split_of, self.splits):
            # With a training folder, what lies outside all parts is not data: often plots, or files of some program.
            return NoPlace(reason="It lies beside the training folder, not in a class folder inside it.")
        return _in_class(rest[self.inner_depth :], split)


def _in_class(folders: Folders, split: Split | None) -> Place | NoPlace:
    """The place of a file whose outermost folder is its class; a part of the split may be named inside of it."""
    if not folders:
        return _OUTSIDE
    if len(folders[0]) > MAX_LABEL_CHARS:
        return _TOO_LONG
    return Place(label=folders[0], split=split or (split_of(folders[1]) if len(folders) > 1 else None))


def _wrappers_beside_classes(folders: set[Folders]) -> frozenset[str]:
    """Folders of folders that lie among folders of files: `pets` of `pets/cat`, `pets/dog` and, sent later, `bird`."""
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
        # One folder holds all the rest: a class if photos lie in it and nothing branches below it, else a wrapper.
        inside = {folder[1] for folder in below if len(folder) > 1}
        holds_files = any(len(folder) == 1 for folder in below)
        if not inside or (len(inside) == 1 and holds_files and not _branches(below)):
            return depth  # this folder does not wrap others but is a class
        depth += 1


def _branches(folders: set[Folders]) -> bool:
    """Whether any of `folders` lie beside each other. If none do, they all lie one inside the other."""
    longest = max(folders, key=len)
    return any(folder != longest[: len(folder)] for folder in folders)
