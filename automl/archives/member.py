"""A file in an archive, whatever the kind of archive, and how much of them is taken."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, Protocol

from automl.errors import BadUpload, UploadTooLarge
from automl.text.upload_names import clean_parts, is_junk

ARCHIVE_SUFFIXES: tuple[str, ...] = (".zip", ".tar", ".tar.gz", ".tgz")
"""The ends of names, in lower case, by which an upload is known as an archive."""

PIECE_BYTES = 1 << 20
"""Nothing in an archive is taken into memory in larger pieces."""

MAX_RATIO = 200
"""An archive that unpacks to more than this many times its own size is not photographs."""

MAX_NAME_CHARS = 1000
_RATIO_FREE_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """`max_files`: pictures and other files, without system leftovers. `max_bytes`: all of them unpacked."""

    max_files: int
    max_bytes: int

    @property
    def max_entries(self) -> int:
        """Folders and leftovers included: a Mac adds a file of its own to each."""
        return 4 * self.max_files + 1000


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive. `name`: for people and labels only. `stream`: its bytes, to be read before the next.

    Reading raises BadUpload if this one member cannot be had, and UploadTooLarge if the archive is over its limits.
    """

    name: str
    stream: IO[bytes]


class Walk(Protocol):
    """All files of an archive, one after the other, named as it names them. `damage`: what was lost, in words."""

    damage: str

    def __iter__(self) -> Iterator[Member]: ...


class Count:
    """Files and bytes that an archive has given so far. `kind`: its suffix, for messages.

    `extra_bytes`: allowed beyond `limits.max_bytes`, for what is no file's contents.
    """

    def __init__(self, kind: str, limits: ArchiveLimits, n_archive_bytes: int, extra_bytes: int = 0) -> None:
        self.kind, self.limits = kind, limits
        self._max_bytes = limits.max_bytes + extra_bytes
        self._suspicious_bytes = max(_RATIO_FREE_BYTES, MAX_RATIO * n_archive_bytes)
        self._n_bytes = self._n_entries = self._n_files = 0

    def add_bytes(self, n_bytes: int) -> None:
        """Raises UploadTooLarge."""
        self._n_bytes += n_bytes
        if self._n_bytes > self._max_bytes:
            limit = self.limits.max_bytes
            raise UploadTooLarge(f"Unpacked, this {self.kind} is larger than the limit of {limit:,} bytes.")
        if self._n_bytes > self._suspicious_bytes:
            raise UploadTooLarge(
                f"This {self.kind} unpacks to more than {MAX_RATIO} times its size, as photos never do."
            )

    def add_entry(self) -> None:
        """A file, a folder or anything else. Raises UploadTooLarge."""
        self._n_entries += 1
        if self._n_entries > self.limits.max_entries:
            raise UploadTooLarge(f"This {self.kind} lists far more files than the limit allows.")

    def add_file(self) -> None:
        """Raises UploadTooLarge."""
        self._n_files += 1
        if self._n_files > self.limits.max_files:
            raise UploadTooLarge(f"This {self.kind} holds more than the limit of {self.limits.max_files:,} files.")


def is_archive(name: str) -> bool:
    """Whether a file of this name is to be unpacked."""
    return _suffix(name) != ""


def without_suffix(name: str) -> str:
    """`pets.tar.gz` -> `pets`; a name that is not an archive's as it is."""
    return name[: len(name) - len(_suffix(name))]


def refused_member(name: str, reason: str) -> Member:
    """A member whose stream only says why it cannot be read."""
    return Member(name, io.BufferedReader(_Refused(reason)))


def members_of(walk: Walk, folder: str, count: Count) -> Iterator[Member]:
    """The members that people would look for, in `folder`; system leftovers are passed over.

    Raises:
        UploadTooLarge: too many files.
    """
    for member in walk:
        if is_junk(member.name):
            continue
        count.add_file()
        name = _writable(folder + member.name.removeprefix("./"))
        if len(name) > MAX_NAME_CHARS:
            yield refused_member(f"{name[:100]}…", f"Its name is longer than {MAX_NAME_CHARS:,} characters.")
        elif suffix := _suffix(name):
            yield refused_member(name, f"It is a {suffix} inside a {count.kind}, which is not opened. Unpack it first.")
        else:
            yield Member(name, member.stream)


def folder_of(name: str, walk: Walk) -> str:
    """Where the files of the archive called `name` lie, with a / at the end, or an empty text.

    Without any folder inside, the archive itself is their folder: so `cats.zip` and `dogs.zip` are two classes.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    folder = path.with_name(without_suffix(path.name)) if without_suffix(path.name) and _is_flat(walk) else path.parent
    return "" if folder == PurePosixPath() else f"{folder}/"


def _suffix(name: str) -> str:
    return next((suffix for suffix in ARCHIVE_SUFFIXES if name.lower().endswith(suffix)), "")


def _is_flat(walk: Iterable[Member]) -> bool:
    return not any(len(clean_parts(member.name)) > 1 for member in walk if not is_junk(member.name))


def _writable(name: str) -> str:
    """What any database takes: no half characters and no NUL."""
    return name.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


class _Refused(io.RawIOBase):
    def __init__(self, reason: str) -> None:
        self._reason = reason

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ARG002 - the base class's
        raise BadUpload(self._reason)
