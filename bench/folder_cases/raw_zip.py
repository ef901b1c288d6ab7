"""A .zip written byte by byte, as programs write it that Python's library does not imitate."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """A file in a .zip.

    Attributes:
        name: In any code page.
        content: Stored as it is.
        extra: The extra fields of its headers.
        flags: Bit 0 for a password, bit 11 for UTF-8.
        method: How it claims to be packed.
        attributes: 0x10 for a folder of DOS.
    """

    name: bytes
    content: bytes = b""
    extra: bytes = b""
    flags: int = 0
    method: int = 0
    attributes: int = 0


def zipped_raw(files: Sequence[RawFile], *, disk: int = 0) -> bytes:
    """The .zip. disk: the number of this part, if the archive is the last of several."""
    out = directory = b""
    for file in files:
        sizes = zlib.crc32(file.content), len(file.content), len(file.content), len(file.name), len(file.extra)
        common = struct.pack("<5H3L2H", 20, file.flags, file.method, 0, 0x21, *sizes)
        at = len(out)
        out += b"PK\3\4" + common + file.name + file.extra + file.content
        directory += b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<3H2L", 0, 0, 0, file.attributes, at)
        directory += file.name + file.extra
    n = len(files)
    return out + directory + struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, n, n, len(directory), len(out), 0)


def unicode_path(name: str, raw: bytes) -> bytes:
    """The extra field of Info-ZIP that holds the Unicode name of the file with the name `raw`."""
    path = name.encode()
    return struct.pack("<HHBL", 0x7075, 5 + len(path), 1, zlib.crc32(raw)) + path
