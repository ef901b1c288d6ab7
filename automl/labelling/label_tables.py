"""Tables of labels: a .csv or .tsv among the files that says what each photo shows."""

import io
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

MAX_TABLE_BYTES, MAX_TABLES = 5_000_000, 10
"""Larger files, and more of them, are no tables of labels."""

_ENCODINGS = ("utf-8-sig",)
"""The encodings in which a table is tried to be read, in this order. If none fits, the first one is used, with
replacement characters for what does not fit."""

_SHORT_TABLE_CHARS = 100_000
_ROWS_READ_OF_LONG_TABLE, _CHARS_READ_OF_ROW = 1_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTable:
    """A table that lies among the files.

    Attributes:
        name: The name of its file.
        text: All of it.
    """

    name: str
    text: str


def read_tables(files: Mapping[str, Callable[[int], bytes]], names: Sequence[str]) -> list[LabelTable]:
    """The tables that may say which of the files `names` is of which class.

    Args:
        files: For the name of each file that may be a table a function that reads at most so many bytes of it.
        names: Those of all files.
    """
    tables = []
    for name, read in list(files.items())[:MAX_TABLES]:
        content = read(MAX_TABLE_BYTES + 1)
        if len(content) <= MAX_TABLE_BYTES:
            tables.append(LabelTable(name=name, text=_decoded(content)))
    # Reading a table costs far more than looking for names in it, so long ones are looked through first.
    long = [table for table in tables if len(table.text) > _SHORT_TABLE_CHARS]
    known = {part for name in names for part in _name_and_stem(name)} if long else set()
    return [table for table in tables if table not in long or _names_any(table, known)]


def _decoded(content: bytes) -> str:
    for encoding in _ENCODINGS:
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode(_ENCODINGS[0], "replace")


def _names_any(table: LabelTable, known: Collection[str]) -> bool:
    """Whether a row near the beginning names a photo. A long table that does not is about something else."""
    rows = islice(io.StringIO(table.text), _ROWS_READ_OF_LONG_TABLE)
    cells = (
        cell.strip(" \t\r\n\"'").casefold() for row in rows for cell in re.split(r"[,;\t|]", row[:_CHARS_READ_OF_ROW])
    )
    return any(cell.rsplit("/", 1)[-1] in known for cell in cells)


def _name_and_stem(name: str) -> tuple[str, str]:
    """The two ways in which a table may name a file: with its ending and without."""
    file = name.replace("\\", "/").rsplit("/", 1)[-1].casefold()
    return file, file.rsplit(".", 1)[0]
