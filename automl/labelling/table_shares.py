"""Columns that give each photo a share of every class, such as probabilities or votes in percent."""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

Column = tuple[str, ...]

_WHOLES = ((1.0, 0.02), (100.0, 1.5))
"""What the shares of a photo add up to, and how far they may be off because they were rounded."""

_NEARLY_ALL = 0.95
_MOST_COLUMNS, _N_SAMPLED_ROWS = 200, 500
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")


def as_share(cell: str) -> float | None:
    """The number in a cell, also one in percent; None where there is none that could be a share."""
    text = cell.removesuffix("%").strip()
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def shares_among(columns: Mapping[int, Column]) -> tuple[int, ...]:
    """The columns, side by side, that add up to 1 or to 100 for nearly all photos; empty if there are none.

    They are most of those that could be shares: among many numbers some add up to anything.

    Args:
        columns: Those that may be meant, by their numbers.
    """
    fit = _may_be_shares(columns, most=100.0)
    if not 1 < len(fit) <= _MOST_COLUMNS:
        return ()
    sums = [list(accumulate(row, initial=0.0)) for row in zip(*fit.values(), strict=True)]
    indices = list(fit)
    for width in range(len(indices), max(1, (len(indices) - 1) // 2), -1):
        for first in range(len(indices) - width + 1):
            found = tuple(indices[first : first + width])
            totals = [row[first + width] - row[first] for row in sums]
            if _is_whole(totals) and len({_largest(row) for row in zip(*(fit[i] for i in found), strict=True)}) > 1:
                return found
    return ()


def scores_among(columns: Mapping[int, Column]) -> tuple[int, ...]:
    """The columns that hold nothing but numbers from 0 to 1, of which some are neither; empty if there are not two."""
    fit = _may_be_shares(columns, most=1.0)
    found = tuple(index for index, values in fit.items() if any(0 < value < 1 for value in values))
    return found if len(found) > 1 else ()


def largest_share(cells: Sequence[str]) -> int | None:
    """The number of the largest share; None where several are as large."""
    values = [as_share(cell) or 0.0 for cell in cells]
    return _largest(values)


def _largest(values: Sequence[float]) -> int | None:
    most = max(values)
    return values.index(most) if values.count(most) == 1 else None


def _may_be_shares(columns: Mapping[int, Column], *, most: float) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for index, column in columns.items():
        sample = column[:: max(1, len(column) // _N_SAMPLED_ROWS)]
        values = [value for cell in sample if (value := as_share(cell)) is not None and value <= most]
        if len(values) == len(sample):
            found[index] = values
    return found


def _is_whole(totals: Sequence[float]) -> bool:
    return any(
        sum(abs(total - whole) <= off for total in totals) >= _NEARLY_ALL * len(totals) for whole, off in _WHOLES
    )
