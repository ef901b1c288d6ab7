"""Reading a .zip that anybody may have made: nothing in it is believed unread, and no name becomes a path."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from automl.data.layout import is_junk
from automl.errors import BadUpload, UploadTooLarge

MAX_RATIO = 200
"""An archive that unpacks to more than this many times its own size is not photographs."""
_RATIO_FREE_BYTES = 64 * 1024**2
_DIRECTORY_BYTES_PER_FILE = 512
_PIECE_BYTES = 1 << 20
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)
"""What `zipfile` raises, sooner or later, on hostile bytes; RuntimeError includes what is not implemented."""
_DAMAGED = "This .zip is damaged or incomplete. Make it again, or send the folder itself."


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """`max_files`: pictures and other files, without system leftovers. `max_bytes`: all of them unpacked."""

    max_files: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive. `name`: for people and labels only. `stream`: its bytes, to be read before the next.

    Reading raises BadUpload if this one member is damaged, and UploadTooLarge if the archive is over its limits.
    """

    name: str
    stream: IO[bytes]


def read_zip(source: IO[bytes], name: str, limits: ArchiveLimits) -> Iterator[Member]:
    """The files of the archive `source` (seekable); folders, links and system leftovers are passed over.

    `name`: the archive's own. In a .zip without any folder, it is the folder of all its members, so that `cats.zip`
    and `dogs.zip` are two classes.

    Raises:
        BadUpload: not a .zip, damaged, empty, or protected with a password.
        UploadTooLarge: more files or bytes than `limits`, counted while reading.
    """
    n_archive_bytes = source.seek(0, io.SEEK_END)
    with _open_zip(_BoundedReads(source, limits.max_files * _DIRECTORY_BYTES_PER_FILE + _PIECE_BYTES)) as archive:
        members = [(_readable_name(info), info) for info in archive.infolist() if _is_file(info)]
        members = [(member, info) for member, info in members if not is_junk(member)]
        if not members:
            raise BadUpload("There is no file in this .zip.")
        if any(info.flag_bits & _ENCRYPTED_FLAG for _, info in members):
            raise BadUpload("This .zip is protected with a password. Make one without.")
        if len(members) > limits.max_files:
            raise UploadTooLarge(f"This .zip holds more than the limit of {limits.max_files:,} files.")
        folder = _folder_of_members(name, [member for member, _ in members])
        count = _Count(limits.max_bytes, n_archive_bytes)
        for member, info in members:
            with io.BufferedReader(_CountedMember(archive, info, count)) as stream:
                yield Member(folder + member, stream)


@contextmanager
def _open_zip(source: "_BoundedReads") -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except _ZIP_FAULTS as error:
        raise BadUpload(_DAMAGED) from error
    with archive:
        yield archive


def _folder_of_members(name: str, members: list[str]) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    is_flat = not any("/" in member or "\\" in member for member in members)
    folder = path.with_suffix("") if is_flat else path.parent
    return "" if folder == PurePosixPath() else f"{folder}/"


def _is_file(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    return info.filename != "" and not info.is_dir() and kind in (0, stat.S_IFREG)


def _readable_name(info: zipfile.ZipInfo) -> str:
    """Many programs write UTF-8 without saying so; `zipfile` then reads it as cp437."""
    if info.flag_bits & _UTF8_FLAG:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


class _Count:
    """Bytes unpacked so far, over all members of an archive."""

    def __init__(self, max_bytes: int, n_archive_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._suspicious_bytes = max(_RATIO_FREE_BYTES, MAX_RATIO * n_archive_bytes)
        self._n_bytes = 0

    def add(self, n_bytes: int) -> None:
        self._n_bytes += n_bytes
        if self._n_bytes > self._max_bytes:
            raise UploadTooLarge(f"Unpacked, this .zip is larger than the limit of {self._max_bytes:,} bytes.")
        if self._n_bytes > self._suspicious_bytes:
            raise UploadTooLarge(f"This .zip unpacks to more than {MAX_RATIO} times its size, as photos never do.")


class _CountedMember(io.RawIOBase):
    """A member that is opened when it is first read, so that one bad member does not spoil the rest."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, count: _Count) -> None:
        self._archive, self._info, self._count = archive, info, count
        self._stream: IO[bytes] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            if self._stream is None:
                self._stream = self._open()
            data = self._stream.read(min(len(buffer), _PIECE_BYTES))
        except _ZIP_FAULTS as error:
            raise BadUpload("It is damaged inside the .zip.") from error
        self._count.add(len(data))
        buffer[: len(data)] = data
        return len(data)

    def _open(self) -> IO[bytes]:
        # Only Deflate is unpacked in bounded pieces; the dictionaries of the others are a way to fill the memory.
        if self._info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadUpload("It is packed in an unusual way. Make the .zip again with the common method (Deflate).")
        return self._archive.open(self._info)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        super().close()


class _BoundedReads:
    """A file that refuses to read too much at once: `zipfile` takes a directory of any size into memory."""

    def __init__(self, source: IO[bytes], max_read_bytes: int) -> None:
        self._source, self._max_read_bytes = source, max_read_bytes
        self.tell = source.tell

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        # A file of the system answers with an OSError, which is not to be told from that of a bad disk.
        if whence == io.SEEK_SET and offset < 0:
            raise zipfile.BadZipFile("an offset before the beginning")
        return self._source.seek(offset, whence)

    def read(self, n_bytes: int = -1) -> bytes:
        if n_bytes > self._max_read_bytes:
            raise UploadTooLarge("This .zip lists far more files than the limit allows.")
        return self._source.read(n_bytes if n_bytes >= 0 else self._max_read_bytes)
