"""Why files are not used, said of one file and of many.

The reason is kept with each file, as it is said of one. What is said of many of them is found from it.
"""

import re
from functools import cache, lru_cache, partial

from automl.text.messages import datasets, labelling, pixels, tables
from automl.text.one_or_many import OneOrMany

_MODULES = (labelling, tables, pixels, datasets)
_FIELD = re.compile(r"\{(\w+)[^}]*\}")
"""The place of a value in a message."""


@lru_cache(maxsize=1024)
def reason_of(reason: str, n: int) -> str:
    """The reason why `n` files are not used, which is `reason` for each of them."""
    if n == 1:
        return reason
    for pattern, many in _reasons():
        if found := pattern.fullmatch(reason):
            return _FIELD.sub(partial(_value, found.groupdict()), many)
    return reason


def _value(values: dict[str, str], field: re.Match[str]) -> str:
    return values[field[1]]


@cache
def _reasons() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What tells each reason as it is said of one file, and the sentence for many; the longest sentences first."""
    messages = [value for module in _MODULES for value in vars(module).values() if isinstance(value, OneOrMany)]
    reasons = [message for message in messages if "n" not in _FIELD.findall(message.many)]
    return tuple((_pattern(one.one), one.many) for one in sorted(reasons, key=lambda one: -len(one.one)))


def _pattern(message: str) -> re.Pattern[str]:
    """What a message looks like, whatever values it is filled with."""
    parts: list[str] = []
    end = 0
    for field in _FIELD.finditer(message):
        name = field[1]
        known = f"(?P<{name}>" in "".join(parts)
        parts += [re.escape(message[end : field.start()]), f"(?P={name})" if known else f"(?P<{name}>.+)"]
        end = field.end()
    return re.compile("".join([*parts, re.escape(message[end:])]), re.DOTALL)
