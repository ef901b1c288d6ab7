"""Which photos a cell of a table refers to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from automl.labelling.named_file import NamedFile
from automl.labelling.split_words import innermost_split
from automl.records import Split
from automl.text.upload_names import Folders, clean_parts, clean_text, stem_of

_PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".heic", ".dcm")
_MAX_FOLDERS = 6
"""Of the folders of a path, the innermost ones that a table may name; each costs an entry in the index."""


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
        self._answers: dict[tuple[str, Folders, Split | None], ReferredPhotos] = {}
        for index, file in enumerate(files):
            if file.is_photo:
                name = file.path[-1].lower()
                # Each way to name it is entered, so that answering takes a single look into the dictionary.
                for prefix in _prefixes(file.folders):
                    for key in {prefix + name, prefix + stem_of(name)}:
                        self._named[key].append(index)

    def key(self, cell: str) -> str | None:
        """The name under which the photos that `cell` may refer to are known; None if there are none."""
        name = cell.replace("\\", "/").rpartition("/")[2]
        name = name.lower() if name.isascii() else clean_text(name).lower()
        if name in self._named:
            return name
        # A table may say `1.jpg` of a photo that was sent as `1.png`.
        stem = stem_of(name)
        return stem if stem in self._named and name.endswith(_PHOTO_SUFFIXES) else None

    def find(self, cell: str, table_folders: Folders, split: Split | None) -> ReferredPhotos:
        """The photos that share most folders with `cell`.

        Where those are several, the ones beside the table (in `table_folders`) are preferred, then those of `split`.
        """
        key = self.key(cell)
        if key is None:
            return _NO_PHOTOS
        n_shared = 0
        # Folders that are not here, such as those of the machine where the table was made, are passed over.
        if "/" in cell or "\\" in cell:
            prefixes = _prefixes(clean_parts(cell)[:-1])
            n_shared = max(n for n, prefix in enumerate(prefixes) if prefix + key in self._named)
            key = prefixes[n_shared] + key
        question = (key, table_folders, split)
        if question not in self._answers:
            found = self._narrowed(self._named[key], table_folders, split)
            self._answers[question] = ReferredPhotos(
                photos=tuple(found), n_shared=n_shared, is_unclear=self._is_unclear(found)
            )
        return self._answers[question]

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


def _prefixes(folders: Folders) -> list[str]:
    """The texts that may stand before a name in a path: nothing, `d/`, `c/d/` and so on."""
    prefixes = [""]
    for folder in reversed(folders[-_MAX_FOLDERS:]):
        prefixes.append(f"{folder.lower()}/{prefixes[-1]}")
    return prefixes
