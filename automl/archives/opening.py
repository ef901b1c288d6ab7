"""Opening an archive from unknown hands: nothing in it is believed unread, and no name becomes a path.

The kind of an archive is known by its bytes, not by its name. All kinds are read as a stream: what they hold is counted
while it comes, and of a damaged archive the good files are kept.
"""

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO

from automl.archives.gzip import BrokenOff, Gunzip
from automl.archives.limits import ArchiveLimits, ArchiveMeter
from automl.archives.member import ArchiveMember, ArchiveWalk, folder_of, members_of, refused_member
from automl.archives.stored_names import NameCollector, NameReader, ReadName
from automl.archives.suffixes import ARCHIVE_SUFFIXES, archive_suffix, is_volume
from automl.archives.tar import BLOCK_BYTES, TarWalk, is_tar_header
from automl.archives.zip import ZipWalk, open_zip
from automl.archives.zip_recovery import ZipRecoveryWalk
from automl.errors import BadUpload
from automl.text.messages import archives as archive_messages

_UNPACKED_BYTES_PER_ENTRY = 8 * 1024
"""Room in a packed .tar for the headers and the padding of one file."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK\x03\x04")
_KINDS_NOT_OPENED = {
    b"BZh": ".bz2",
    b"\xfd7zXZ\0": ".xz",
    b"7z\xbc\xaf\x27\x1c": ".7z",
    b"Rar!": ".rar",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"\x04\x22\x4d\x18": ".lz4",
    b"MSCF": ".cab",
}

_MakeWalk = Callable[[ArchiveMeter, ReadName], ArchiveWalk]


def read_archive(source: IO[bytes], name: str, limits: ArchiveLimits) -> Iterator[ArchiveMember]:
    """The files of a .zip, .tar or .tar.gz, without folders and leftovers of the system.

    A member that cannot be had (damaged, a link, itself an archive) says why when it is read. Where an archive breaks
    off, the last member has the archive's own name, and its reason says what was lost.

    Args:
        source: The bytes of the archive, seekable.
        name: The name of the archive. One without any folder inside is itself the folder of all its members.
        limits: What may come out at most, counted while reading.

    Raises:
        BadUpload: It is none of these kinds, one part of several, empty, protected with a password, or nothing in it
            can be read.
        UploadTooLarge: It holds more files or bytes than `limits` allow.
    """
    source.seek(0)
    head = source.read(BLOCK_BYTES)
    if is_volume(name) and not _is_whole_zip(source, limits):
        raise BadUpload(archive_messages.ONE_OF_SEVERAL_VOLUMES)
    if head.startswith(_GZIP):
        return _read_gzip(source, name, limits)
    # A .tar of nothing is zeros from its first byte on.
    if not head.startswith(_ZIP) and (is_tar_header(head) or (head and not any(head))):
        return _read(source, name, kind=".tar", limits=limits, make_walk=partial(_plain_tar, source))
    if kind := _kind_not_opened(head, name):
        raise BadUpload(archive_messages.NOT_OPENED_KIND.format(kind=kind))
    # A .zip that lost its beginning has no head, but perhaps files.
    if head.startswith(_ZIP) or name.lower().endswith(".zip"):
        return read_zip(source, name, limits)
    raise BadUpload(archive_messages.NO_ARCHIVE)


def _kind_not_opened(head: bytes, name: str) -> str:
    """The kind of an archive that is not opened, by its first bytes, else by its name; empty for any other file."""
    by_bytes = next((kind for start, kind in _KINDS_NOT_OPENED.items() if head.startswith(start)), "")
    suffix = archive_suffix(name)
    return by_bytes or ("" if suffix in ARCHIVE_SUFFIXES or head.startswith(_ZIP) else suffix)


def _is_whole_zip(source: IO[bytes], limits: ArchiveLimits) -> bool:
    """Whether what is called a part is all there is: small archives fill the first part only."""
    with open_zip(source, limits) as archive:
        return archive is not None


def _read_gzip(source: IO[bytes], name: str, limits: ArchiveLimits) -> Iterator[ArchiveMember]:
    if archive_suffix(name) == ".gz" and not _holds_tar(source, limits):
        raise BadUpload(archive_messages.ONE_FILE_PACKED)
    return _read(source, name, kind=".tar.gz", limits=limits, make_walk=partial(_packed_tar, source))


def _holds_tar(source: IO[bytes], limits: ArchiveLimits) -> bool:
    source.seek(0)
    meter = ArchiveMeter(kind=".gz", limits=limits, n_archive_bytes=0, extra_bytes=BLOCK_BYTES)
    try:
        return is_tar_header(Gunzip(source, meter).read(BLOCK_BYTES))
    except BrokenOff:
        return False


def read_zip(source: IO[bytes], name: str, limits: ArchiveLimits) -> Iterator[ArchiveMember]:
    """The files of what can only be a .zip, as `read_archive` gives them."""
    with open_zip(source, limits) as archive:
        make_walk: _MakeWalk = partial(ZipRecoveryWalk, source) if archive is None else partial(ZipWalk, archive)
        yield from _read(source, name, kind=".zip", limits=limits, make_walk=make_walk)


def _read(
    source: IO[bytes], name: str, *, kind: str, limits: ArchiveLimits, make_walk: _MakeWalk
) -> Iterator[ArchiveMember]:
    n_archive_bytes = source.seek(0, io.SEEK_END)
    # The whole archive is walked over twice: whether it has folders, and what its names are written in, must be known
    # before its first file has a name.
    collector = NameCollector()
    for _ in make_walk(ArchiveMeter(kind=kind, limits=limits, n_archive_bytes=n_archive_bytes), collector):
        pass
    read_name = NameReader(collector.names, is_utf8_usual=kind != ".zip")
    folder = folder_of(name, map(read_name, collector.names))
    meter = ArchiveMeter(kind=kind, limits=limits, n_archive_bytes=n_archive_bytes)
    walk = make_walk(meter, read_name)
    n_members = 0
    for member in members_of(walk, folder, meter):
        n_members += 1
        yield member
    if n_members == 0:
        words = archive_messages.DAMAGED if walk.damage else archive_messages.NO_FILES
        raise BadUpload(words.format(kind=kind))
    if remarks := " ".join(filter(None, (walk.damage, read_name.note))):
        yield refused_member(name, remarks)


def _plain_tar(source: IO[bytes], meter: ArchiveMeter, read_name: ReadName) -> TarWalk:
    n_archive_bytes = source.seek(0, io.SEEK_END)
    source.seek(0)
    return TarWalk(source, meter, read_name, n_archive_bytes=n_archive_bytes)


def _packed_tar(source: IO[bytes], meter: ArchiveMeter, read_name: ReadName) -> TarWalk:
    n_archive_bytes = source.seek(0, io.SEEK_END)
    source.seek(0)
    # Headers and padding come out of the gzip as well, so it has a meter of its own, with room for them.
    extra_bytes = meter.limits.max_entries * _UNPACKED_BYTES_PER_ENTRY
    unpacked = ArchiveMeter(
        kind=meter.kind, limits=meter.limits, n_archive_bytes=n_archive_bytes, extra_bytes=extra_bytes
    )
    return TarWalk(Gunzip(source, unpacked), meter, read_name)
