"""The names of files as they stand in an archive, and what they say once all of them have been seen.

Many programs write names in the code page of the computer that they run on, and do not say which one that is.
"""

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from automl.text.code_pages import guess_code_page
from automl.text.messages import archives as archive_messages

_UNICODE_PATH_FIELD, _UNICODE_PATH_VERSION = 0x7075, 1
_FIELD, _UNICODE_PATH = struct.Struct("<HH"), struct.Struct("<BL")

_MAX_COLLECTED_BYTES, _MAX_NAME_BYTES = 32 << 20, 4000
_MAX_BROKEN_SHARE = 0.1
"""Where no more names than these are no UTF-8, they are damaged and the others are UTF-8."""

_N_EXAMPLES = 3
_NO_FOLDER = "＼"
"""Looks like a backslash, and is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredName:
    """The name of a file in an archive.

    Attributes:
        raw: Its bytes.
        text: What it says, where the archive tells how its bytes are meant; None where it does not.
    """

    raw: bytes
    text: str | None = None


ReadName = Callable[[StoredName], str]
"""How a walk over an archive makes text of names."""


class NameReader:
    """Reads the names of one archive: those that do not say what they are written in as the others of their kind.

    Args:
        names: All of them.
        is_utf8_usual: Whether names that can be UTF-8 are UTF-8: then no few of them are taken for chance.

    Attributes:
        note: A sentence for people where it could not be told what the names were written in; empty where it could.
    """

    def __init__(self, names: Iterable[StoredName] = (), *, is_utf8_usual: bool = True) -> None:
        unknown = list(dict.fromkeys(name.raw for name in names if name.text is None and not name.raw.isascii()))
        self._codec, self._is_sure, self.note = "utf-8", True, ""
        utf8 = [raw for raw in unknown if _is_utf8(raw)]
        if len(utf8) >= (1 - _MAX_BROKEN_SHARE) * len(unknown):
            # Short names in a code page can be UTF-8 by chance.
            unknown = [] if is_utf8_usual else utf8
        if unknown:
            guess = guess_code_page(unknown)
            self._codec, self._is_sure = guess.codec, guess.is_sure
            if not guess.is_sure:
                self.note = self._doubt(guess.name, unknown)

    def __call__(self, name: StoredName) -> str:
        text = name.text if name.text is not None else name.raw.decode(self._codec, "replace")
        text = text.split("\0", 1)[0] or text
        return text if self._is_sure or name.text is not None else _without_doubtful_folders(text)

    def _doubt(self, code_page: str, names: list[bytes]) -> str:
        texts = [self(StoredName(raw=raw)) for raw in names[:_N_EXAMPLES]]
        examples = ", ".join(archive_messages.EXAMPLE.format(name=text) for text in texts)
        return archive_messages.UNKNOWN_CODE_PAGE.format(code_page=code_page, examples=examples)


class NameCollector:
    """Keeps the names of an archive while it is walked over for the first time.

    Attributes:
        names: All different ones, as far as they are of a sensible length and number.
    """

    def __init__(self) -> None:
        self.names: dict[StoredName, None] = {}
        self._n_bytes = 0

    def __call__(self, name: StoredName) -> str:
        """Keeps the name. Its text is not to be shown: only what is ASCII in it is certain."""
        if len(name.raw) <= _MAX_NAME_BYTES and self._n_bytes < _MAX_COLLECTED_BYTES and name not in self.names:
            self.names[name] = None
            self._n_bytes += len(name.raw)
        return name.text if name.text is not None else name.raw.decode("utf-8", "replace")


def utf8_or_unknown(raw: bytes) -> StoredName:
    """A name of which the archive says that it is UTF-8. Where it is not, nothing is known."""
    return StoredName(raw=raw, text=raw.decode() if _is_utf8(raw) else None)


def zip_name(raw: bytes, extra: bytes, *, is_utf8: bool) -> StoredName:
    """The name of a file in a .zip.

    Args:
        raw: Its bytes, as they stand in the header.
        extra: The extra fields of the header, of which one may hold the name in Unicode.
        is_utf8: Whether the header says that the name is UTF-8.
    """
    if is_utf8:
        return utf8_or_unknown(raw)
    return StoredName(raw=raw, text=_unicode_path(raw, extra))


def _unicode_path(raw: bytes, extra: bytes) -> str | None:
    """The name in Info-ZIP's Unicode Path field. A field that was made for another name does not count."""
    while len(extra) >= _FIELD.size:
        kind, n_bytes = _FIELD.unpack_from(extra)
        field, extra = extra[_FIELD.size : _FIELD.size + n_bytes], extra[_FIELD.size + n_bytes :]
        if kind != _UNICODE_PATH_FIELD or len(field) <= _UNICODE_PATH.size:
            continue
        version, crc = _UNICODE_PATH.unpack_from(field)
        path = field[_UNICODE_PATH.size :]
        if version == _UNICODE_PATH_VERSION and crc == zlib.crc32(raw) and _is_utf8(path):
            return path.decode()
    return None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_doubtful_folders(text: str) -> str:
    """A backslash behind a foreign letter may be the second half of it, so it makes no folder."""
    return "".join(
        _NO_FOLDER if letter == "\\" and not before.isascii() else letter
        for before, letter in zip(" " + text, text, strict=False)
    )
