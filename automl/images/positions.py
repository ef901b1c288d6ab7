"""Takes the place where a photo was taken out of its file, and leaves everything else as it is.

Cameras write it as the GPS directory of Exif, which is a small TIFF inside the file, and programs copy it into XMP,
which is text. Both are overwritten where they stand, so pixels, size and all other metadata stay.

Exif 2.32, 4.6.6 (GPS); XMP part 2, 3.2.2; PNG third edition, 11.3.4.5 (eXIf); WebP container (RFC 9649).
"""

import re
import struct
import zlib
from collections.abc import Iterator

_GPS_DIRECTORY = 0x8825
_ENTRY_BYTES = 12
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_MAX_ENTRIES = 1_000
_IN_XMP = re.compile(rb"""exif:GPS\w+\s*(?:=\s*"[^"]*"|=\s*'[^']*'|>[^<]*<)""")
_EXIF = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_PNG = b"\x89PNG\r\n\x1a\n"


def without_position(content: bytes) -> bytes:
    """The same file without the place where it was taken; the same bytes where none is in it.

    Args:
        content: A file of any format. Of JPEG, PNG, WebP and TIFF the place is known to be found.
    """
    changed = bytearray(content)
    for start in _tiffs(content):
        _forget_gps(changed, start)
    for found in _IN_XMP.finditer(content):
        text = found.group()
        blank = re.sub(rb"[0-9A-Za-z.,/+-]", b" ", text[8:])  # what says that it is GPS stays, so that it is still XML
        name = re.match(rb"\w+", text[8:])
        kept = name.end() if name else 0
        changed[found.start() : found.end()] = text[: 8 + kept] + blank[kept:]
    if changed == content:
        return content
    if content.startswith(_PNG):
        _mend_checksums(changed)
    return bytes(changed)


def _tiffs(content: bytes) -> Iterator[int]:
    """Where each TIFF begins that may be Exif: the file itself, or a part of it."""
    if content[:4] in (b"II*\0", b"MM\0*"):
        yield 0
    elif content.startswith(_PNG):
        yield from (start for kind, start, _ in _png_chunks(content) if kind == b"eXIf")
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        yield from _webp_exif(content)
    yield from (found.end() for found in _EXIF.finditer(content))


def _png_chunks(content: bytes | bytearray) -> Iterator[tuple[bytes, int, int]]:
    """Kind, beginning and end of the data of each chunk."""
    at = len(_PNG)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        if at + 12 + length > len(content):
            return
        yield bytes(content[at + 4 : at + 8]), at + 8, at + 8 + length
        at += 12 + length


def _webp_exif(content: bytes) -> Iterator[int]:
    at = 12
    while at + 8 <= len(content):
        (length,) = struct.unpack_from("<I", content, at + 4)
        if content[at : at + 4] == b"EXIF":
            yield at + 8
        at += 8 + length + length % 2


def _mend_checksums(content: bytearray) -> None:
    for _, start, end in list(_png_chunks(content)):
        struct.pack_into(">I", content, end, zlib.crc32(content[start - 4 : end]))


def _forget_gps(content: bytearray, start: int) -> None:
    """Empties the GPS directories of a TIFF that begins at `start`. What cannot be followed, nobody else can read."""
    order = "<" if content[start : start + 1] == b"I" else ">"
    try:
        (first,) = struct.unpack_from(f"{order}I", content, start + 4)
        for entry in _entries(content, start + first, order):
            tag, _, _, offset = struct.unpack_from(f"{order}HHII", content, entry)
            if tag == _GPS_DIRECTORY:
                _empty(content, start, start + offset, order)
    except struct.error:
        return


def _entries(content: bytearray, directory: int, order: str) -> range:
    (n_entries,) = struct.unpack_from(f"{order}H", content, directory)
    first = directory + 2
    return range(first, first + _ENTRY_BYTES * min(n_entries, _MAX_ENTRIES), _ENTRY_BYTES)


def _empty(content: bytearray, start: int, directory: int, order: str) -> None:
    for entry in _entries(content, directory, order):
        _, kind, count, offset = struct.unpack_from(f"{order}HHII", content, entry)
        n_bytes = _BYTES_OF_TYPE.get(kind, 0) * count
        end = min(start + offset + n_bytes, len(content))
        if n_bytes > 4 and start + offset < end:
            content[start + offset : end] = bytes(end - start - offset)
        content[entry : entry + _ENTRY_BYTES] = bytes(_ENTRY_BYTES)
    struct.pack_into(f"{order}H", content, directory, 0)
