"""Durations as people write and read them."""

import math
import re

from automl.errors import BadSetting
from automl.text.messages import options as option_messages
from automl.text.messages import pieces

_UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*(s|min|m|h)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def parse_duration(text: str | float) -> float:
    """Seconds in "90s", "2m", "1.5h" or "1h30m"; a plain number is minutes.

    Raises:
        BadSetting: anything else.
    """
    words = str(text).strip().lower()
    parts = _PART.findall(words)
    if parts and not _PART.sub("", words).strip():
        return math.fsum(_number(amount) * _UNITS_S[unit] for amount, unit in parts)
    if _NUMBER.fullmatch(words):
        return _number(words) * 60.0
    raise BadSetting(option_messages.NOT_A_DURATION.format(text=str(text)[:40]))


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def duration_in_words(seconds: float) -> str:
    """ "45 seconds", "2 minutes", "1 hour 5 minutes"; at most two units, seconds only below ten minutes."""
    total = max(0, round(seconds))
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    if total >= 600:
        minutes, rest = round(total % 3600 / 60), 0
        hours, minutes = (hours + 1, 0) if minutes == 60 else (hours, minutes)
    amounts = ((hours, pieces.HOURS), (minutes, pieces.MINUTES), (rest, pieces.SECONDS))
    return " ".join(unit.format(n=n) for n, unit in amounts if n) or pieces.SECONDS.format(n=0)
