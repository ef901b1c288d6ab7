"""The name of a file, taken apart once for all who read it."""

from dataclasses import dataclass
from functools import lru_cache

from automl.labelling.places import NoPlace
from automl.text.messages import labelling as labelling_messages
from automl.text.upload_names import Folders, clean_parts, clean_text, is_document, is_junk_path

_TEACHABLE_MACHINE_MARK = "-!-"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """The name of a file in its parts.

    Attributes:
        path: The folders and, last, the name of the file itself, as clean text.
        unusable: Why the file cannot be used, whatever the other files are called; None where it can.
        is_document: Whether its ending says that it is no photo.
    """

    path: Folders
    unusable: NoPlace | None
    is_document: bool

    @classmethod
    def of(cls, name: str) -> "NamedFile":
        """Takes a relative path apart; its separators may be / or \\."""
        folder, _, file = name.replace("\\", "/").rpartition("/")
        folders, unusable = _folders(folder)
        # Teachable Machine keeps the photos of a class without a folder: `Class 1-!-0.jpg`.
        label, mark, numbered = file.rpartition(_TEACHABLE_MACHINE_MARK)
        if mark and clean_text(label):
            return cls.of(f"{folder}/{label}/{numbered}")
        file = clean_text(file)
        if file in ("", ".", ".."):  # the last folder is all the name there is
            path = clean_parts(name)
            return cls(path=path, unusable=_why_unusable(path), is_document=is_document(path))
        return cls(path=(*folders, file), unusable=unusable or _why_unusable((file,)), is_document=is_document((file,)))

    @property
    def folders(self) -> Folders:
        return self.path[:-1]

    @property
    def is_photo(self) -> bool:
        """Whether it may be a photo, as far as its name says."""
        return self.unusable is None and not self.is_document


@lru_cache(maxsize=4096)
def _folders(folder: str) -> tuple[Folders, NoPlace | None]:
    """The parts of a folder, and why nothing in it can be used. Kept, since thousands of files share a folder."""
    folders = clean_parts(folder)
    # What is hidden or a leftover is so by any of its folders, so a photo is imagined in it.
    return folders, _why_unusable((*folders, "photo")) if folders else None


def _why_unusable(path: Folders) -> NoPlace | None:
    if not path:
        return NoPlace(reason=labelling_messages.NO_NAME.one)
    if is_junk_path(path):
        return NoPlace(reason=labelling_messages.LEFTOVER, is_junk=True)
    if any(part.startswith(".") for part in path):
        return NoPlace(reason=labelling_messages.HIDDEN.one)
    return None
