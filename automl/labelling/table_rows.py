"""The rows of a table, however it was written down: with commas or semicolons, quotation marks, comments, titles."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from automl.labelling.json_tables import read_json_rows

Row = list[str]
NamesPhoto = Callable[[str], bool]
"""Whether a cell names a photo."""

MAX_ROWS = 1_000_000
"""What a table has beyond that is not read."""

MAX_CELL_CHARS = 1_000
"""What a cell has beyond that is dropped: longer texts are neither names of photos nor classes."""

_DELIMITERS = (",", ";", "\t", "|", " ")
"""The likeliest first. Blanks come last, since they stand within names, too."""

_N_SNIFFED_ROWS = 100
_ANNOUNCEMENT = re.compile(r"\A\s*\"?sep=.{0,2}\"?[ \t]*(?:\r\n?|\n)", re.IGNORECASE)
_RULER = re.compile(r"[\s:=+-]*")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a text is cut into cells.

    Attributes:
        delimiter: What stands between the cells.
        has_quotes: Whether a cell between quotation marks may hold delimiters and ends of lines.
    """

    delimiter: str
    has_quotes: bool


def read_rows(text: str, names_photo: NamesPhoto = lambda _: False) -> list[Row]:
    """The rows of a table that are not empty, all of the length that is most common among them.

    Cells have no blanks around them. Comments, and lines that are only drawn, are left out. There are no rows if most
    of them have no length in common: filling them up could take far more memory than the text.

    Args:
        text: All of the table: separated values, or JSON with an object for each row.
        names_photo: Tells the cells that name photos. The text is cut into cells so that they come out.

    Raises:
        csv.Error: The text is no table.
    """
    if (rows := read_json_rows(text)) is not None:
        return rows
    text = text.removeprefix("\ufeff")  # a mark of the byte order, as spreadsheets write it
    # Excel is told the delimiter by a first line `sep=;`. It is found out anyway.
    text = _ANNOUNCEMENT.sub("", text, count=1)
    rows = [row for row in _all_rows(text, names_photo) if not all(map(_RULER.fullmatch, row))]
    widths = Counter(map(len, rows))
    if not rows or widths.most_common(1)[0][1] <= len(rows) / 2:
        return []
    width = widths.most_common(1)[0][0]
    rows = _without_comments(rows, width, names_photo)
    return [row if len(row) == width else row[:width] + [""] * (width - len(row)) for row in rows]


def _all_rows(text: str, names_photo: NamesPhoto) -> list[Row]:
    """The rows in the dialect that fits best. Raises csv.Error."""
    quoted = _best_dialect(text, names_photo, has_quotes=True)
    try:
        return _clean_rows(_raw_rows(text, quoted, strict=True))
    except csv.Error:
        # A quotation mark is never closed, or stands within a cell. It may be a mere letter, such as the inch in 5".
        plain = _best_dialect(text, names_photo, has_quotes=False)
        best = max((quoted, plain), key=lambda dialect: _likeness(text, dialect, names_photo))
        if _likeness(text, best, names_photo)[0] == 0:
            raise
        return _clean_rows(_raw_rows(text, best))


def _best_dialect(text: str, names_photo: NamesPhoto, *, has_quotes: bool) -> _Dialect:
    dialects = [_Dialect(delimiter, has_quotes) for delimiter in _DELIMITERS]
    return max(dialects, key=lambda dialect: _likeness(text, dialect, names_photo))


def _likeness(text: str, dialect: _Dialect, names_photo: NamesPhoto) -> tuple[int, bool, float, int]:
    """How much like a table the text is: near its beginning rows name photos, there are several columns, as many in
    every row."""
    try:
        rows = list(islice(_raw_rows(text, dialect), _N_SNIFFED_ROWS))
    except csv.Error:
        return 0, False, 0.0, 0
    n_named = sum(any(names_photo(_clean_cell(cell)) for cell in row) for row in rows if len(row) > 1)
    if not rows or (dialect.delimiter == " " and not n_named):
        return 0, False, 0.0, 0
    width, n_rows = Counter(map(len, rows)).most_common(1)[0]
    return n_named, width > 1, n_rows / len(rows), width


def _raw_rows(text: str, dialect: _Dialect, *, strict: bool = False) -> Iterator[Row]:
    """The rows with something in them."""
    # The limit is one for the whole process. The text is limited already, so no cell needs another limit.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    return filter(
        any,
        csv.reader(
            io.StringIO(text, newline=""),
            delimiter=dialect.delimiter,
            quoting=csv.QUOTE_MINIMAL if dialect.has_quotes else csv.QUOTE_NONE,
            skipinitialspace=True,
            strict=strict,
        ),
    )


def _clean_rows(raw: Iterator[Row]) -> list[Row]:
    # Each text is kept once: classes stand in thousands of rows.
    kept: dict[str, str] = {}
    return [
        [kept.setdefault(cell, cell) for cell in map(_clean_cell, row)] for row in islice(raw, MAX_ROWS) if any(row)
    ]


def _clean_cell(cell: str) -> str:
    cell = cell[:MAX_CELL_CHARS].strip()
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"":
        return cell[1:-1].strip()
    return cell


def _without_comments(rows: Sequence[Row], width: int, names_photo: NamesPhoto) -> list[Row]:
    """The rows that do not begin with #, but for those that name photos, or that stand for the names of the columns."""
    is_comment = [len(row[0]) > 1 and row[0][0] == "#" and not any(map(names_photo, row)) for row in rows]
    first = next((index for index, comment in enumerate(is_comment) if not comment), len(rows))
    kept = [row for row, comment in zip(rows, is_comment, strict=True) if not comment]
    has_names = any(map(names_photo, rows[first])) if first < len(rows) else False
    if first and has_names and len(rows[first - 1]) == width:  # `# file,label`, as NumPy writes it
        names = rows[first - 1]
        return [[names[0].lstrip("# "), *names[1:]], *kept]
    return kept
