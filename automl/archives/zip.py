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
from automl.archives.stored_names import ReadName, StoredName, zip_name
from automl.errors import BadUpload, UploadTooLarge
from automl.text.messages import archives as archive_messages
from automl.text.upload_names import is_junk

_DIRECTORY_BYTES_PER_FILE = 512
"""More than the directory of an honest archive needs for a file with a long name."""

UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
_DOS_FOLDER = 0x10
_FIRST_VOLUME = b"PK\x07\x08PK\x03\x04"
_END_SIGNATURE, _END_BEGINNING = b"PK\x05\x06", struct.Struct("<4sHH")
_MAX_END_BYTES = (1 << 16) + 22
"""The record at the end of a .zip, with its longest comment."""

_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)
"""What `zipfile` raises, sooner or later, on hostile bytes; RuntimeError includes what is not implemented."""


@contextmanager
def open_zip(source: IO[bytes], limits: ArchiveLimits) -> Iterator[zipfile.ZipFile | None]:
    """The opened archive, or None where it has no directory that makes sense.

    A directory whose files overlap makes no sense: each of thousands of files could be almost all of the archive.

    Raises:
        BadUpload: It is the first or the last part of an archive that was cut into several.
        UploadTooLarge: The directory is far too large for `limits`.
    """
    n_archive_bytes = source.seek(0, io.SEEK_END)
    if _is_joined_from_volumes(source, n_archive_bytes):
        yield None  # places in its directory count from the beginning of each part
        return
    try:
        archive = zipfile.ZipFile(_BoundedReads(source, limits.max_files * _DIRECTORY_BYTES_PER_FILE + PIECE_BYTES))
    except _ZIP_FAULTS:
        yield None
    else:
        with archive:
            yield archive if _makes_sense(archive, n_archive_bytes) else None


def _is_joined_from_volumes(source: IO[bytes], n_archive_bytes: int) -> bool:
    """Whether the parts of a split archive were put together again. Raises BadUpload for one part alone."""
    source.seek(0)
    begins_as_first = source.read(len(_FIRST_VOLUME)) == _FIRST_VOLUME
    source.seek(max(0, n_archive_bytes - _MAX_END_BYTES))
    end = source.read(_MAX_END_BYTES)
    at = end.rfind(_END_SIGNATURE)
    is_whole_end = at >= 0 and len(end) - at >= _END_BEGINNING.size
    _, disk, directory_disk = _END_BEGINNING.unpack_from(end, at) if is_whole_end else (b"", 0, 0)
    # One wrong byte does not make a part.
    ends_as_last = 0 not in (disk, directory_disk) and 0xFFFF not in (disk, directory_disk)
    if begins_as_first and (ends_as_last or is_whole_end):
        return ends_as_last
    if begins_as_first or ends_as_last:
        raise BadUpload(archive_messages.ONE_OF_SEVERAL_VOLUMES)
    return False


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

    def __init__(self, archive: zipfile.ZipFile, meter: ArchiveMeter, read_name: ReadName) -> None:
        self._archive, self._meter = archive, meter
        self._entries = [(read_name(_stored_name(info)), info) for info in archive.infolist() if _is_wanted(info)]

    def __iter__(self) -> Iterator[ArchiveMember]:
        files = [info for name, info in self._entries if not is_junk(name)]
        if any(info.flag_bits & ENCRYPTED_FLAG for info in files):
            raise BadUpload(archive_messages.PROTECTED)
        limits = self._meter.limits
        if len(files) > limits.max_files:
            # The directory says so before anything is unpacked, so nothing has to be.
            raise UploadTooLarge(archive_messages.TOO_MANY_FILES.format(kind=".zip", limit=limits.max_files))
        for name, info in self._entries:
            if reason := _why_no_file(info):
                yield refused_member(name, reason)
            else:
                with io.BufferedReader(_ZipMemberStream(self._archive, info, self._meter)) as stream:
                    yield ArchiveMember(name=name, stream=stream)


def _stored_name(info: zipfile.ZipInfo) -> StoredName:
    """The name as it stands in the directory: without the flag for UTF-8, `zipfile` reads any bytes as cp437."""
    is_utf8 = bool(info.flag_bits & UTF8_FLAG)
    raw = info.orig_filename.encode("utf-8" if is_utf8 else "cp437")
    return zip_name(raw, info.extra, is_utf8=is_utf8)


def _is_wanted(info: zipfile.ZipInfo) -> bool:
    # Programs that write backslashes mark folders as DOS did.
    is_dos_folder = info.external_attr & _DOS_FOLDER and info.file_size == 0
    return info.filename != "" and not (info.is_dir() or is_dos_folder or stat.S_ISDIR(info.external_attr >> 16))


def _why_no_file(info: zipfile.ZipInfo) -> str:
    """The reason why an entry is no file that can be read; empty where it is one."""
    # The upper half holds what Unix says of the file; other systems leave zeros.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in (0, stat.S_IFREG):
        return ""
    return archive_messages.LINK if kind == stat.S_IFLNK else archive_messages.NO_ORDINARY_FILE


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
            raise BadUpload(archive_messages.DAMAGED_MEMBER) from error
        self._meter.add_bytes(len(data))
        buffer[: len(data)] = data
        return len(data)

    def _open(self) -> IO[bytes]:
        # Only Deflate is unpacked in bounded pieces. The other methods have dictionaries that can fill the memory.
        if self._info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadUpload(archive_messages.UNUSUAL_METHOD)
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
            raise UploadTooLarge(archive_messages.LISTS_TOO_MANY.format(kind=".zip"))
        return self._source.read(n_bytes if n_bytes >= 0 else self._max_read_bytes)
