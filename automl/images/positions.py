"""Takes the place where a photo was taken out of its file, and leaves everything else as it is.

Cameras write it as the GPS directory of Exif, which is a small TIFF inside the file, and programs copy it into XMP,
which is text. Both are overwritten where they stand, so pixels, size and all other metadata stay; of a PNG whose text
is compressed, that text is compressed anew.

Exif 2.32, 4.6.6 (GPS); TIFF 6.0 and BigTIFF; XMP part 2, 3.2.2; PNG third edition, 11.3.3 (text) and 11.3.4.5 (eXIf);
WebP container (RFC 9649).
"""

import re
import struct
import zlib
from collections.abc import Iterator

_GPS_DIRECTORY = 0x8825
_POINTS_TO_OTHERS = (0x8769, 0x014A)  # the Exif directory; further pictures
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MAX_ENTRIES = 1_000
_MAX_DIRECTORIES = 1_000
_MAX_TEXT_BYTES = 16 << 20
_IN_XMP = re.compile(rb""":[Gg][Pp][Ss](\w+\s*)(?:=\s*"[^"]*"|=\s*'[^']*'|>[^<]*<)""")
"""Of any vocabulary: Exif's own, and those of makers of drones."""

_EXIF = re.compile(rb"Exif\0\0(?=II|MM)")
_PNG = b"\x89PNG\r\n\x1a\n"
_RAW_PROFILE = b"Raw profile type "
"""How keywords begin under which ImageMagick keeps metadata of other formats in a PNG, as hexadecimal digits."""


def without_position(content: bytes) -> bytes:
    """The same file without the place where it was taken; the same bytes where none is in it.

    Args:
        content: A file of any format. Of JPEG, PNG, WebP and TIFF the place is known to be found.
    """
    if content.startswith(_PNG):
        content = _with_texts_emptied(content)
    changed = bytearray(content)
    for start in _tiffs(content):
        _Tiff(changed, start).forget_gps()
    for found in _IN_XMP.finditer(content):
        # What says that it is GPS stays, so that it is still XML.
        value_at = found.end(1)
        changed[value_at : found.end()] = re.sub(rb"[0-9A-Za-z.,/+-]", b" ", content[value_at : found.end()])
    if changed == content:
        return content
    if content.startswith(_PNG):
        _mend_checksums(changed)
    return bytes(changed)


def _tiffs(content: bytes) -> Iterator[int]:
    """Where each TIFF begins that may be Exif: the file itself, or a part of it."""
    if content[:2] in (b"II", b"MM"):
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


def _with_texts_emptied(content: bytes) -> bytes:
    """A PNG without the place in those of its texts that are compressed, or written as digits."""
    pieces, done = [], 0
    for kind, start, end in _png_chunks(content):
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        text = _text_emptied(kind, content[start:end])
        if text != content[start:end]:
            packed = struct.pack(">I", len(text)) + kind + text + struct.pack(">I", zlib.crc32(kind + text))
            pieces += [content[done : start - 8], packed if text else b""]
            done = end + 4
    return b"".join([*pieces, content[done:]])


def _text_emptied(kind: bytes, data: bytes) -> bytes:
    """The data of a chunk of text without the place; the same where none is in it, empty where nobody can tell."""
    keyword, _, rest = data.partition(b"\0")
    n_flags = {b"tEXt": 0, b"zTXt": 1, b"iTXt": 2}[kind]
    is_packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
    flags, rest = rest[:n_flags], rest[n_flags:]
    if kind == b"iTXt":
        language, _, rest = rest.partition(b"\0")
        translated, _, rest = rest.partition(b"\0")
        flags += language + b"\0" + translated + b"\0"
    text = rest
    if is_packed:
        unpacking = zlib.decompressobj()
        try:
            text = unpacking.decompress(rest, _MAX_TEXT_BYTES)
        except zlib.error:
            return data  # nobody can read it
        if unpacking.unconsumed_tail:
            return b""
    emptied = _profile_emptied(text) if keyword.startswith(_RAW_PROFILE) else without_position(text)
    if emptied == text:
        return data
    return keyword + b"\0" + flags + (zlib.compress(emptied) if is_packed else emptied)


def _profile_emptied(text: bytes) -> bytes:
    """A profile without the place: an empty line, its name, its length, and lines of hexadecimal digits."""
    head, digits = b"\n".join(text.split(b"\n")[:3]), b"".join(text.split(b"\n")[3:])
    try:
        profile = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return text
    emptied = without_position(profile)
    return text if emptied == profile else head + b"\n" + emptied.hex().encode() + b"\n"


class _Tiff:
    """The TIFF that begins at `start` of some bytes, which are changed. What cannot be followed, nobody can read."""

    def __init__(self, content: bytearray, start: int) -> None:
        self._content, self._start = content, start
        order = "<" if content[start : start + 1] == b"I" else ">"
        is_big = 43 in content[start + 2 : start + 4]
        self._pointer = f"{order}{'Q' if is_big else 'I'}"
        self._number = f"{order}{'Q' if is_big else 'H'}"
        self._entry = f"{order}HH{'QQ' if is_big else 'II'}"
        self._first_at = 8 if is_big else 4

    def forget_gps(self) -> None:
        """Empties its GPS directories."""
        try:
            (first,) = struct.unpack_from(self._pointer, self._content, self._start + self._first_at)
        except struct.error:
            return
        waiting, seen = [first], set[int]()
        while waiting and len(seen) < _MAX_DIRECTORIES:
            offset = waiting.pop()
            if offset in seen:
                continue
            seen.add(offset)
            try:
                waiting += self._read(self._start + offset)
            except struct.error:
                continue

    def _read(self, directory: int) -> list[int]:
        """Empties the GPS directories that a directory points to, and returns where the others are."""
        others = []
        entries = self._entries(directory)
        for at in entries:
            tag, kind, count, value = struct.unpack_from(self._entry, self._content, at)
            if tag == _GPS_DIRECTORY:
                self._empty(self._start + value)
            elif tag in _POINTS_TO_OTHERS:
                others += self._pointers(kind, count, value)
        others += struct.unpack_from(self._pointer, self._content, entries.stop)  # the next one
        return others

    def _pointers(self, kind: int, count: int, value: int) -> list[int]:
        """What an entry points to: its value, or the values at the place which that is."""
        if count == 1:
            return [value]
        form = self._pointer if _BYTES_OF_TYPE.get(kind) == struct.calcsize(self._pointer) else f"{self._pointer[0]}I"
        at, step = self._start + value, struct.calcsize(form)
        return [struct.unpack_from(form, self._content, at + step * n)[0] for n in range(min(count, _MAX_DIRECTORIES))]

    def _entries(self, directory: int) -> range:
        (n_entries,) = struct.unpack_from(self._number, self._content, directory)
        first, step = directory + struct.calcsize(self._number), struct.calcsize(self._entry)
        return range(first, first + step * min(n_entries, _MAX_ENTRIES), step)

    def _empty(self, directory: int) -> None:
        content = self._content
        fits = struct.calcsize(self._pointer)
        for at in self._entries(directory):
            _, kind, count, offset = struct.unpack_from(self._entry, content, at)
            n_bytes, start = _BYTES_OF_TYPE.get(kind, 0) * count, self._start + offset
            end = min(start + n_bytes, len(content))
            if n_bytes > fits and start < end:
                content[start:end] = bytes(end - start)
            content[at : at + struct.calcsize(self._entry)] = bytes(struct.calcsize(self._entry))
        struct.pack_into(self._number, content, directory, 0)
