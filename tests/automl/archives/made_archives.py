"""Archives made for the tests, good and bad, and what becomes of them."""

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_archive
from automl.errors import BadUpload

LIMITS = ArchiveLimits(max_files=100, max_bytes=10_000_000)
END = bytes(1024)


@dataclass
class Unpacked:
    """What came out. `refused`: why, by name."""

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def unpacked(content: bytes, name: str = "pets.tar", limits: ArchiveLimits = LIMITS) -> Unpacked:
    found = Unpacked()
    for member in read_archive(io.BytesIO(content), name, limits):
        try:
            found.files[member.name] = member.stream.read()
        except BadUpload as error:
            found.refused[member.name] = error.message
    return found


def entry(name: str, content: bytes = b"", **values: object) -> bytes:
    """One entry of a .tar: header, contents, padding. `values`: fields of `tarfile.TarInfo`."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in values.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT) + padded(content)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def tarred(files: Mapping[str, bytes]) -> bytes:
    return b"".join(entry(name, content) for name, content in files.items()) + END


def tarred_by_tarfile(files: Mapping[str, bytes], form: int) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1.5
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 6, mtime=0)


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """A file in a .zip, byte by byte as a program writes it.

    `flags`: bit 0 for a password, bit 11 for UTF-8. `attributes`: 0x10 for a folder of DOS.
    """

    name: bytes
    content: bytes = b""
    extra: bytes = b""
    flags: int = 0
    method: int = 0
    attributes: int = 0


def zipped_raw(files: Sequence[RawFile], *, disk: int = 0) -> bytes:
    """A .zip of names in any code page. disk: the number of this part, if the archive is the last of several."""
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


def unicode_path(name: str, raw: bytes, *, crc: int | None = None) -> bytes:
    """The extra field of Info-ZIP that holds the name in Unicode."""
    path = name.encode()
    return struct.pack("<HHBL", 0x7075, 5 + len(path), 1, zlib.crc32(raw) if crc is None else crc) + path
