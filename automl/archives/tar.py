"""The files of a .tar, in the order in which they come.

Written out, since `tarfile` takes headers of any size into memory, calls itself once for each in a chain of them, and
has no way on behind a damaged one. The single header of 512 bytes is still read by it.
"""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from automl.archives.gzip import BrokenOff
from automl.archives.member import PIECE_BYTES, Count, Member, refused_member
from automl.errors import BadUpload

BLOCK_BYTES = 512

_MAX_NOTE_BYTES = 1 << 20
"""A longer note on a file is skipped: it holds a Mac's attributes, or is there to fill the memory."""

_MAX_DIGITS = 20
_CONTINUED_IN_FIRST, _CONTINUED_IN_NEXT = 482, 504
_END = b"\0" * BLOCK_BYTES
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)
_DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
_PASSED_OVER = (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK, b"V")
_FOLDER_LIST = b"D"
_FOLDERS = (tarfile.DIRTYPE, _FOLDER_LIST)

_LINK = "It is a link to another file, which is not followed. Put the file itself into the archive."
_DEVICE = "It is not an ordinary file."
_SPARSE = "It is packed as a file with holes. Make the archive again without that option (--sparse)."
_CUT = "It is damaged: the archive ends inside it."


class Readable(Protocol):
    def read(self, n_bytes: int, /) -> bytes: ...


@dataclass(slots=True)
class _Note:
    """What extra headers say of the file that comes next."""

    name: str = ""
    n_bytes: int | None = None
    is_sparse: bool = False


def is_tar_header(block: bytes) -> bool:
    """Whether these are the first 512 bytes of a .tar that holds something."""
    return _parsed(block) is not None


class TarWalk:
    """A walk over the .tar in `source`. `n_archive_bytes`: its size and its end, where it is a file that is seekable.

    Raises, when iterated:
        UploadTooLarge: too many entries, or whatever reading `source` raises.
    """

    def __init__(self, source: Any, count: Count, n_archive_bytes: int | None = None) -> None:
        if n_archive_bytes is not None:
            source.seek(0)
        self.damage = ""
        self._bytes = _Forward(source)
        self._count, self._n_archive_bytes = count, n_archive_bytes
        self._last = ""

    def __iter__(self) -> Iterator[Member]:
        try:
            yield from self._members()
        except BrokenOff:
            after = f"after '{self._last}'" if self._last else "in it"
            self.damage = (
                f"This {self._count.kind} breaks off before its end: what came {after} is lost. Make it again."
            )

    def _members(self) -> Iterator[Member]:
        note = _Note()
        while (header := self._next_header()) is not None:
            self._count.add_entry()
            if header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                _read_attributes(self._note_of(header), note)
            elif header.type == tarfile.GNUTYPE_LONGNAME:
                note.name = _text(self._note_of(header).split(b"\0", 1)[0])
            elif header.type in _PASSED_OVER:
                self._bytes.skip(_padded(header.size))
            else:
                yield from self._member(header, note)
                note = _Note()

    def _member(self, header: tarfile.TarInfo, note: _Note) -> Iterator[Member]:
        name = note.name or header.name
        self._last = name
        if header.type in _FOLDERS:
            self._bytes.skip(_padded(header.size) if header.type == _FOLDER_LIST else 0)
        elif header.type in _LINKS:
            yield refused_member(name, _LINK)
        elif header.type in _DEVICES:
            yield refused_member(name, _DEVICE)
        else:
            yield from self._file(header, name, header.size if note.n_bytes is None else note.n_bytes, note.is_sparse)

    def _file(self, header: tarfile.TarInfo, name: str, n_bytes: int, is_sparse: bool) -> Iterator[Member]:
        if self._n_archive_bytes is not None and n_bytes > self._n_archive_bytes - self._bytes.n_read:
            yield refused_member(name, _CUT)
            return  # it may be the size that is damaged: the next header is looked for from here
        if is_sparse or header.type == tarfile.GNUTYPE_SPARSE:
            yield refused_member(name, _SPARSE)
            self._bytes.skip(_padded(n_bytes))
        elif header.type not in _FILES:
            yield refused_member(name, _DEVICE)
            self._bytes.skip(_padded(n_bytes))
        else:
            stream = _TarMember(self._bytes, n_bytes, self._count)
            yield Member(name, io.BufferedReader(stream))
            self._bytes.skip(stream.n_left + _padded(n_bytes) - n_bytes)

    def _next_header(self) -> tarfile.TarInfo | None:
        """The next one that is whole; None at the end mark."""
        block = self._bytes.take(BLOCK_BYTES)
        if block == _END:
            return None
        header = _parsed(block)
        if header is None:
            self.damage = f"A part of this {self._count.kind} is damaged; the files in it are lost. Make it again."
        while header is None:
            block = self._bytes.take(BLOCK_BYTES)
            header = _parsed(block) if block[257:262] == b"ustar" else None
        if header.type == tarfile.GNUTYPE_SPARSE:
            is_continued = block[_CONTINUED_IN_FIRST]
            while is_continued:
                is_continued = self._bytes.take(BLOCK_BYTES)[_CONTINUED_IN_NEXT]
        return header

    def _note_of(self, header: tarfile.TarInfo) -> bytes:
        if header.size > _MAX_NOTE_BYTES:
            self._bytes.skip(_padded(header.size))
            return b""
        return self._bytes.take(_padded(header.size))[: header.size]


class _Forward:
    """Bytes that are read once, from the first to the last."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.n_read = 0

    def read(self, n_bytes: int) -> bytes:
        """Raises BrokenOff at the end."""
        data = self._source.read(min(n_bytes, PIECE_BYTES))
        if not data:
            raise BrokenOff
        self.n_read += len(data)
        return data

    def take(self, n_bytes: int) -> bytes:
        """Exactly `n_bytes`. Raises BrokenOff."""
        data = self.read(n_bytes) if n_bytes else b""
        while len(data) < n_bytes:
            data += self.read(n_bytes - len(data))
        return data

    def skip(self, n_bytes: int) -> None:
        """Raises BrokenOff."""
        while n_bytes > 0:
            n_bytes -= len(self.read(n_bytes))


class _TarMember(io.RawIOBase):
    def __init__(self, source: _Forward, n_bytes: int, count: Count) -> None:
        self._source, self._count = source, count
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
            raise BadUpload(_CUT) from error
        self.n_left -= len(data)
        self._count.add_bytes(len(data))
        buffer[: len(data)] = data
        return len(data)


def _parsed(block: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        return None
    return header if header.size >= 0 else None


def _read_attributes(data: bytes, note: _Note) -> None:
    """Takes from lines of `length key=value` what a reader of photos needs; what makes no sense ends them."""
    at = 0
    while at < len(data):
        digits, _, _ = data[at : at + _MAX_DIGITS].partition(b" ")
        if not digits.isdigit() or not len(digits) < int(digits) <= len(data) - at:
            return
        key, _, value = data[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        at += int(digits)
        if key == b"path":
            note.name = _text(value)
        elif key == b"size" and value.isdigit() and len(value) <= _MAX_DIGITS:
            note.n_bytes = int(value)
        elif key.startswith(b"GNU.sparse."):
            note.is_sparse = True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _padded(n_bytes: int) -> int:
    return -(-n_bytes // BLOCK_BYTES) * BLOCK_BYTES
