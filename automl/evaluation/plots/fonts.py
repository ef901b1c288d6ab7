"""Class names that every plot can show: fonts of this machine that have their letters, and numbers where none has."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from automl.text.messages import plots as plot_messages

_FIRST_FAMILY = "DejaVu Sans"
"""Comes with Matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew, and many signs."""

_MOST_NAMED = 10
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC")
_PACKAGES = (("fonts-noto-cjk", True), ("fonts-noto-core", False))
"""The packages of Debian and Ubuntu that have the letters, and whether these are East Asian."""

_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegibleNames:
    """How plots show class names.

    Attributes:
        names: What stands for each class: its name, or its number where no font has all of its letters.
        unshown: The names that no font here can draw, by the numbers that stand for them.
        families: The fonts to draw with; the first one that has a letter draws it.
        note: A sentence on the names that cannot be shown and what to install; empty where there is none.
    """

    names: tuple[str, ...]
    unshown: Mapping[str, str]
    families: tuple[str, ...]
    note: str


@lru_cache(maxsize=8)
def legible_names(classes: tuple[str, ...]) -> LegibleNames:
    """Searches the fonts of this machine for the letters of the class names, where Matplotlib's own lacks some.

    Args:
        classes: The names, in the order of the model's outputs.
    """
    visible = [_visible(name) for name in classes]
    missing = {ord(letter) for name in visible for letter in name if not letter.isspace()}
    missing -= _letters_of(font_manager.findfont(_FIRST_FAMILY), missing)
    families = [_FIRST_FAMILY]
    candidates = _found_fonts(missing) if missing else []
    while missing and candidates:
        best = max(candidates, key=lambda font: font.merit(missing))
        if not best.letters & missing:
            break
        missing -= best.letters
        families.append(best.family)
        font_manager.fontManager.addfont(best.path)
    names = list(visible)
    lost = [place for place, name in enumerate(visible) if any(ord(letter) in missing for letter in name)]
    for place in lost:
        names[place] = plot_messages.NUMBER_OF_CLASS.format(number=place + 1)
    return LegibleNames(
        names=tuple(names),
        unshown={names[place]: classes[place] for place in lost},
        families=tuple(families),
        note=_note(classes, lost, missing),
    )


@contextmanager
def drawn_with(families: Sequence[str]) -> Iterator[None]:
    """Texts made within are drawn with these fonts."""
    with mpl.rc_context({"font.family": list(families)}):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class _Font:
    """A font of this machine.

    Attributes:
        path: Its file.
        family: What Matplotlib finds it by.
        letters: Those of the wanted letters that it has.
        is_plain: Whether it is upright, of the usual weight and without serifs.
    """

    path: str
    family: str
    letters: frozenset[int]
    is_plain: bool

    def merit(self, wanted: set[int]) -> tuple[int, bool, str]:
        """The larger, the better; of equal fonts always the same one."""
        return len(self.letters & wanted), self.is_plain, self.path


def _found_fonts(wanted: set[int]) -> list[_Font]:
    """The fonts of this machine that have some of the letters."""
    found = []
    for path in sorted(font_manager.findSystemFonts()):
        letters = _letters_of(path, wanted)
        if letters:
            font = FT2Font(path)
            is_plain = font.style_name in ("Regular", "Book") and "Serif" not in font.family_name
            found.append(_Font(path=path, family=font.family_name, letters=letters, is_plain=is_plain))
    return found


def _letters_of(path: str, wanted: set[int]) -> frozenset[int]:
    """Those of the letters that a font can draw; none of them where it is damaged, or a font of pictures."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(wanted & font.get_charmap().keys()) if font.scalable else frozenset()


def _visible(name: str) -> str:
    """The name without signs that only join others, which fonts draw as boxes."""
    return "".join(
        letter for letter in name if unicodedata.category(letter) != "Cf" and ord(letter) not in _VARIATION_SELECTORS
    )


def _note(classes: Sequence[str], lost: Sequence[int], missing: set[int]) -> str:
    if not lost:
        return ""
    is_east_asian = {unicodedata.name(chr(letter), "").startswith(_EAST_ASIAN) for letter in missing}
    package = " ".join(package for package, is_needed in _PACKAGES if is_needed in is_east_asian)
    if len(lost) == 1:
        return plot_messages.NO_FONT_FOR_ONE.format(name=classes[lost[0]], number=lost[0] + 1, package=package)
    named = [plot_messages.NUMBERED.format(number=place + 1, name=classes[place]) for place in lost[:_MOST_NAMED]]
    words = plot_messages.NO_FONT_FOR_MANY if len(lost) <= _MOST_NAMED else plot_messages.NO_FONT_FOR_MORE
    return words.format(n=len(lost), names=", ".join(named), package=package)
