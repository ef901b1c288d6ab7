"""Archives made for the tests, good and bad, and what becomes of them."""

import gzip
import io
import tarfile
from collections.abc import Mapping
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
