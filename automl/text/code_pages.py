"""Which code page names or words were written in, where the file that holds them does not say it.

Each code page is read as the language that was written with it, and the reading is taken that is the least surprising
one over all names together: the letters are frequent ones of that language, of one script within a word, with capitals
where words begin (the character distribution method of Li and Momoi, "A composite approach to language/encoding
detection", 2001). Names are short, so a close second means that it cannot be told.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import log2

from automl.text import frequent_characters as frequent

_MOST_PIECES = 400
"""So many different words are enough to tell a code page."""

_SURE_BITS = 8.0
"""How much less likely the next reading must be: 2^8 times."""

_ASCII_BITS = 5.0
_SCRIPT_CHANGE_BITS = 6.0
_LONE_ACCENT_BITS = 5.0
_ODD_CAPITAL_BITS = 8.0
_SECOND_ACCENT_BITS, _NO_TURN_BITS = 4.0, 2.0
_SHARE_OF_ACCENTS = 0.05
_VOWELS = frozenset("aeiouyæøœı")
_SYMBOL_BITS, _USUAL_SYMBOL_BITS, _CONTROL_BITS = 16.0, 11.0, 30.0
_RARE_LETTER_BITS = 13.0
_USUAL_SYMBOLS = frozenset("°²³µ×№–—’‘“”…·•（）【】、。，・「」")

# No byte below 0x40 is a part of a letter in any of the code pages.
_BETWEEN_WORDS = re.compile(rb"[\x00-\x3f]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodePage:
    """A code page, and the language that is written with it.

    Attributes:
        codec: What Python calls it.
        name: What people call it.
        letters: What the letters of the language cost, in bits: the negative logarithm of their frequency.
        other_bits: What any other letter costs, by its bytes.
        rarity_bits: How seldom archives are written with it, in bits.
    """

    codec: str
    name: str
    letters: Mapping[str, float]
    other_bits: Callable[[bytes], float] = lambda _: _RARE_LETTER_BITS
    rarity_bits: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePageGuess:
    """What the names were most likely written in.

    Attributes:
        codec: What Python calls the code page.
        name: What people call it.
        is_sure: Whether no other code page gives other names that are nearly as likely.
    """

    codec: str
    name: str
    is_sure: bool


def guess_code_page(names: Collection[bytes]) -> CodePageGuess:
    """The code page in which names were most likely written, by all of them together.

    Args:
        names: As they stand in the archive, each with bytes above 127.
    """
    pieces = _pieces(names)
    readings = {page: reading for page in _CODE_PAGES if (reading := _decoded(names, page.codec)) is not None}
    costs = {page: page.rarity_bits + sum(_cost(piece, page) for piece in pieces) for page in readings}
    best = min(costs, key=lambda page: costs[page])
    # Another code page with the same letters in the same places is no other reading.
    others = [costs[page] for page, reading in readings.items() if reading != readings[best]]
    is_sure = min(others, default=float("inf")) - costs[best] >= _SURE_BITS and costs[best] < _chance_bits(pieces)
    return CodePageGuess(codec=best.codec, name=best.name, is_sure=is_sure)


def _chance_bits(pieces: Iterable[bytes]) -> float:
    """How surprising any bytes are: what is no better in any language is in none that is known here."""
    return 8.0 * sum(map(len, pieces))


def _pieces(names: Iterable[bytes]) -> list[bytes]:
    """The different words in names that have a byte above 127. A word that comes again says nothing new."""
    pieces: dict[bytes, None] = {}
    for name in names:
        pieces |= dict.fromkeys(piece for piece in _BETWEEN_WORDS.split(name) if not piece.isascii())
        if len(pieces) >= _MOST_PIECES:
            break
    return list(pieces)[:_MOST_PIECES]


def _decoded(names: Collection[bytes], codec: str) -> list[str] | None:
    try:
        return [name.decode(codec) for name in names]
    except UnicodeDecodeError:
        return None


def _cost(piece: bytes, page: CodePage) -> float:
    """How surprising a word is, in bits, as one of the language of the code page."""
    text = piece.decode(page.codec)
    cost, before = 0.0, ""
    for letter in text:
        cost += _letter_bits(letter, page) + _neighbour_bits(before, letter)
        before = letter
    return cost + (_LONE_ACCENT_BITS if _has_lone_accents(text) else 0.0)


def _has_lone_accents(text: str) -> bool:
    """Whether all Latin letters of a word have accents."""
    latin = [letter for letter in text if _is_latin(letter)]
    return bool(latin) and not any(letter.isascii() for letter in latin)


@lru_cache(maxsize=1 << 16)
def _letter_bits(letter: str, page: CodePage) -> float:
    if letter.isascii():
        return _ASCII_BITS if letter.isprintable() else _CONTROL_BITS
    if (bits := page.letters.get(letter.lower())) is not None:
        return bits
    if letter in _USUAL_SYMBOLS:
        return _USUAL_SYMBOL_BITS
    if not letter.isprintable():
        return _CONTROL_BITS
    code = letter.encode(page.codec)
    if _is_letter(letter):
        return page.other_bits(code)
    return _SYMBOL_BITS if len(code) == 1 else 1.5 * _SYMBOL_BITS


def _neighbour_bits(before: str, letter: str) -> float:
    """How surprising it is that a letter follows another one."""
    if not _is_letter(before) or not _is_letter(letter):
        return 1.0 if letter.isupper() and not letter.isascii() else 0.0
    if _is_latin(before) != _is_latin(letter):
        return _SCRIPT_CHANGE_BITS
    return _accent_bits(before, letter) + _capital_bits(before, letter)


def _accent_bits(before: str, letter: str) -> float:
    """How surprising two letters are of which one has an accent: vowels and consonants mostly take turns."""
    if not _is_latin(letter) or (before.isascii() and letter.isascii()):
        return 0.0
    two_accents = _SECOND_ACCENT_BITS if not before.isascii() and not letter.isascii() else 0.0
    return two_accents + (_NO_TURN_BITS if _is_vowel(before) == _is_vowel(letter) else 0.0)


@lru_cache(maxsize=1 << 12)
def _is_vowel(letter: str) -> bool:
    return unicodedata.normalize("NFD", letter.lower())[:1] in _VOWELS


@lru_cache(maxsize=1 << 16)
def _is_latin(letter: str) -> bool:
    return letter.isalpha() and (letter.isascii() or unicodedata.name(letter, "").startswith("LATIN"))


@lru_cache(maxsize=1 << 16)
def _is_letter(letter: str) -> bool:
    """Also what stands above and below the letters of Thai."""
    return unicodedata.category(letter)[0] in "LM" if letter else False


def _capital_bits(before: str, letter: str) -> float:
    if before.isascii() and letter.isascii():
        return 0.0  # the same in every code page
    return _ODD_CAPITAL_BITS if before.islower() and letter.isupper() else 0.0


def _by_frequency(letters: str, *, share: float, flatness: float) -> dict[str, float]:
    """What letters cost that are ordered by frequency and make up this share of all; Zipf's law, flattened at its top.

    Args:
        flatness: How many of the first letters are about equally frequent.
    """
    weights = {letter: 1 / (rank + flatness) for rank, letter in enumerate(letters)}
    total = sum(weights.values()) / share
    return {letter: -log2(weight / total) for letter, weight in weights.items()}


def _accents(letters: str) -> dict[str, float]:
    """What the letters cost that a Latin language has beside those of ASCII."""
    return _by_frequency(letters, share=_SHARE_OF_ACCENTS, flatness=2)


def _in_rows(*rows: tuple[int, int, int, float], otherwise: float) -> Callable[[bytes], float]:
    """The cost of a letter by its first byte (from, to) and its second one (from)."""

    def bits(code: bytes) -> float:
        for first, last, least_second, cost in rows:
            if len(code) == 2 and first <= code[0] <= last and code[1] >= least_second:
                return cost
        return otherwise

    return bits


_SIMPLIFIED = _by_frequency(frequent.SIMPLIFIED_CHINESE, share=0.85, flatness=150)
_TRADITIONAL = _by_frequency(frequent.TRADITIONAL_CHINESE, share=0.8, flatness=150)
_HANGUL = _by_frequency(frequent.KOREAN, share=0.97, flatness=40)
_JAPANESE = _by_frequency(frequent.KANA, share=0.6, flatness=20) | _by_frequency(
    frequent.KANJI, share=0.3, flatness=150
)
_CYRILLIC = _by_frequency(frequent.CYRILLIC, share=0.98, flatness=5)
_WESTERN = (
    *(frequent.GERMAN, frequent.FRENCH, frequent.SPANISH, frequent.PORTUGUESE, frequent.ITALIAN, frequent.NORDIC),
)
_CENTRAL = (
    *(frequent.POLISH, frequent.CZECH, frequent.HUNGARIAN, frequent.ROMANIAN, frequent.CROATIAN, frequent.GERMAN),
)
_BALTIC = (frequent.LITHUANIAN, frequent.LATVIAN, frequent.ESTONIAN)
_GREEK = _by_frequency(frequent.GREEK, share=0.98, flatness=5)
_HEBREW = _by_frequency(frequent.HEBREW, share=0.98, flatness=5)
_ARABIC = _by_frequency(frequent.ARABIC, share=0.98, flatness=5)
_THAI = _by_frequency(frequent.THAI, share=0.98, flatness=8)

# The rows of a table for a first and a second byte: frequent characters, rare ones, and later additions.
_GBK_ROWS = _in_rows((0xB0, 0xD7, 0xA1, 14.0), (0xD8, 0xF7, 0xA1, 18.0), otherwise=21.0)
_BIG5_ROWS = _in_rows((0xA4, 0xC6, 0x40, 14.5), (0xC9, 0xF9, 0x40, 18.0), otherwise=22.0)
_SHIFT_JIS_ROWS = _in_rows((0x88, 0x97, 0x40, 15.0), (0x98, 0xEA, 0x40, 18.5), otherwise=16.0)
_EUC_JP_ROWS = _in_rows((0xB0, 0xCF, 0xA1, 15.0), (0xD0, 0xF4, 0xA1, 18.5), otherwise=17.0)
_KOREAN_ROWS = _in_rows((0xB0, 0xC8, 0xA1, 15.0), otherwise=19.0)


def _syllabic(
    codec: str, name: str, letters: Mapping[str, float], rows: Callable[[bytes], float], *, rarity_bits: float = 0.0
) -> CodePage:
    return CodePage(codec=codec, name=name, letters=letters, other_bits=rows, rarity_bits=rarity_bits)


def _latin(codec: str, name: str, *languages: str, rarity_bits: float) -> tuple[CodePage, ...]:
    """A code page once for each language, since one that uses the accents of all of them at once does not exist."""
    return tuple(
        CodePage(codec=codec, name=name, letters=_accents(language), rarity_bits=rarity_bits) for language in languages
    )


def _alphabet(codec: str, name: str, letters: Mapping[str, float], *, rarity_bits: float) -> CodePage:
    return CodePage(codec=codec, name=name, letters=letters, rarity_bits=rarity_bits)


_BY_LANGUAGE = (
    *(_CYRILLIC, _GREEK, _HEBREW, _ARABIC, _THAI),
    *(_accents(language) for language in (*_WESTERN, *_CENTRAL, *_BALTIC, frequent.TURKISH, frequent.VIETNAMESE)),
)
_ANY_LETTERS = {
    letter: min(letters[letter] for letters in _BY_LANGUAGE if letter in letters)
    for letter in frozenset(chain.from_iterable(_BY_LANGUAGE))
}

_CODE_PAGES = (
    # Two bytes can be UTF-8 by chance; three or four hardly can.
    CodePage(
        codec="utf-8",
        name="UTF-8",
        letters=_ANY_LETTERS,
        other_bits=lambda code: _RARE_LETTER_BITS + 2 if len(code) == 2 else _ASCII_BITS,
        rarity_bits=-8.0,
    ),
    _syllabic("gbk", "GBK (Chinese)", _SIMPLIFIED, _GBK_ROWS),
    _syllabic("cp932", "Shift-JIS (Japanese)", _JAPANESE, _SHIFT_JIS_ROWS),
    _syllabic("cp950", "Big5 (traditional Chinese)", _TRADITIONAL, _BIG5_ROWS),
    _syllabic("cp949", "EUC-KR (Korean)", _HANGUL, _KOREAN_ROWS),
    _syllabic("euc_jp", "EUC-JP (Japanese)", _JAPANESE, _EUC_JP_ROWS, rarity_bits=5.0),
    _alphabet("cp866", "cp866 (Russian)", _CYRILLIC, rarity_bits=0.0),
    _alphabet("cp1251", "Windows-1251 (Russian)", _CYRILLIC, rarity_bits=1.0),
    _alphabet("koi8-r", "KOI8-R (Russian)", _CYRILLIC, rarity_bits=4.0),
    _alphabet("cp737", "cp737 (Greek)", _GREEK, rarity_bits=1.0),
    _alphabet("cp1253", "Windows-1253 (Greek)", _GREEK, rarity_bits=2.0),
    _alphabet("cp862", "cp862 (Hebrew)", _HEBREW, rarity_bits=1.0),
    _alphabet("cp1255", "Windows-1255 (Hebrew)", _HEBREW, rarity_bits=2.0),
    _alphabet("cp720", "cp720 (Arabic)", _ARABIC, rarity_bits=1.0),
    _alphabet("cp1256", "Windows-1256 (Arabic)", _ARABIC, rarity_bits=2.0),
    _alphabet("cp874", "cp874 (Thai)", _THAI, rarity_bits=1.0),
    *_latin("cp850", "cp850 (Western European)", *_WESTERN, rarity_bits=0.0),
    *_latin("cp437", "cp437 (Western European)", *_WESTERN, rarity_bits=0.5),
    *_latin("cp1252", "Windows-1252 (Western European)", *_WESTERN, rarity_bits=1.0),
    *_latin("mac_roman", "Mac Roman (Western European)", *_WESTERN, rarity_bits=14.0),
    *_latin("cp852", "cp852 (Central European)", *_CENTRAL, rarity_bits=1.0),
    *_latin("cp1250", "Windows-1250 (Central European)", *_CENTRAL, rarity_bits=2.0),
    *_latin("cp857", "cp857 (Turkish)", frequent.TURKISH, rarity_bits=2.0),
    *_latin("cp1254", "Windows-1254 (Turkish)", frequent.TURKISH, rarity_bits=3.0),
    *_latin("cp775", "cp775 (Baltic)", *_BALTIC, rarity_bits=7.0),
    *_latin("cp1257", "Windows-1257 (Baltic)", *_BALTIC, rarity_bits=8.0),
    *_latin("cp1258", "Windows-1258 (Vietnamese)", frequent.VIETNAMESE, rarity_bits=4.0),
)
