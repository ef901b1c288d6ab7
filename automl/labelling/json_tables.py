"""Tables in JSON: a list of objects, or one object a line, as data sets and programs for labelling write them."""

import json
from collections import Counter
from collections.abc import Iterator

from pydantic import JsonValue

MAX_ENTRIES = 3_000_000
"""No JSON with more commas and brackets is read: it would take far more memory than its text."""

_MAX_DEPTH = 12
_MAX_NAME_CHARS = 200

Record = dict[str, str]


def read_json_rows(text: str) -> list[list[str]] | None:
    """The rows of a table, the names of the columns first; None if the text is no table in JSON.

    What is nested gets a column for each value in it, with the names on the way to it: `data.image`. Where a list holds
    a single value, that stands for the list. A column that few rows have is left out.
    """
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("[", "{") or sum(map(text.count, ",[{")) > MAX_ENTRIES:
        return None
    try:
        records = [_record(value) for value in _objects(text)]
    except (ValueError, RecursionError):
        return None
    counts = Counter(name for record in records for name in record)
    # Filling up what few rows have could take far more memory than the text.
    names = [name for name, n in counts.items() if 3 * n >= len(records)]
    return [names, *([record.get(name, "") for name in names] for record in records)] if names else None


def is_json_table(text: str) -> bool:
    """Whether a text is a table in JSON, with more than one row."""
    rows = read_json_rows(text)
    return rows is not None and len(rows) > 2


def _objects(text: str) -> list[JsonValue]:
    """The rows, as objects. Raises ValueError where there are none."""
    try:
        value = json.loads(text)
    except ValueError:
        value = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(value, dict):
        value = _rows_of_object(value)
    if isinstance(value, list) and value and all(isinstance(row, list) and len(row) > 1 for row in value):
        value = [{f"column {n}": cell for n, cell in enumerate(row, start=1)} for row in value]
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError("no list of objects")
    return value


def _rows_of_object(value: dict[str, JsonValue]) -> list[JsonValue]:
    """The rows of an object, which may hold a class for each file, the files of each class, columns, or just a list."""
    inner = list(value.values())
    if len(value) > 1 and all(isinstance(label, str | int) for label in inner):
        return [{"file": file, "label": label} for file, label in value.items()]
    lists = {name: rows for name, rows in value.items() if isinstance(rows, list) and rows}
    if len(lists) == len(value) and all(isinstance(file, str) for files in lists.values() for file in files):
        return [{"file": file, "label": label} for label, files in lists.items() for file in files]
    if len(lists) == 1 and all(isinstance(row, dict | list) for rows in lists.values() for row in rows):
        return next(iter(lists.values()))
    columns = {name: cells for name, cells in value.items() if isinstance(cells, dict)}  # as pandas writes them
    if len(columns) == len(value) > 1 and len({tuple(cells) for cells in columns.values()}) == 1:
        return [{name: cells[row] for name, cells in columns.items()} for row in next(iter(columns.values()))]
    return [value]


def _record(value: JsonValue) -> Record:
    return {name: cell for name, cell in _cells(value, "", 0) if len(name) <= _MAX_NAME_CHARS}


def _cells(value: JsonValue, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """The values in `value`, each with its name."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict) and set(value) == {"choices"}:  # what Label Studio puts around several choices
        yield from _cells(value["choices"], name, depth + 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _cells(inner, f"{name}.{key}" if name else key, depth + 1)
    elif isinstance(value, list) and len(value) == 1:
        yield from _cells(value[0], name, depth + 1)
    elif isinstance(value, list):
        yield name, json.dumps([str(item) for item in value if isinstance(item, str | int)], ensure_ascii=False)
    else:
        yield name, "" if value is None else str(value).strip()
