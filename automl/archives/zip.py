"""The files of a .zip, as the directory at its end lists them."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from automl.archives.limits import ArchiveLimits, ArchiveMeter
from automl.archives.member import PIECE_BYTES, ArchiveMember, refused_member
from automl.errors import BadUpload, UploadTooLarge
from automl.text.upload_names import is_junk

DAMAGED_MEMBER = "It is damaged inside the .zip."
UNUSUAL_METHOD = "It is packed in an unusual way. Make the .zip again with the common method (Deflate)."

_LINK = "It is a link to another file, which is not followed. Put the file itself into the archive."
_DEVICE = "It is not an ordinary file."
_DIRECTORY_BYTES_PER_FILE = 512
"""More than the directory of an honest archive needs for a file with a long name."""

_UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)
"""What `zipfile` raises, sooner or later, on hostile bytes; RuntimeError includes what is not implemented."""


@contextmanager
def open_zip(source: IO[bytes], limits: ArchiveLimits) -> Iterator[zipfile.ZipFile | None]:
    """The opened archive, or None where it has no directory that makes sense.

    A directory whose files overlap makes no sense: each of thousands of files could be almost all of the archive.

    Raises:
        UploadTooLarge: The directory is far too large for `limits`.
    """
    try:
        archive = zipfile.ZipFile(_BoundedReads(source, limits.max_files * _DIRECTORY_BYTES_PER_FILE + PIECE_BYTES))
    except _ZIP_FAULTS:
        yield None
    else:
        with archive:
            yield archive if _makes_sense(archive, source.seek(0, io.SEEK_END)) else None


def _makes_sense(archive: zipfile.ZipFile, n_archive_bytes: int) -> bool:
    entries = archive.infolist()
    has_overlaps = sum(info.compress_size for info in entries) > n_archive_bytes
    # A negative offset comes from a directory that is not where the end of the archive says.
    return not has_overlaps and all(info.header_offset >= 0 for info in entries)


class ZipWalk:
    """The walk over the files that the directory of a .zip lists.

    Iterating it raises BadUpload where the archive is protected with a password, and UploadTooLarge where it lists more
    files than the limits allow.
    """

    damage = ""

    def __init__(self, archive: zipfile.ZipFile, meter: ArchiveMeter) -> None:
        self._archive, self._meter = archive, meter
        self._entries = [(readable_name(info), info) for info in archive.infolist() if _is_wanted(info)]

    def __iter__(self) -> Iterator[ArchiveMember]:
        files = [info for name, info in self._entries if not is_junk(name)]
        if any(info.flag_bits & ENCRYPTED_FLAG for info in files):
            raise BadUpload("This .zip is protected with a password. Make one without.")
        limits = self._meter.limits
        if len(files) > limits.max_files:
            # The directory says so before anything is unpacked, so nothing has to be.
            raise UploadTooLarge(f"This .zip holds more than the limit of {limits.max_files:,} files.")
        for name, info in self._entries:
            if reason := _why_no_file(info):
                yield refused_member(name, reason)
            else:
                with io.BufferedReader(_ZipMemberStream(self._archive, info, self._meter)) as stream:
                    yield ArchiveMember(name=name, stream=stream)


def readable_name(info: zipfile.ZipInfo) -> str:
    """The name of a file in a .zip. Many programs write UTF-8 without saying so, which `zipfile` reads as cp437."""
    if info.flag_bits & _UTF8_FLAG:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _is_wanted(info: zipfile.ZipInfo) -> bool:
    return info.filename != "" and not info.is_dir() and not stat.S_ISDIR(info.external_attr >> 16)


def _why_no_file(info: zipfile.ZipInfo) -> str:
    """The reason why an entry is no file that can be read; empty where it is one."""
    # The upper half holds what Unix says of the file; other systems leave zeros.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in (0, stat.S_IFREG):
        return ""
    return _LINK if kind == stat.S_IFLNK else _DEVICE


class _ZipMemberStream(io.RawIOBase):
    """The bytes of one file in a .zip, opened when it is first read, so that one bad file does not spoil the rest."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, meter: ArchiveMeter) -> None:
        self._archive, self._info, self._meter = archive, info, meter
        self._stream: IO[bytes] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            if self._stream is None:
                self._stream = self._open()
            data = self._stream.read(min(len(buffer), PIECE_BYTES))
        except _ZIP_FAULTS as error:
            raise BadUpload(DAMAGED_MEMBER) from error
        self._meter.add_bytes(len(data))
        buffer[: len(data)] = data
        return len(data)

    def _open(self) -> IO[bytes]:
        # Only Deflate is unpacked in bounded pieces. The other methods have dictionaries that can fill the memory.
        if self._info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadUpload(UNUSUAL_METHOD)
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
        # A real file answers with an OSError, which would look like that of a failing disk.
        if whence == io.SEEK_SET and offset < 0:
            raise zipfile.BadZipFile("an offset before the beginning")
        return self._source.seek(offset, whence)

    def read(self, n_bytes: int = -1) -> bytes:
        if n_bytes > self._max_read_bytes:
            raise UploadTooLarge("This .zip lists far more files than the limit allows.")
        return self._source.read(n_bytes if n_bytes >= 0 else self._max_read_bytes)
