"""The files that can be saved of a .zip without a sensible directory, most often because it was cut off.

Each file in a .zip has a header of its own in front of it, which repeats what the directory says.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from automl.archives.limits import ArchiveMeter
from automl.archives.member import PIECE_BYTES, ArchiveMember, refused_member
from automl.archives.stored_names import ReadName, StoredName, zip_name
from automl.archives.zip import ENCRYPTED_FLAG, UTF8_FLAG
from automl.errors import BadUpload
from automl.text.messages import archives as archive_messages

_HEADER = struct.Struct("<4s5H3L2H")
_SIGNATURE = b"PK\x03\x04"
_DESCRIPTOR = struct.Struct("<4sL")
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_ZIP64_FIELD, _ZIP64_SIZE = 1, 0xFFFFFFFF
_SIZE_FOLLOWS_FLAG = 0x8
_INPUT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _LocalHeader:
    """The header in front of a file.

    Attributes:
        name: The path of the file in the archive.
        flags: Bits, see `ENCRYPTED_FLAG` and `_SIZE_FOLLOWS_FLAG`.
        method: How the file is packed, as `zipfile` numbers it.
        start: Where its packed bytes begin in the archive.
        n_packed: How many packed bytes there are; None where that is written behind them.
        crc: The checksum of the unpacked bytes; None where it is written behind them.
    """

    name: StoredName
    flags: int
    method: int
    start: int
    n_packed: int | None
    crc: int | None


class ZipRecoveryWalk:
    """The walk over the files of the .zip in `source` (seekable), from header to header, without its directory.

    After a damaged file the search for the next header goes on inside it, since its size may be what is wrong. Headers
    that were made to lie inside each other's files would keep that up for ever, so the walk ends once it has read twice
    the archive's size in damaged files. Iterating it raises UploadTooLarge where there are too many entries.
    """

    damage = archive_messages.PARTLY_DAMAGED_ZIP

    def __init__(self, source: IO[bytes], meter: ArchiveMeter, read_name: ReadName) -> None:
        self._source, self._meter, self._read_name = source, meter, read_name
        self._n_damaged_bytes_left = 2 * source.seek(0, io.SEEK_END)

    def __iter__(self) -> Iterator[ArchiveMember]:
        at = 0
        while self._n_damaged_bytes_left >= 0 and (found := _find(self._source, at)) is not None:
            self._meter.add_entry()
            # The four bytes may just have come up in a photo: then the search goes on right behind them.
            at = found + len(_SIGNATURE)
            header = _read_header(self._source, found)
            if header is None or header.name.raw == b"":
                continue
            at = header.start
            if header.name.raw.endswith(b"/"):
                continue
            name = self._read_name(header.name)
            if reason := _why_unreadable(header):
                yield refused_member(name, reason)
            else:
                stream = _RecoveredStream(self._source, header, self._meter)
                yield ArchiveMember(name=name, stream=io.BufferedReader(stream))
                at = stream.finish()
                # Where it is damaged, its size may be wrong, and the next header may lie within what was read.
                if stream.is_damaged:
                    at = header.start
                    self._n_damaged_bytes_left -= stream.n_read


def _find(source: IO[bytes], at: int) -> int | None:
    """Where the next header begins, at `at` or later."""
    n_overlap = len(_SIGNATURE) - 1
    while True:
        source.seek(at)
        window = source.read(_INPUT_BYTES)
        index = window.find(_SIGNATURE)
        if index >= 0:
            return at + index
        if len(window) <= n_overlap:
            return None
        # The signature may lie across the border of two windows.
        at += len(window) - n_overlap


def _read_header(source: IO[bytes], at: int) -> _LocalHeader | None:
    source.seek(at)
    fixed = source.read(_HEADER.size)
    if len(fixed) < _HEADER.size:
        return None
    _, _, flags, method, _, _, crc, n_packed, n_unpacked, n_name, n_extra = _HEADER.unpack(fixed)
    name, extra = source.read(n_name), source.read(n_extra)
    if len(name) < n_name or len(extra) < n_extra:
        return None
    size: int | None = n_packed
    if n_packed == _ZIP64_SIZE:
        size = _zip64_size(extra, n_unpacked == _ZIP64_SIZE)
    # A writer that cannot rewind leaves zeros here and writes sizes and sums behind the file.
    is_unknown = bool(flags & _SIZE_FOLLOWS_FLAG) and not size
    start = at + _HEADER.size + n_name + n_extra
    return _LocalHeader(
        name=zip_name(name, extra, is_utf8=bool(flags & UTF8_FLAG)),
        flags=flags,
        method=method,
        start=start,
        n_packed=None if is_unknown else size,
        crc=None if is_unknown else crc,
    )


def _zip64_size(extra: bytes, holds_unpacked: bool) -> int | None:
    """The packed size as the extra field says it, where it takes more than 32 bits; None where it does not."""
    while len(extra) >= 4:
        kind, n_bytes = struct.unpack_from("<HH", extra)
        field = extra[4 : 4 + n_bytes][8 if holds_unpacked else 0 :][:8]
        if kind == _ZIP64_FIELD and len(field) == 8:
            return int.from_bytes(field, "little")
        extra = extra[4 + n_bytes :]
    return None


def _why_unreadable(header: _LocalHeader) -> str:
    """The reason why a file cannot be unpacked; empty where it can be tried."""
    if header.flags & ENCRYPTED_FLAG:
        return archive_messages.PROTECTED_MEMBER
    if header.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return archive_messages.UNUSUAL_METHOD
    is_endless = header.n_packed is None and header.method == zipfile.ZIP_STORED
    return archive_messages.NO_END if is_endless else ""


class _DamagedMember(Exception):
    """A file ends too early, or its bytes are not those of its checksum."""


class _RecoveredStream(io.RawIOBase):
    """The bytes of one file, checked against the sum in its header, or in the descriptor behind it.

    Attributes:
        is_damaged: Whether reading has failed.
        n_read: Packed bytes that were read so far.
    """

    def __init__(self, source: IO[bytes], header: _LocalHeader, meter: ArchiveMeter) -> None:
        self._source, self._header, self._meter = source, header, meter
        self._at = header.start
        # Raw Deflate, without the frame of zlib or gzip.
        self._inflate = zlib.decompressobj(-15) if header.method == zipfile.ZIP_DEFLATED else None
        self._packed = b""
        self._crc = 0
        self._is_whole = False
        self.is_damaged = False
        self.n_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._is_whole:
            return 0
        try:
            data = self._piece(min(len(buffer), PIECE_BYTES))
            self._crc = zlib.crc32(data, self._crc)
            if not data:
                self._check_sum()
                self._is_whole = True
        except (_DamagedMember, zlib.error) as error:
            self.is_damaged = True
            raise BadUpload(archive_messages.DAMAGED_MEMBER) from error
        self._meter.add_bytes(len(data))
        buffer[: len(data)] = data
        return len(data)

    def finish(self) -> int:
        """Reads what is left of the file, and returns the position in the archive where it ends."""
        try:
            while not self.is_damaged and self.read(PIECE_BYTES):
                pass
        except BadUpload:
            self.is_damaged = True
        return self._at

    def _piece(self, n_bytes: int) -> bytes:
        """The next unpacked bytes, none at the end. Raises _DamagedMember or zlib.error where there should be more."""
        if self._inflate is None:
            n_left = self._header.start + (self._header.n_packed or 0) - self._at
            return self._read_packed(min(n_bytes, n_left)) if n_left else b""
        while not self._inflate.eof:
            data = self._inflate.decompress(self._packed, n_bytes)
            self._packed = self._inflate.unconsumed_tail
            if data:
                return data
            if not self._packed and not self._inflate.eof:
                self._packed = self._read_packed(_INPUT_BYTES)
        return b""

    def _read_packed(self, n_bytes: int) -> bytes:
        self._source.seek(self._at)
        data = self._source.read(n_bytes)
        if not data:
            raise _DamagedMember
        self._at += len(data)
        self.n_read += len(data)
        return data

    def _check_sum(self) -> None:
        """Raises _DamagedMember where the checksum is another one."""
        if self._inflate is not None:
            # Packed bytes were read in blocks: those behind the end of the file belong to what follows.
            self._at -= len(self._inflate.unused_data)
        expected = self._header.crc
        if expected is None:
            self._source.seek(self._at)
            signature, crc = _DESCRIPTOR.unpack(self._source.read(_DESCRIPTOR.size).ljust(_DESCRIPTOR.size, b"\0"))
            # The signature is optional. Without it nothing says where the checksum is, so the bytes are believed.
            expected = crc if signature == _DESCRIPTOR_SIGNATURE else self._crc
        if self._crc != expected:
            raise _DamagedMember
