"""Tables of labels: a .csv, .tsv, .txt or .json among the files that says what each photo shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from automl.errors import BadUpload
from automl.labelling.json_tables import is_json_table
from automl.labelling.table_encodings import decoded
from automl.text.messages import tables as table_messages
from automl.text.upload_names import clean_parts

MAX_TABLE_BYTES, MAX_TABLES, MAX_BYTES_OF_ALL_TABLES = 20_000_000, 10, 40_000_000
"""Larger files, and more of them, are no tables of labels."""

_WORKBOOK_SUFFIXES = (".xlsx", ".xls", ".ods")
# The last two are of SageMaker Ground Truth and of Edge Impulse.
_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson", ".manifest", ".labels")
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".lst", *_JSON_SUFFIXES, *_WORKBOOK_SUFFIXES)
"""The endings of names, in lower case, by which a file may be a table of labels."""

_MOST_LOOKED_INTO = 100
"""Some programs put a .json or .txt beside each photo; not all of these are opened."""

_LIKELY_WORDS = ("label", "class", "annotation", "metadata", "train", "test", "valid")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTable:
    """A table that lies among the files.

    Attributes:
        name: The name of its file.
        text: All of it.
        encoding: What its letters were read as, in words for people; empty for Unicode.
        fault: Why it was not read, as a sentence for people; empty if it was.
    """

    name: str
    text: str
    encoding: str = ""
    fault: str = ""


def read_tables(files: Mapping[str, Callable[[int], bytes]], names: Sequence[str]) -> list[LabelTable]:
    """The tables that may say which of the files `names` is of which class.

    Args:
        files: For the name of each file that may be a table a function that reads at most so many bytes of it, or
            raises BadUpload where it cannot be read.
        names: Those of all files.
    """
    tables: list[LabelTable] = []
    n_bytes_left = MAX_BYTES_OF_ALL_TABLES
    for name in sorted(files, key=_unlikeliness)[:_MOST_LOOKED_INTO]:
        if len(tables) == MAX_TABLES:
            break
        try:
            content = b"" if name.lower().endswith(_WORKBOOK_SUFFIXES) else files[name](MAX_TABLE_BYTES + 1)
        except BadUpload as error:
            fault = table_messages.UNREADABLE.format(table=name, reason=error.message)
        else:
            fault = _fault(name, len(content), n_bytes_left)
        if fault:
            tables.append(LabelTable(name=name, text="", fault=fault))
            continue
        text, encoding = decoded(content, names)
        # Most files of JSON are about other things, and those are no tables at all.
        if not name.lower().endswith(_JSON_SUFFIXES) or is_json_table(text):
            tables.append(LabelTable(name=name, text=text, encoding=encoding))
            n_bytes_left -= len(content)
    return tables


def _unlikeliness(name: str) -> tuple[bool, bool, int, str]:
    """The order in which tables are read, since not all of very many are: what is called so, and lies outermost."""
    path = clean_parts(name)
    file = path[-1].lower() if path else ""
    is_seldom = file.endswith((".txt", ".lst", *_JSON_SUFFIXES))
    return is_seldom, not any(word in file for word in _LIKELY_WORDS), len(path), name


def _fault(name: str, n_bytes: int, n_bytes_left: int) -> str:
    """Why a table cannot be read, as a sentence; empty if it can."""
    if name.lower().endswith(_WORKBOOK_SUFFIXES):
        return table_messages.WORKBOOK.format(table=name)
    if n_bytes > MAX_TABLE_BYTES:
        return table_messages.TOO_LARGE.format(table=name, most=MAX_TABLE_BYTES // 1_000_000)
    if n_bytes > n_bytes_left:
        return table_messages.TOO_LARGE_TOGETHER.format(table=name, most=MAX_BYTES_OF_ALL_TABLES // 1_000_000)
    return ""
