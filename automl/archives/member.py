"""A file in an archive, whatever the kind of archive."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, Protocol

from automl.archives.limits import ArchiveMeter
from automl.archives.suffixes import archive_suffix, without_suffix
from automl.errors import BadUpload
from automl.text.messages import archives as archive_messages
from automl.text.upload_names import clean_parts, is_junk

PIECE_BYTES = 1 << 20
"""Nothing in an archive is taken into memory in larger pieces."""

MAX_NAME_CHARS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One file in an archive.

    Attributes:
        name: The path in the archive. It is shown to people and read for labels, and never becomes a real path.
        stream: The unpacked bytes, to be read before the next member is asked for. Reading raises BadUpload where this
            one member cannot be had, and UploadTooLarge where the archive is over its limits.
    """

    name: str
    stream: IO[bytes]


class ArchiveWalk(Protocol):
    """All files of an archive, one after the other, under the names that it gives them.

    Attributes:
        damage: A sentence that says what was lost; empty where nothing was. Complete once the walk is over.
    """

    damage: str

    def __iter__(self) -> Iterator[ArchiveMember]: ...


def refused_member(name: str, reason: str) -> ArchiveMember:
    """A member that cannot be had: reading its stream raises BadUpload with the reason."""
    return ArchiveMember(name=name, stream=io.BufferedReader(_RefusingStream(reason)))


def members_of(walk: ArchiveWalk, folder: str, meter: ArchiveMeter) -> Iterator[ArchiveMember]:
    """The members that a person would expect, as files in `folder`; leftovers of the system are passed over.

    Raises:
        UploadTooLarge: There are too many files.
    """
    for member in walk:
        if is_junk(member.name):
            continue
        meter.add_file()
        name = _storable(folder + member.name.removeprefix("./"))
        if len(name) > MAX_NAME_CHARS:
            yield refused_member(f"{name[:100]}…", archive_messages.NAME_TOO_LONG.format(limit=MAX_NAME_CHARS))
        elif suffix := archive_suffix(name):
            reason = archive_messages.ARCHIVE_IN_ARCHIVE.format(suffix=suffix, kind=meter.kind)
            yield refused_member(name, reason)
        else:
            yield ArchiveMember(name=name, stream=member.stream)


def folder_of(name: str, member_names: Iterable[str]) -> str:
    """The folder in which the files of the archive called `name` lie, with a / at its end; empty for none.

    An archive without any folder inside is itself the folder of its files, so that `cats.zip` and `dogs.zip` are two
    classes. The files of any other archive lie where the archive lay.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    stem = without_suffix(path.name)
    has_folders = any(len(clean_parts(member)) > 1 for member in member_names if not is_junk(member))
    folder = path.with_name(stem) if stem and not has_folders else path.parent
    return "" if folder == PurePosixPath() else f"{folder}/"


def _storable(name: str) -> str:
    """The name without what some database refuses: halves of surrogate pairs and NUL characters."""
    return name.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


class _RefusingStream(io.RawIOBase):
    """A stream that cannot be read, for the reason that it is given."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ARG002 - the base class's
        raise BadUpload(self._reason)
