"""Which photos a cell of a table means."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from automl.labelling.places import NamedFile, innermost_split
from automl.records import Split
from automl.text.upload_names import Folders, clean_parts, clean_text, stem_of

_PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".heic", ".dcm")
_MAX_FOLDERS = 6


@dataclass(frozen=True, slots=True)
class Meant:
    """The photos that a cell means, and how many folders of their paths it names. `is_unclear`: of several paths."""

    photos: tuple[int, ...]
    n_shared: int
    is_unclear: bool


_NONE_MEANT = Meant((), 0, False)


class Photos:
    """The photos by name, whichever way a table may write it: with some of the folders or none, with an ending or not.

    Each question is answered once, for thousands of photos may share a name, and thousands of rows use it.
    """

    def __init__(self, files: Sequence[NamedFile]) -> None:
        self.files = files
        self._named: defaultdict[str, list[int]] = defaultdict(list)
        self._meant: dict[tuple[str, Folders, Split | None], Meant] = {}
        for index, file in enumerate(files):
            if file.is_photo:
                name = file.path[-1].lower()
                for prefix in _prefixes(file.folders):
                    for key in {prefix + name, prefix + stem_of(name)}:
                        self._named[key].append(index)

    def key(self, value: str) -> str | None:
        """The name under which the photos that `value` may mean are known; None if there are none."""
        name = value.replace("\\", "/").rpartition("/")[2]
        name = name.lower() if name.isascii() else clean_text(name).lower()
        if name in self._named:
            return name
        stem = stem_of(name)
        return stem if stem in self._named and name.endswith(_PHOTO_SUFFIXES) else None

    def meant(self, value: str, table_folders: Folders, split: Split | None) -> Meant:
        """Those that share most folders with `value`. Of several, those beside the table, then those of the split."""
        key = self.key(value)
        if key is None:
            return _NONE_MEANT
        n_shared = 0
        if "/" in value or "\\" in value:
            prefixes = _prefixes(clean_parts(value)[:-1])
            n_shared = max(n for n, prefix in enumerate(prefixes) if prefix + key in self._named)
            key = prefixes[n_shared] + key
        question = (key, table_folders, split)
        if question not in self._meant:
            found = self._narrowed(self._named[key], table_folders, split)
            self._meant[question] = Meant(tuple(found), n_shared, self._is_unclear(found))
        return self._meant[question]

    def _narrowed(self, found: list[int], table_folders: Folders, split: Split | None) -> list[int]:
        n = len(table_folders)
        if self._is_unclear(found):
            found = [index for index in found if self.files[index].folders[:n] == table_folders] or found
        if self._is_unclear(found) and split:
            found = [index for index in found if innermost_split(self.files[index].folders) is split] or found
        return found

    def _is_unclear(self, found: list[int]) -> bool:
        """The same path may have been sent twice; that is clear enough."""
        return len(found) > 1 and len({self.files[index].path for index in found}) > 1


def _prefixes(folders: Folders) -> list[str]:
    """What may stand before a name in a path: nothing, `d/`, `c/d/` and so on."""
    prefixes = [""]
    for folder in reversed(folders[-_MAX_FOLDERS:]):
        prefixes.append(f"{folder.lower()}/{prefixes[-1]}")
    return prefixes
