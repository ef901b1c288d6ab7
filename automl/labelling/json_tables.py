"""Tables in JSON: a list of objects, or one object a line, as data sets and programs for labelling write them."""

import json
from collections import Counter, defaultdict
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
    if annotated := _rows_of_coco(value):
        return annotated
    if isinstance(project := value.get("_via_img_metadata"), dict):  # VGG Image Annotator
        value = project
    inner = list(value.values())
    if len(value) > 1 and all(isinstance(label, str | int) for label in inner):
        return [{"file": file, "label": label} for file, label in value.items()]
    lists = {name: rows for name, rows in value.items() if isinstance(rows, list) and rows}
    if len(lists) == len(value) and all(isinstance(file, str) for files in lists.values() for file in files):
        return [{"file": file, "label": label} for label, files in lists.items() for file in files]
    if len(lists) == 1 and all(isinstance(row, dict | list) for rows in lists.values() for row in rows):
        return next(iter(lists.values()))
    dicts = {name: cells for name, cells in value.items() if isinstance(cells, dict)}
    if len(dicts) == len(value) > 1:
        keys = {tuple(cells) for cells in dicts.values()}
        if len(keys) == 1 and all(key.isdecimal() for key in next(iter(keys))):  # columns, as pandas writes them
            return [{name: cells[row] for name, cells in dicts.items()} for row in next(iter(dicts.values()))]
        return [{"key": key, **row} for key, row in dicts.items()]
    return [value]


def _rows_of_coco(value: dict[str, JsonValue]) -> list[JsonValue]:
    """A row for each annotation of COCO, and for each photo without one; empty if the object is nothing of the kind."""
    images, categories, annotations = (
        [row for row in found if isinstance(row, dict)] if isinstance(found := value.get(name), list) else []
        for name in ("images", "categories", "annotations")
    )
    if not images or not categories:
        return []
    names = {str(row.get("id")): row.get("name") for row in categories}
    labels: defaultdict[str, dict[JsonValue, None]] = defaultdict(dict)
    for row in annotations:
        if isinstance(name := names.get(str(row.get("category_id"))), str):
            labels[str(row.get("image_id"))][name] = None
    return [
        {"file_name": row.get("file_name"), "category_name": label}
        for row in images
        for label in labels.get(str(row.get("id"))) or [""]
    ]


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
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield from _merged([cell for item in value for cell in _cells(item, name, depth + 1)])
    elif isinstance(value, list):
        yield name, json.dumps([str(item) for item in value if isinstance(item, str | int)], ensure_ascii=False)
    else:
        yield name, "" if value is None else str(value).strip()


def _merged(cells: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """One cell of each name: the value that all of them have, such as the class of several boxes, or a list."""
    values: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for name, text in cells:
        values[name][text] = None
    for name, texts in values.items():
        yield name, next(iter(texts)) if len(texts) == 1 else json.dumps(list(texts), ensure_ascii=False)
