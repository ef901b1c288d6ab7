"""Which columns of a table name the file, the class and the part of the split."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from automl.labelling.split_words import split_of

Row = list[str]
Column = tuple[str, ...]

# The earlier one is taken. Names stand before numbers: where a table has both, people want to read the names.
_LABEL_HEADERS = (
    *("class_name", "label_name", "category_name", "class_label", "label_text", "label", "labels", "class", "classes"),
    *("category", "species", "breed", "variety", "target", "diagnosis", "dx", "disease", "tag", "type", "kind"),
    *("klasse", "kategorie", "rasse", "etikett", "class_id", "label_id", "category_id", "target_id", "y", "name"),
)
_DELIMITERS = (",", ";", "\t", "|")
_N_SNIFFED_ROWS = 50
_MAX_SPLIT_NAMES = 20
_ZERO, _ONE = {"0", "0.0"}, {"1", "1.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelColumns:
    """The columns of a table that matter.

    Attributes:
        file: The number of the column that names the photo.
        labels: The number of the column that names the class; or the numbers of several columns, each named for a
            class, with a 1 where it applies.
        split: The number of the column that names the part of the split; None if there is none.
        header: The names of all columns; empty if the table has none.
    """

    file: int
    labels: tuple[int, ...]
    split: int | None
    header: Row

    def label(self, row: Row) -> str:
        """The class that a row names; empty if it names none."""
        if len(self.labels) == 1:
            return row[self.labels[0]]
        return next((self.header[index] for index in self.labels if row[index] in _ONE), "")

    @property
    def label_column(self) -> str:
        """The column of the class, in words by which people find it in the table."""
        if len(self.labels) > 1:
            return "one column for each class"
        if self.header and self.header[self.labels[0]]:
            return f"column '{self.header[self.labels[0]]}'"
        return f"column {self.labels[0] + 1}"


def read_rows(text: str) -> list[Row]:
    """The rows of a table that are not empty, all of the length that is most common among them.

    Cells have no blanks around them. Between the columns stand commas, semicolons, tabs or bars. There are no rows if
    most of them have no length in common: filling them up could take far more memory than the text.

    Raises:
        csv.Error: The text is no table.
    """
    text = text.removeprefix("\ufeff")  # a mark of the byte order, as spreadsheets write it
    delimiter = max(_DELIMITERS, key=lambda mark: _evenness(text, mark))
    rows = [[cell.strip() for cell in row] for row in _rows(text, delimiter)]
    widths = Counter(map(len, rows))
    if not rows or widths.most_common(1)[0][1] <= len(rows) / 2:
        return []
    width = widths.most_common(1)[0][0]
    return [row if len(row) == width else row[:width] + [""] * (width - len(row)) for row in rows]


def find_columns(rows: Sequence[Row], file_key: Callable[[str], str | None]) -> LabelColumns | None:
    """The columns that matter, or None if the table does not say which photo is of which class.

    Args:
        rows: As `read_rows` gives them.
        file_key: For a cell the name of the photos that it may refer to, None if there are no such photos.
    """
    n_keys = [len({file_key(cell) for cell in set(column)} - {None}) for column in zip(*rows, strict=True)]
    if not any(n_keys):
        return None
    # Different photos are counted, not cells: a column of numbers may happen to name the same photo again and again.
    file = n_keys.index(max(n_keys))
    # The column that names most photos names them in every row, but for the header.
    header: Row = [] if file_key(rows[0][file]) else rows[0]
    columns = list(zip(*(row for row in rows if file_key(row[file])), strict=True))
    others = [index for index in range(len(columns)) if index != file]
    # Rows that name no photo say nothing of the classes, so the columns are judged by the others alone.
    named = _named_label(header, others, columns)
    split = next((index for index in others if index != named and _is_split(columns[index])), None)
    others = [index for index in others if index != split]
    labels = (named,) if named is not None else _one_hot(header, others, columns) or _by_values(others, columns)
    if not labels:
        return None
    return LabelColumns(file=file, labels=_readable(labels, others, columns), split=split, header=header)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return filter(any, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _evenness(text: str, delimiter: str) -> tuple[bool, float, int]:
    """How much like a table the text is, read with this delimiter: with several columns, and as many in every row."""
    try:
        widths = Counter(map(len, islice(_rows(text, delimiter), _N_SNIFFED_ROWS)))
    except csv.Error:  # read with this delimiter, a cell is endless
        return False, 0.0, 0
    width, n_rows = widths.most_common(1)[0] if widths else (0, 0)
    return width > 1, n_rows / max(1, widths.total()), width


def _named_label(header: Row, others: Sequence[int], columns: Sequence[Column]) -> int | None:
    """The column whose header is usual for a class, if its values can be classes."""
    of_name = {re.sub(r"[\s_-]+", "_", header[index].lower()): index for index in reversed(others) if header}
    found = (of_name[name] for name in _LABEL_HEADERS if name in of_name)
    return next((index for index in found if _is_few(columns[index], n_always=10)), None)


def _values(column: Column) -> set[str]:
    return set(column) - {""}


def _is_few(column: Column, n_always: int = 2) -> bool:
    """Whether a column has few enough values to be classes and not, say, comments or measured numbers.

    `n_always` different values are few, however short the column is.
    """
    return 0 < len(_values(column)) <= max(n_always, len(column) // 2)


def _is_split(column: Column) -> bool:
    """Whether every cell names a part of the split, and they name more than one."""
    values = _values(column)
    splits = {split_of(value) for value in values} if len(values) <= _MAX_SPLIT_NAMES else {None}
    return len(splits) > 1 and None not in splits


def _one_hot(header: Row, others: Sequence[int], columns: Sequence[Column]) -> tuple[int, ...]:
    """The columns that hold zeros and, in each row, a single one: `image,healthy,rust,scab`. None of them if not so."""
    found = [index for index in others if header and header[index] and set(columns[index]) <= _ZERO | _ONE]
    is_one = [[cell in _ONE for cell in columns[index]] for index in found]
    return tuple(found) if len(found) > 1 and all(map(_is_single, zip(*is_one, strict=True))) else ()


def _is_single(marks: Iterable[bool]) -> bool:
    return sum(marks) == 1


def _by_values(others: Sequence[int], columns: Sequence[Column]) -> tuple[int, ...]:
    """The first column that has at least two values, but few: of words if there is one, else of whole numbers."""
    # Fractions are measured numbers, not classes.
    fit = [index for index in others if len(_values(columns[index])) > 1 and _is_few(columns[index])]
    words = [index for index in fit if not any(map(_is_number, _values(columns[index])))]
    whole = [index for index in fit if all(map(str.isdecimal, _values(columns[index])))]
    return tuple((words or whole)[:1])


def _is_number(value: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value) is not None


def _readable(labels: tuple[int, ...], others: Sequence[int], columns: Sequence[Column]) -> tuple[int, ...]:
    """For a single column of numbers the column of words that says the same, if there is one."""
    if len(labels) != 1 or not all(map(str.isdecimal, _values(columns[labels[0]]))):
        return labels
    numbers = columns[labels[0]]
    for index in others:
        pairs = set(zip(numbers, columns[index], strict=True))
        is_same = len(pairs) == len(set(numbers)) == len(set(columns[index]))
        if index != labels[0] and is_same and not any(map(_is_number, _values(columns[index]))):
            return (index,)
    return labels
