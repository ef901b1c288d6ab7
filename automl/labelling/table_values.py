"""What the cells of a table hold, and how the names of columns are compared."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_NO_VALUES = frozenset({"", "nan", "null", "#n/a", "n/a"})
_LISTED = re.compile(r"(?:\"([^\"]*)\"|'([^']*)')(\s*:)?")
"""A text between quotation marks, and the colon after it where it is the name of what follows."""
_WHOLE_NUMBER_END = re.compile(r"(\.0+|,0)$")

_JOINTS = ("|", ";", ",", " ")
"""What may stand between the classes where a cell holds several."""


@lru_cache(maxsize=4096)
def values_of(cell: str) -> tuple[str, ...]:
    """What a cell holds: nothing, a text, or the texts of a list, as JSON and Python write it."""
    if cell.lower() in _NO_VALUES:
        return ()
    if cell[0] in "[{" and cell[-1] in "]}":
        found = _LISTED.findall(cell)
        texts = [double or single for double, single, colon in found if not colon] or [cell.strip("[]{} ")]
        return tuple(text for text in texts if text and text != "choices")
    return (_WHOLE_NUMBER_END.sub("", cell) if is_number(cell) else cell,)


def normal_header(text: str) -> str:
    """The name of a column as it is compared: the last part of a path, in lower case, with _ between words."""
    last = re.split(r"[.:]", text.strip().rstrip(".:"))[-1]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", last)
    return re.sub(r"[\s_-]+", "_", words.lower()).strip("_")


def joint_between_labels(values: Sequence[str]) -> str:
    """What stands between the classes where values name several at once: `Mass|Nodule` beside `Mass`, or an empty text.

    At least half of the values that could be put together must be so, since their parts occur elsewhere. A comma or a
    blank may well belong to a name, so with these all parts must be values themselves.
    """
    for joint in _JOINTS:
        split = [parts_of(value, joint) for value in values]
        several = [parts for parts in split if len(parts) > 1]
        single = {parts[0] for parts in split if len(parts) == 1}
        counts = Counter(part for parts in several for part in set(parts))
        if joint in "|;":
            known = single | {part for part, n in counts.items() if n > 1}
            n_known = sum(not known.isdisjoint(parts) for parts in several)
        else:
            n_known = sum(single.issuperset(parts) for parts in several)
        if (n_known == len(several) > 1) if joint == " " else (2 * n_known >= len(several) > 0):
            return joint
    return ""


def parts_of(value: str, joint: str) -> tuple[str, ...]:
    """The parts of a value between which `joint` stands; the value alone where any of them is empty."""
    parts = tuple(part.strip() for part in value.split(joint))
    return parts if all(parts) else (value,)


def is_number(value: str) -> bool:
    """Whether a value is a number, with a point or a comma before its decimals."""
    return re.fullmatch(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?", value) is not None
