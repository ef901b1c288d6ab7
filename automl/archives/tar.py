"""The files of a .tar, in the order in which they come.

This is written out here because `tarfile` takes headers of any size into memory, calls itself once for each header in a
chain of them, and cannot go on behind a damaged one. A single header of 512 bytes is still parsed by `tarfile`.
"""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from automl.archives.gzip import BrokenOff
from automl.archives.limits import ArchiveMeter
from automl.archives.member import PIECE_BYTES, ArchiveMember, refused_member
from automl.archives.stored_names import ReadName, StoredName, utf8_or_unknown
from automl.errors import BadUpload
from automl.text.messages import archives as archive_messages

BLOCK_BYTES = 512

_MAX_EXTRA_HEADER_BYTES = 1 << 20
"""A longer extra header is skipped: it holds a Mac's attributes, or is there to fill the memory."""

_MAX_DIGITS = 20
_CONTINUED_IN_FIRST, _CONTINUED_IN_NEXT = 482, 504
"""Where in its first block, and in those that follow, a sparse header says whether another block follows."""

_END = b"\0" * BLOCK_BYTES
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)
_DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
# Attributes for all files together, the targets of links, and the label of the whole archive.
_PASSED_OVER = (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK, b"V")
_FOLDER_LIST = b"D"
_FOLDERS = (tarfile.DIRTYPE, _FOLDER_LIST)


class Readable(Protocol):
    """Anything that bytes can be read from."""

    def read(self, n_bytes: int, /) -> bytes: ...


_NO_NAME = StoredName(raw=b"")


@dataclass(slots=True, kw_only=True)
class _ExtraAttributes:
    """What extra headers say of the file that comes next.

    Attributes:
        name: Its whole name, where the header has no room for it; else empty.
        n_bytes: Its size, where the header has no room for the number.
        is_sparse: Whether only the parts of it that are not zero are in the archive.
    """

    name: StoredName = _NO_NAME
    n_bytes: int | None = None
    is_sparse: bool = False


def is_tar_header(block: bytes) -> bool:
    """Whether these are the first 512 bytes of a .tar that holds something."""
    return _parsed(block) is not None


class TarWalk:
    """The walk over the files of a .tar.

    Iterating it raises UploadTooLarge where there are too many entries, and whatever reading the source raises.

    Args:
        source: The bytes of the .tar, at their beginning.
        meter: Counts what comes out.
        read_name: Makes text of the names.
        n_archive_bytes: The size of the .tar, where it is known beforehand. A file that claims to be larger is refused.
    """

    def __init__(
        self, source: Readable, meter: ArchiveMeter, read_name: ReadName, *, n_archive_bytes: int | None = None
    ) -> None:
        self.damage = ""
        self._bytes = _ForwardReader(source)
        self._meter, self._read_name, self._n_archive_bytes = meter, read_name, n_archive_bytes
        self._last_name = ""

    def __iter__(self) -> Iterator[ArchiveMember]:
        try:
            yield from self._members()
        except BrokenOff:
            words = archive_messages.BREAKS_OFF_AFTER if self._last_name else archive_messages.BREAKS_OFF
            self.damage = words.format(kind=self._meter.kind, name=self._last_name)

    def _members(self) -> Iterator[ArchiveMember]:
        extra = _ExtraAttributes()
        while (header := self._next_header()) is not None:
            self._meter.add_entry()
            if header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                _read_attributes(self._extra_header(header), extra)
            elif header.type == tarfile.GNUTYPE_LONGNAME:  # GNU tar's own way, older than attributes
                extra.name = StoredName(raw=self._extra_header(header).split(b"\0", 1)[0])
            elif header.type in _PASSED_OVER:
                self._bytes.skip(_padded(header.size))
            else:
                yield from self._member(header, extra)
                extra = _ExtraAttributes()

    def _member(self, header: tarfile.TarInfo, extra: _ExtraAttributes) -> Iterator[ArchiveMember]:
        if header.type in _FOLDERS:
            self._bytes.skip(_padded(header.size) if header.type == _FOLDER_LIST else 0)
            return
        in_header = StoredName(raw=_bytes_of(header.name))
        name = self._last_name = self._read_name(extra.name if extra.name.raw else in_header)
        if header.type in _LINKS:
            yield refused_member(name, archive_messages.LINK)
        elif header.type in _DEVICES:
            yield refused_member(name, archive_messages.NO_ORDINARY_FILE)
        else:
            yield from self._file(header, name, extra)

    def _file(self, header: tarfile.TarInfo, name: str, extra: _ExtraAttributes) -> Iterator[ArchiveMember]:
        n_bytes = header.size if extra.n_bytes is None else extra.n_bytes
        if self._n_archive_bytes is not None and n_bytes > self._n_archive_bytes - self._bytes.n_read:
            yield refused_member(name, archive_messages.CUT)
            return  # it may be the size that is damaged: the next header is looked for from here
        if extra.is_sparse or header.type == tarfile.GNUTYPE_SPARSE:
            yield refused_member(name, archive_messages.SPARSE)
            self._bytes.skip(_padded(n_bytes))
        elif header.type not in _FILES:
            yield refused_member(name, archive_messages.NO_ORDINARY_FILE)
            self._bytes.skip(_padded(n_bytes))
        else:
            stream = _TarMemberStream(self._bytes, n_bytes, self._meter)
            yield ArchiveMember(name=name, stream=io.BufferedReader(stream))
            # Also what the reader of the member has left of it.
            self._bytes.skip(stream.n_left + _padded(n_bytes) - n_bytes)

    def _next_header(self) -> tarfile.TarInfo | None:
        """The next header that is whole; None at the mark of the end."""
        block = self._bytes.take(BLOCK_BYTES)
        if block == _END:
            return None
        header = _parsed(block)
        if header is None:
            self.damage = archive_messages.PARTLY_DAMAGED.format(kind=self._meter.kind)
        while header is None:
            block = self._bytes.take(BLOCK_BYTES)
            # Inside of a damaged part any block may be a photo's: only one with the magic word can be a header.
            header = _parsed(block) if block[257:262] == b"ustar" else None
        if header.type == tarfile.GNUTYPE_SPARSE:
            is_continued = block[_CONTINUED_IN_FIRST]
            while is_continued:
                is_continued = self._bytes.take(BLOCK_BYTES)[_CONTINUED_IN_NEXT]
        return header

    def _extra_header(self, header: tarfile.TarInfo) -> bytes:
        """The contents of an extra header; nothing where it is too large to be of use."""
        if header.size > _MAX_EXTRA_HEADER_BYTES:
            self._bytes.skip(_padded(header.size))
            return b""
        return self._bytes.take(_padded(header.size))[: header.size]


class _ForwardReader:
    """Reads bytes once, from the first to the last, and counts them."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.n_read = 0

    def read(self, n_bytes: int) -> bytes:
        """Up to `n_bytes`, at least one. Raises BrokenOff at the end."""
        # A header may ask for terabytes: they are taken in pieces, and only as far as they exist.
        data = self._source.read(min(n_bytes, PIECE_BYTES))
        if not data:
            raise BrokenOff
        self.n_read += len(data)
        return data

    def take(self, n_bytes: int) -> bytes:
        """Exactly `n_bytes`. Raises BrokenOff where there are fewer."""
        data = self.read(n_bytes) if n_bytes else b""
        while len(data) < n_bytes:
            data += self.read(n_bytes - len(data))
        return data

    def skip(self, n_bytes: int) -> None:
        """Passes over `n_bytes`. Raises BrokenOff where there are fewer."""
        while n_bytes > 0:
            n_bytes -= len(self.read(n_bytes))


class _TarMemberStream(io.RawIOBase):
    """The bytes of one file in a .tar; `n_left` of them have not been read yet."""

    def __init__(self, source: _ForwardReader, n_bytes: int, meter: ArchiveMeter) -> None:
        self._source, self._meter = source, meter
        self.n_left = n_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n_wanted = min(len(buffer), self.n_left)
        if n_wanted == 0:
            return 0
        try:
            data = self._source.read(n_wanted)
        except BrokenOff as error:
            raise BadUpload(archive_messages.CUT) from error
        self.n_left -= len(data)
        self._meter.add_bytes(len(data))
        buffer[: len(data)] = data
        return len(data)


def _parsed(block: bytes) -> tarfile.TarInfo | None:
    """The header that a block holds; None where it makes no sense, such as with a wrong checksum."""
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return None
    # Sizes above 8 GB are binary numbers, which can be negative.
    return header if header.size >= 0 else None


def _read_attributes(data: bytes, extra: _ExtraAttributes) -> None:
    """Takes what a reader of photos needs from lines of the form `length key=value`, up to the first malformed one."""
    at = 0
    while at < len(data):
        digits, _, _ = data[at : at + _MAX_DIGITS].partition(b" ")
        if not digits.isdigit() or not len(digits) < int(digits) <= len(data) - at:
            return
        key, _, value = data[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        at += int(digits)
        if key == b"path":
            extra.name = utf8_or_unknown(value)
        elif key == b"size" and value.isdigit() and len(value) <= _MAX_DIGITS:
            extra.n_bytes = int(value)
        elif key.startswith(b"GNU.sparse."):
            extra.is_sparse = True


def _bytes_of(name: str) -> bytes:
    """The bytes of a name that `tarfile` has read from a header."""
    return name.encode("utf-8", "surrogateescape")


def _padded(n_bytes: int) -> int:
    """The bytes that contents of this size take up: files begin at multiples of a block."""
    return -(-n_bytes // BLOCK_BYTES) * BLOCK_BYTES
