"""Reading an archive that anybody may have made: nothing in it is believed unread, and no name becomes a path.

Which kind it is, its bytes say, not its name. All kinds are read as a stream: what they hold is counted as it comes,
and of a damaged one the good files are kept.
"""

import io
from collections.abc import Callable, Iterator
from typing import IO

from automl.archives.gzip import Gunzip
from automl.archives.member import (
    ARCHIVE_SUFFIXES,
    ArchiveLimits,
    Count,
    Member,
    Walk,
    folder_of,
    is_archive,
    members_of,
    refused_member,
    without_suffix,
)
from automl.archives.tar import BLOCK_BYTES, TarWalk, is_tar_header
from automl.archives.zip import ZipDirectory, open_zip
from automl.archives.zip_recovery import ZipScan
from automl.errors import BadUpload

__all__ = [
    "ARCHIVE_SUFFIXES",
    "ArchiveLimits",
    "Member",
    "is_archive",
    "read_archive",
    "read_zip",
    "without_suffix",
]

_UNPACKED_BYTES_PER_ENTRY = 8 * 1024
"""Room in a packed .tar for the headers and the padding of one file."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER_KINDS = {
    b"BZh": ".bz2",
    b"\xfd7zXZ\0": ".xz",
    b"7z\xbc\xaf\x27\x1c": ".7z",
    b"Rar!": ".rar",
    b"\x28\xb5\x2f\xfd": ".zst",
}

_MakeWalk = Callable[[Count], Walk]


def read_archive(source: IO[bytes], name: str, limits: ArchiveLimits) -> Iterator[Member]:
    """The files of the .zip, .tar or .tar.gz `source` (seekable); folders and system leftovers are passed over.

    A member that cannot be had (damaged, a link, an archive itself) says why when it is read. Where an archive breaks
    off, the last member has the archive's own name, and says what was lost.

    `name`: the archive's own. One without any folder inside is itself the folder of all its members.

    Raises:
        BadUpload: none of these kinds, empty, protected with a password, or nothing in it can be read.
        UploadTooLarge: more files or bytes than `limits`, counted while reading.
    """
    source.seek(0)
    head = source.read(BLOCK_BYTES)
    if head.startswith(_GZIP):
        return _read(source, name, ".tar.gz", limits, lambda count: TarWalk(_gunzipped(source, count), count))
    if not head.startswith(_ZIP) and (is_tar_header(head) or (head and not any(head))):
        return _read(source, name, ".tar", limits, lambda count: TarWalk(source, count, source.seek(0, io.SEEK_END)))
    for start, kind in _OTHER_KINDS.items():
        if head.startswith(start):
            raise BadUpload(f"This is a {kind} file, which cannot be opened here. Make a .zip or a .tar.gz instead.")
    if head.startswith(_ZIP) or name.lower().endswith(".zip"):
        return read_zip(source, name, limits)
    raise BadUpload("This is no .zip, .tar or .tar.gz, or it is damaged. Make it again, or send the folder itself.")


def read_zip(source: IO[bytes], name: str, limits: ArchiveLimits) -> Iterator[Member]:
    """As `read_archive`, of what can only be a .zip."""
    with open_zip(source, limits) as archive:
        if archive is not None:
            yield from _read(source, name, ".zip", limits, lambda count: ZipDirectory(archive, count))
        else:
            yield from _read(source, name, ".zip", limits, lambda count: ZipScan(source, count))


def _read(source: IO[bytes], name: str, kind: str, limits: ArchiveLimits, make_walk: _MakeWalk) -> Iterator[Member]:
    n_archive_bytes = source.seek(0, io.SEEK_END)
    folder = folder_of(name, make_walk(Count(kind, limits, n_archive_bytes)))
    count = Count(kind, limits, n_archive_bytes)
    walk = make_walk(count)
    n_members = 0
    for member in members_of(walk, folder, count):
        n_members += 1
        yield member
    if n_members == 0 and walk.damage:
        raise BadUpload(f"This {kind} is damaged or incomplete. Make it again, or send the folder itself.")
    if n_members == 0:
        raise BadUpload(f"There is no file in this {kind}.")
    if walk.damage:
        yield refused_member(name, walk.damage)


def _gunzipped(source: IO[bytes], count: Count) -> Gunzip:
    n_archive_bytes = source.seek(0, io.SEEK_END)
    source.seek(0)
    extra_bytes = count.limits.max_entries * _UNPACKED_BYTES_PER_ENTRY
    return Gunzip(source, Count(count.kind, count.limits, n_archive_bytes, extra_bytes))
