"""Classes from a table: a .csv or .tsv among the files that says what each photo shows."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from automl.labelling.photo_references import Meant, Photos
from automl.labelling.places import (
    MAX_LABEL_CHARS,
    NamedFile,
    NoPlace,
    Place,
    Places,
    clean_label,
    innermost_split,
    split_of,
    without_lonely_split,
)
from automl.labelling.spellings import spelling_key
from automl.labelling.table_columns import Columns, Row, find_columns, read_rows
from automl.records import Split
from automl.text.upload_names import Folders, clean_parts, stem_of

_NO_TABLE = NoPlace("No table here says what it shows.")


_ROWS_LOOKED_AT, _ROW_LOOKED_AT, _SHORT_TABLE = 1_000, 10_000, 100_000
MAX_TABLE_BYTES, MAX_TABLES = 5_000_000, 10
"""Larger files, and more of them, are no tables of labels."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that lies among the files. `name`: its name there; `text`: all of it."""

    name: str
    text: str


def read_tables(files: Mapping[str, Callable[[int], bytes]], names: Sequence[str]) -> list[Table]:
    """The tables that may say which of the files `names` is of which class.

    files: by name, what reads at most so many bytes of a table.
    """
    tables = []
    for name, read in list(files.items())[:MAX_TABLES]:
        content = read(MAX_TABLE_BYTES + 1)
        if len(content) <= MAX_TABLE_BYTES:
            tables.append(Table(name, content.decode("utf-8-sig", "replace")))
    long = [table for table in tables if len(table.text) > _SHORT_TABLE]
    known = {part for name in names for part in _spoken_of_as(name)} if long else set()
    return [table for table in tables if table not in long or _names_any(table, known)]


def _names_any(table: Table, known: Collection[str]) -> bool:
    """Whether a row near the beginning names a photo: a table that is about something else may be long."""
    rows = islice(io.StringIO(table.text), _ROWS_LOOKED_AT)
    cells = (cell.strip(" \t\r\n\"'").casefold() for row in rows for cell in re.split(r"[,;\t|]", row[:_ROW_LOOKED_AT]))
    return any(cell.rsplit("/", 1)[-1] in known for cell in cells)


def _spoken_of_as(name: str) -> tuple[str, str]:
    file = name.replace("\\", "/").rsplit("/", 1)[-1].casefold()
    return file, file.rsplit(".", 1)[0]


@dataclass(frozen=True, slots=True)
class TablePlaces:
    """`places`: of each file. `words`: how the tables were understood, empty if none was of use. `notes`: sentences."""

    places: Places
    words: str
    notes: tuple[str, ...]


def places_by_table(files: Sequence[NamedFile], names: Sequence[str], tables: Sequence[Table]) -> TablePlaces:
    """The class that a table gives each photo, found by the photo's path or name, with or without its ending.

    Several tables may share the photos among them (`train.csv`, `test.csv`); where they disagree, the one that names
    more photos holds. A table of other things is passed over.
    """
    if not tables:
        return TablePlaces([file.unusable or _NO_TABLE for file in files], "", ())
    photos = Photos(files)
    read = sorted(
        (_read(table, photos, tables) for table in tables), key=lambda table: (-len(table.labels), table.name)
    )
    only_names = {table.named_by for table in read}
    used: list[_Read] = []
    for table in read:
        is_alike = not used or not used[0].spellings.isdisjoint(table.spellings)
        if table.labels and table.name not in only_names and is_alike:
            used.append(table)
    notes = [note for table in read if table in used or table.is_broken for note in table.notes]
    names_used = {name for table in used for name in (table.name, table.named_by)}
    places = [
        NoPlace("It is the table that says what the photos show.", is_table=True)
        if name in names_used
        else _place(index, file, used, read)
        for index, (name, file) in enumerate(zip(names, files, strict=True))
    ]
    return TablePlaces(without_lonely_split(places), _words(used), tuple(notes))


def _place(index: int, file: NamedFile, used: Sequence["_Read"], read: Sequence["_Read"]) -> Place | NoPlace:
    if file.unusable:
        return file.unusable
    if file.is_document:
        return NoPlace("It is not a photo.")
    for table in used:
        if index in table.labels:
            return table.labels[index]
    for table in read:
        if index in table.troubles:
            return table.troubles[index]
    return NoPlace(f"{_named([table.name for table in used])} not name it.") if used else _NO_TABLE


def _named(names: Sequence[str]) -> str:
    return f"The table {names[0]} does" if len(names) == 1 else f"The tables {' and '.join(names)} do"


def _words(used: Sequence["_Read"]) -> str:
    if not used:
        return ""
    names = " and ".join(table.name for table in used)
    noun, verb = ("table", "says") if len(used) == 1 else ("tables", "say")
    return f"The {noun} {names} {verb} what each photo shows ({used[0].column})"


@dataclass(slots=True)
class _Read:
    """What one table says. `labels`, `troubles`: by number of file. `column`: where it says so. `named_by`: the table
    that has named its numbered classes, if any."""

    name: str
    column: str = ""
    named_by: str = ""
    is_broken: bool = False
    labels: dict[int, Place] = field(default_factory=dict)
    troubles: dict[int, NoPlace] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def spellings(self) -> set[str]:
        return {spelling_key(place.label) for place in self.labels.values()}


@dataclass(frozen=True, slots=True)
class _Claim:
    """What all rows that mean the same photos say of them."""

    meant: Meant
    labels: set[str] = field(default_factory=set)
    splits: set[Split] = field(default_factory=set)


def _read(table: Table, photos: Photos, tables: Sequence[Table]) -> _Read:
    read = _Read(table.name)
    path = clean_parts(table.name)
    if not path or "submission" in path[-1].lower():  # answers to a contest, made up as an example
        return read
    try:
        rows = read_rows(table.text)
    except csv.Error:
        read.is_broken = True
        read.notes.append(f"{table.name} could not be read as a table, so it was not used.")
        return read
    columns = find_columns(rows, photos.key)
    if columns is None:
        return read
    read.column = columns.words
    _fill(read, path, rows[1:] if columns.header else rows, columns, photos)
    _name_numbers(read, [other for other in tables if other is not table])
    return read


def _fill(read: _Read, path: Folders, rows: Sequence[Row], columns: Columns, photos: Photos) -> None:
    claims, n_missing = _claims(path, rows, columns, photos)
    table_split = _split_in(stem_of(path[-1]))
    of_photo: defaultdict[int, list[_Claim]] = defaultdict(list)
    for claim in claims:
        for index in claim.meant.photos:
            of_photo[index].append(claim)
    for index, about in of_photo.items():
        place = _settled(about, read.name, innermost_split(photos.files[index].folders) or table_split)
        if isinstance(place, Place):
            read.labels[index] = place
        else:
            read.troubles[index] = place
    if n_missing:
        rows_missing = "one row names a photo" if n_missing == 1 else f"{n_missing:,} rows name photos"
        read.notes.append(f"In {read.name}, {rows_missing} that cannot be found here.")


def _claims(path: Folders, rows: Sequence[Row], columns: Columns, photos: Photos) -> tuple[list[_Claim], int]:
    """What the rows say, and how many name a photo that is not here."""
    claims: dict[int, _Claim] = {}
    n_missing = 0
    table_split = _split_in(stem_of(path[-1]))
    for row in rows:
        split = split_of(row[columns.split]) if columns.split is not None else None
        meant = photos.meant(row[columns.file], path[:-1], split or table_split)
        n_missing += row[columns.file] != "" and not meant.photos
        # By identity: `photos` gives the same answer to the same question, and keeps it.
        claim = claims.get(id(meant)) or claims.setdefault(id(meant), _Claim(meant))
        claim.labels.add(clean_label(columns.label(row)))
        if split:
            claim.splits.add(split)
    return list(claims.values()), n_missing


def _split_in(table_stem: str) -> Split | None:
    """`train_labels.csv` and `test.csv` tell of one part of the photos."""
    words = table_stem.replace("-", "_").replace(" ", "_").split("_")
    found = {split for word in words if (split := split_of(word))}
    return found.pop() if len(found) == 1 else None


def _settled(claims: Sequence[_Claim], table_name: str, other_split: Split | None) -> Place | NoPlace:
    """The rows that name most of a photo's folders hold, rather than those that only seem to mean it.

    `other_split`: what the photo's folders, or the name of the table, say of the split where the rows do not.
    """
    clear = [claim for claim in claims if not claim.meant.is_unclear]
    if not clear:
        return NoPlace(f"Several photos have this name, and {table_name} does not say which of them it means.")
    best = max(claim.meant.n_shared for claim in clear)
    clear = [claim for claim in clear if claim.meant.n_shared == best]
    labels = sorted({label for claim in clear for label in claim.labels if label})
    if not labels:
        return NoPlace(f"The table {table_name} gives it no class.")
    if len(labels) > 1:
        return NoPlace(f"The table {table_name} gives it two classes: '{labels[0]}' and '{labels[1]}'.")
    if len(labels[0]) > MAX_LABEL_CHARS:
        return NoPlace(f"The name of its class in {table_name} is longer than {MAX_LABEL_CHARS} characters.")
    splits = {split for claim in clear for split in claim.splits}
    return Place(labels[0], splits.pop() if len(splits) == 1 else other_split)


def _name_numbers(read: _Read, others: Sequence[Table]) -> None:
    """Classes that are numbers get the names that another table, such as classes.csv, gives the numbers."""
    numbers = {place.label for place in read.labels.values()}
    if not numbers or not all(map(str.isdecimal, numbers)):
        return
    for other in sorted(others, key=lambda table: table.name):
        if names := _names_of_numbers(numbers, other.text):
            read.labels = {index: Place(names[place.label], place.split) for index, place in read.labels.items()}
            read.named_by = other.name
            return


def _names_of_numbers(numbers: set[str], text: str) -> dict[str, str] | None:
    try:
        rows = read_rows(text)
    except csv.Error:
        return None  # said once already, where the table itself was read
    if not rows or len(rows[0]) < 2:
        return None
    for number_column, name_column in ((0, 1), (1, 0)):
        pairs = {row[number_column]: clean_label(row[name_column]) for row in rows}
        names = {number: name for number, name in pairs.items() if number in numbers and name and not name.isdecimal()}
        if len(names) == len(numbers) == len(set(names.values())):
            return names
    return None
