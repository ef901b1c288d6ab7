"""The letters of a table, in whatever encoding the program that wrote it has saved them."""

import codecs
import re
import unicodedata
from collections.abc import Sequence

from charset_normalizer.md import mess_ratio

from automl.text.code_pages import guess_code_page

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What stands at the beginning of a text in Unicode, and its encoding."""

_LEGACY = {
    "cp1252": "Windows-1252 (Western European)",
    "mac_roman": "Mac Roman (Western European)",
    "cp850": "cp850 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "iso8859_2": "ISO 8859-2 (Central European)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp932": "Shift-JIS (Japanese)",
    "gb18030": "GBK (Chinese)",
    "cp950": "Big5 (traditional Chinese)",
    "cp949": "EUC-KR (Korean)",
    "cp1251": "Windows-1251 (Russian)",
    "koi8_r": "KOI8-R (Russian)",
    "cp1253": "Windows-1253 (Greek)",
}
"""Encodings that are no Unicode, the likeliest first, and what people call them."""

_N_SNIFFED_BYTES, _MOST_CELLS = 2_000_000, 1_000
_CELL = re.compile(rb"[^\x00-\x1f\",;]+")
"""What may be a cell. None of these bytes is a part of a letter in any of the encodings."""


def decoded(content: bytes, names: Sequence[str] = ()) -> tuple[str, str]:
    """The text of a table, and what its letters were read as, in words for people; these are empty for Unicode.

    Args:
        content: All of it.
        names: Those of the files beside it: in the right encoding, the table may name some of them.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace"), ""
    if encoding := _wide_encoding(content[:_N_SNIFFED_BYTES]):
        return content.decode(encoding, "replace"), ""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    cells = _foreign_cells(content)
    if 10 * sum(_is_utf8(cell) for cell in cells) >= 9 * len(cells):
        return content.decode("utf-8", "replace"), ""  # a few letters are damaged
    encoding, name = _legacy_encoding(cells, names)
    return content.decode(encoding, "replace"), name


def _wide_encoding(content: bytes) -> str:
    """UTF-16 without a mark: every other byte of what is written in ASCII, such as names of files, is zero."""
    for encoding, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if 3 * zeros.count(0) > len(zeros):
            return encoding
    return ""


def _foreign_cells(content: bytes) -> list[bytes]:
    """The different cells with letters beyond ASCII."""
    cells: dict[bytes, None] = {}
    for found in _CELL.finditer(content, 0, _N_SNIFFED_BYTES):
        if not found[0].isascii():
            cells[found[0].strip()] = None
            if len(cells) == _MOST_CELLS:
                break
    return list(cells)


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _legacy_encoding(cells: Sequence[bytes], names: Sequence[str]) -> tuple[str, str]:
    """The encoding in which most cells name files and the others look most like words, and what people call it."""
    known = {part for name in names if not name.isascii() for part in _parts(name)}
    best, best_score = "cp1252", (0, float("-inf"))
    for encoding in _LEGACY:
        try:
            texts = [cell.decode(encoding) for cell in cells]
        except UnicodeDecodeError:
            continue
        n_known = sum(not known.isdisjoint(_parts(text)) for text in texts) if known else 0
        score = n_known, -_oddness(texts, encoding)
        if score > best_score:
            best, best_score = encoding, score
    if best_score[0] == 0 and best not in _LATIN:
        # Languages of other scripts are told apart by the frequency of their letters.
        guess = guess_code_page(cells)
        if guess.is_sure:
            return guess.codec, guess.name
    return best, _LEGACY[best]


def _parts(name: str) -> set[str]:
    """The parts of a path that are not written in ASCII, with and without an ending, as they are compared."""
    parts = re.split(r"[/\\]", unicodedata.normalize("NFC", name).lower())
    return {text for part in parts if not part.isascii() for text in (part.strip(), part.rpartition(".")[0].strip())}


def _oddness(texts: Sequence[str], encoding: str) -> float:
    """How little texts look like words: 0 for ordinary ones, about 1 for each letter that is out of place."""
    words = [word for word in set(re.split(r"[\s_.\-/\\]+", " ".join(texts))) if not word.isascii()]
    letters = {letter for word in words for letter in word.lower() if not letter.isascii() and letter not in _SIGNS}
    # Of alphabets that explain the letters, the earlier one is the likelier.
    foreign = min(0.02 * rank + 0.6 * len(letters - alphabet) for rank, alphabet in enumerate(_ALPHABETS))
    return (
        _PRIORS.get(encoding, 0.0)
        + (foreign if encoding in _LATIN else 0.0)
        + sum(_oddness_of_word(word, encoding) for word in words)
        + mess_ratio(" ".join(word for word in words if any(map(str.isalpha, word))), 1.0)
    )


def _oddness_of_word(word: str, encoding: str) -> float:
    oddness, before = 0.0, ""
    for letter in word:
        if not letter.isascii() or not before.isascii():
            oddness += _oddness_of_letter(letter, before, encoding)
        before = letter
    is_without_ascii = len(word) > 2 and word.isalpha() and not any(map(str.isascii, word))
    is_lone_letter = len(word) == 1 and word.isalpha() and encoding not in _ROWS
    return oddness + 0.5 * is_lone_letter + float(is_without_ascii and (encoding in _LATIN or word.isupper()))


def _oddness_of_letter(letter: str, before: str, encoding: str) -> float:
    if letter.isascii():
        return float(letter.isalpha() and before.isalpha() and encoding not in _LATIN)
    if not letter.isprintable():
        return 3.0
    if not letter.isalpha():
        if letter in _SIGNS:
            return 0.0 if letter in "’ー" else 0.3 * before.isalpha()
        return 1.0 if before.isalnum() else 0.3
    if letter.isupper() and before.islower():
        return 1.0
    change = float(before.isalpha() and before.isascii() and encoding not in _LATIN)
    return change + _rarity(letter, encoding)


def _rarity(letter: str, encoding: str) -> float:
    """How rare a character of an East Asian script is, by its row in the table of the standard."""
    rows = _ROWS.get(encoding)
    if rows is None:
        return 0.0
    code = letter.encode(encoding, "replace")
    return next((oddness for first, last, oddness in rows if len(code) == 2 and first <= code[0] <= last), 0.8)


_SIGNS = frozenset("’ー€°²³µ–")
"""What may stand beside letters and digits in any word."""

_LATIN = frozenset({"cp1252", "mac_roman", "cp850", "cp1250", "iso8859_2", "cp1254"})
_ALPHABETS = tuple(
    map(
        frozenset,
        (
            *("äöüß", "àâæçéèêëîïôœùûüÿ’", "áéíñóúü¿¡ºª", "áâãàçéêíóôõú", "àèéìíîòóù", "åäöéæø", "áéëïóöü"),
            *("çğıöşüâîi̇", "ąćęłńóśźż", "áčďéěíňóřšťúůýžäĺľôŕ", "áéíóöőúüű", "čćđšž", "ăâîșțşţ", "áðéíóúýþæö"),
        ),
    )
)
"""The letters that languages have beyond ASCII, those of the most frequent languages first."""

_PRIORS = {"mac_roman": 0.15, "cp850": 0.2, "iso8859_2": 0.15, "koi8_r": 0.2}
"""How odd an encoding is by itself."""

# First and last first byte of characters, and how odd they are: frequent characters stand in the first rows.
_ROWS = {
    "cp932": ((0x82, 0x83, 0.0), (0x81, 0x81, 0.1), (0x88, 0x97, 0.05), (0x98, 0xEA, 0.4)),
    "gb18030": ((0xB0, 0xD7, 0.1), (0xD8, 0xF7, 0.4)),
    "cp950": ((0xA4, 0xC6, 0.15), (0xC9, 0xF9, 0.5)),
    "cp949": ((0xB0, 0xC8, 0.1), (0xCA, 0xFD, 0.5)),
}
