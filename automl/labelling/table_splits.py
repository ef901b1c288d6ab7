"""Which columns of a table put its photos into parts of the split, and which number the folds of somebody's own."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from automl.labelling.split_words import split_of, split_of_word, words_of
from automl.records import Split

ZERO = frozenset({"0", "0.0", "-1", "-1.0", "false", "no", "f", "n", ""})
ONE = frozenset({"1", "1.0", "true", "yes", "x", "t", "y"})
"""What says in a cell, in lower case, that something does not apply, or does."""

_SPLIT_HEADERS = words_of(
    "split set subset partition phase usage part data_set dataset eval_partition split_id split_index"
)
_FOLD_HEADERS = words_of("fold folds kfold k_fold fold_id fold_nr fold_no fold_number cv_fold cv")
_BESIDE_MARK = words_of("is in img image photo set data sample part split")
_MAX_SPLIT_NAMES = 20
_UNASSIGNED = frozenset({"", "unassigned"})
"""What stands in a column of the split for photos that are of no part."""

_NUMBERED_PARTS = {"0": Split.TRAIN, "1": Split.VALIDATION, "2": Split.TEST}

Column = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitColumns:
    """The columns that name the part of the split.

    Attributes:
        indices: Their numbers: one that names the part, or several such as `is_valid` and `is_test`.
        parts: The part of each photo, by what stands in these columns.
    """

    indices: tuple[int, ...]
    parts: Mapping[Column, Split]

    def part(self, row: Sequence[str]) -> Split | None:
        return self.parts.get(tuple(row[index] for index in self.indices))


def find_split(
    columns: Mapping[int, Column], names: Mapping[int, str], *, has_classes_beside: Callable[[Sequence[int]], bool]
) -> SplitColumns | None:
    """The columns that name the part of the split, and name more than one part.

    Args:
        columns: Those that may be meant, by their numbers.
        names: Their names, see `automl.labelling.table_values.normal_header`; empty where they have none.
        has_classes_beside: Whether other columns than these may be the classes.
    """
    words = [index for index, column in columns.items() if _is_split(column)]
    words.sort(key=lambda index: names[index] not in _SPLIT_HEADERS)
    for index in words:
        if names[index] in _SPLIT_HEADERS or has_classes_beside([index]):
            return SplitColumns(indices=(index,), parts=_parts_by_name(columns[index]))
    numbered = [
        i for i, column in columns.items() if names[i] in _SPLIT_HEADERS and set(column) == set(_NUMBERED_PARTS)
    ]
    for index in numbered:
        parts: dict[Column, Split] = {(value,): split for value, split in _NUMBERED_PARTS.items()}
        if has_classes_beside([index]) and _is_mostly_training([parts[(cell,)] for cell in columns[index]]):
            return SplitColumns(indices=(index,), parts=parts)
    return _find_marks(columns, names, has_classes_beside)


def is_fold(name: str, column: Column) -> bool:
    """Whether a column numbers the folds of somebody's own cross-validation."""
    return name in _FOLD_HEADERS and all(cell.replace(".0", "").isdecimal() for cell in column if cell)


def _is_split(column: Column) -> bool:
    values = set(column)
    named = {value for value in values if value.lower() not in _UNASSIGNED}
    splits = {split_of(value) for value in named} if len(named) <= _MAX_SPLIT_NAMES else {None}
    is_divided = len(splits) > 1 or (len(splits) == 1 and bool(values - named - {""}))
    return is_divided and None not in splits


def _parts_by_name(column: Column) -> dict[Column, Split]:
    return {(value,): split for value in set(column) if (split := split_of(value))}


# ---- Columns that say with yes and no whether a photo is of a part: `is_valid` of fastai, `is_test`, `train`.


def _find_marks(
    columns: Mapping[int, Column], names: Mapping[int, str], has_classes_beside: Callable[[Sequence[int]], bool]
) -> SplitColumns | None:
    marked = {index: split for index, column in columns.items() if (split := _marked_part(names[index], column))}
    indices = tuple(marked)
    if len(set(marked.values())) < len(marked) or not indices or not has_classes_beside(indices):
        return None
    # What is not marked is learned from, unless only that is marked.
    rest = Split.TEST if set(marked.values()) == {Split.TRAIN} else Split.TRAIN
    rows = list(zip(*(columns[index] for index in indices), strict=True))
    parts = {row: _part_of_marks(row, list(marked.values()), rest) for row in set(rows)}
    # `valid` may also say that a photo is good, which most are.
    return SplitColumns(indices=indices, parts=parts) if _is_mostly_training([parts[row] for row in rows]) else None


def _marked_part(name: str, column: Column) -> Split | None:
    words = [word for word in name.split("_") if word not in _BESIDE_MARK]
    values = {cell.lower() for cell in column}
    is_mark = values <= ZERO | ONE and not values.isdisjoint(ONE) and not values.isdisjoint(ZERO)
    return split_of_word(words[0]) if is_mark and len(words) == 1 else None


def _part_of_marks(row: Column, splits: Sequence[Split], rest: Split) -> Split:
    return next((split for cell, split in zip(row, splits, strict=True) if cell.lower() in ONE), rest)


def _is_mostly_training(parts: Sequence[Split]) -> bool:
    return 2 * Counter(parts)[Split.TRAIN] > len(parts)
