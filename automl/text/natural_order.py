"""The order in which people expect names: `2` before `10`, `class 2` before `class 10`."""

import re
from collections.abc import Iterable

_NUMBERS = re.compile(r"(\d+(?:\.\d+)*)")
_NEGATIVE = re.compile(r"[-−](?=\d)")
_MOST_DIGITS = 300
"""Longer numbers are compared as text: they are no amounts."""

NaturalKey = tuple[tuple[tuple[int, tuple[float, ...], str], ...], str]


def in_natural_order(names: Iterable[str]) -> list[str]:
    """The names sorted as people sort them: the numbers in them by their value, the rest by its letters."""
    return sorted(names, key=natural_key)


def natural_key(name: str) -> NaturalKey:
    """What to sort names by. Names that are equal but for leading zeros are told apart by their letters."""
    is_negative = _NEGATIVE.match(name) is not None
    parts = _NUMBERS.split(name[1:] if is_negative else name)
    keys = [_part_key(part) for part in parts if part]
    if is_negative:
        keys[0] = (0, tuple(-value for value in keys[0][1]), keys[0][2])
    return tuple(keys), name


def _part_key(part: str) -> tuple[int, tuple[float, ...], str]:
    """Numbers come before letters. One point is that of a decimal number, more are those of a date or a version."""
    if not part[0].isdecimal() or len(part) > _MOST_DIGITS:
        return 1, (), part
    return 0, tuple(map(float, part.split("."))) if part.count(".") > 1 else (float(part),), ""
