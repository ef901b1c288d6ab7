"""What one table says of the photos."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from automl.labelling.label_columns import (
    LabelColumns,
    NoSuchColumn,
    NoSuchPhotos,
    SeveralLabels,
    SeveralScores,
    Trouble,
)
from automl.labelling.label_tables import LabelTable
from automl.labelling.photo_references import PhotoIndex, ReferredPhotos
from automl.labelling.places import MAX_LABEL_CHARS, NoPlace, Place, clean_label
from automl.labelling.spellings import spelling_key
from automl.labelling.split_words import innermost_split, split_of
from automl.labelling.table_columns import find_columns, is_photo_name
from automl.labelling.table_rows import MAX_ROWS, Row, read_rows
from automl.records import Split
from automl.text.lists import quoted
from automl.text.messages import tables as table_messages
from automl.text.upload_names import Folders, clean_parts, clean_text, stem_of

_MOST_NAMED = 6
"""So many columns or classes are named in a sentence."""

_MOST_OF_SEVERAL = 0.25
"""Where a larger share of the photos has several classes, as with boxes around things, all of them are refused: those
that happen to show one thing only are no set of one class for each photo."""

_N_SAMPLED_ROWS = 1_000
"""So many rows are enough to find the column of the folders."""


@dataclass(slots=True, kw_only=True)
class TableClaims:
    """What one table says.

    Attributes:
        name: The name of the table's file.
        column: The name of the column of the classes, or its number, from 1; empty if the table says nothing of
            photos, or has one column for each class.
        has_header: Whether the columns have names.
        is_one_hot: Whether there is one column for each class.
        is_named: Whether the column is clearly named for classes, or somebody has chosen it.
        other_columns: The names of other columns that may be meant to name the class.
        named_by: The name of another table that has given names to numbered classes; empty without one.
        is_broken: Whether it cannot be read as a table.
        trouble: Why a table that should say the classes does not, as a sentence for people; empty if nothing is wrong.
        n_rows: How many rows it has.
        labels: The places that it gives, by the number of the file.
        refusals: Why it gives a photo that it names no place, by the number of the file.
        several: The numbers of the files that it gives several classes.
        notes: Sentences for people about the table as a whole.
    """

    name: str
    column: str = ""
    has_header: bool = False
    is_one_hot: bool = False
    is_named: bool = False
    other_columns: tuple[str, ...] = ()
    named_by: str = ""
    is_broken: bool = False
    trouble: str = ""
    n_rows: int = 0
    labels: dict[int, Place] = field(default_factory=dict)
    refusals: dict[int, NoPlace] = field(default_factory=dict)
    several: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def spellings(self) -> set[str]:
        """The classes that it names, each in one spelling."""
        return {spelling_key(place.label) for place in self.labels.values()}


def read_claims(
    table: LabelTable, photos: PhotoIndex, tables: Sequence[LabelTable], *, chosen: str = ""
) -> TableClaims:
    """What a table says of photos.

    Args:
        table: The table.
        photos: The photos.
        tables: All tables. Numbered classes get their names from another one of them, if it has them.
        chosen: The column that somebody has chosen for the classes, by its name or its number; empty for none.
    """
    claims = TableClaims(name=table.name)
    path = clean_parts(table.name)
    if not path or "submission" in path[-1].lower():  # answers to a contest, made up as an example
        return claims
    if table.fault:
        claims.is_broken, claims.trouble = True, table.fault
        return claims
    try:
        rows = read_rows(table.text, lambda cell: photos.reference(cell) is not None)
    except csv.Error:
        claims.is_broken, claims.trouble = True, table_messages.BROKEN.format(table=table.name)
        return claims
    claims.n_rows = len(rows)
    columns = find_columns(rows, photos.reference, chosen)
    if isinstance(columns, LabelColumns):
        body = _TableBody(path=path, rows=rows[columns.first_row :], columns=columns)
        _fill(claims, table, _with_folders(body, photos), photos)
        if len(claims.several) > _MOST_OF_SEVERAL * (len(claims.labels) + len(claims.refusals)):
            claims.labels, claims.refusals = {}, {index: claims.refusals[index] for index in claims.several}
        if claims.refusals and not claims.labels:
            claims.trouble = _why_nothing_is_said(body, claims, photos)
        _name_numbered_classes(claims, [other for other in tables if other is not table])
    elif columns is not None and photos.example:
        claims.other_columns = columns.columns if isinstance(columns, SeveralLabels) else ()
        claims.trouble = _trouble_in_words(columns, table=table.name, chosen=chosen, photo=photos.example)
    return claims


def _with_folders(body: "_TableBody", photos: PhotoIndex) -> "_TableBody":
    """The table with the folder before the name of each photo, where several have the name and a column says which."""
    file, found = body.columns.file, [photos.find(row[body.columns.file], (), None) for row in body.rows]
    unclear = [row for row, referred in zip(body.rows, found, strict=True) if referred.is_unclear]
    if 2 * len(unclear) <= len(body.rows):
        return body
    sample = unclear[:: max(1, len(unclear) // _N_SAMPLED_ROWS)]
    for index in range(len(unclear[0])):
        with_folder = [photos.find(f"{row[index]}/{row[file]}", (), None) for row in sample if row[index]]
        n_clear = sum(bool(referred.photos) and not referred.is_unclear for referred in with_folder)
        if index != file and 2 * n_clear > len(sample):
            rows = [[*row[:file], f"{row[index]}/{row[file]}", *row[file + 1 :]] for row in body.rows]
            return replace(body, rows=rows)
    return body


def _why_nothing_is_said(body: "_TableBody", claims: TableClaims, photos: PhotoIndex) -> str:
    """Why a table that names photos gives none of them a class, as a sentence; empty if it has just no classes."""
    index = min(claims.several or claims.refusals)
    named = [row for row in body.rows if index in photos.find(row[body.columns.file], (), None).photos]
    labels = sorted({label for row in named if (label := clean_label(body.columns.label(row)))})
    if not named or not labels:
        return ""
    cell, path = named[0][body.columns.file], "/".join(photos.files[index].path)
    if photos.find(cell, (), None).is_unclear:
        return table_messages.UNCLEAR_NAMES.format(table=claims.name, photo=cell, path=path)
    return table_messages.SEVERAL_CLASSES.format(table=claims.name, photo=cell, classes=quoted(labels, _MOST_NAMED))


def _trouble_in_words(trouble: Trouble, *, table: str, chosen: str, photo: str) -> str:
    match trouble:
        case NoSuchPhotos(file=file):
            return table_messages.NO_SUCH_PHOTOS.format(table=table, named=file, photo=photo)
        case NoSuchColumn(columns=columns):
            return table_messages.NO_SUCH_COLUMN.format(
                table=table, column=chosen, columns=quoted(columns, _MOST_NAMED)
            )
        case SeveralScores(columns=columns):
            return table_messages.SEVERAL_SCORES.format(table=table, columns=quoted(columns, _MOST_NAMED))
        case SeveralLabels(file=file, labels=labels, columns=()):
            return table_messages.SEVERAL_CLASSES.format(table=table, photo=file, classes=quoted(labels, _MOST_NAMED))
        case SeveralLabels(file=file, labels=labels, columns=columns):
            return table_messages.SEVERAL_CLASSES_CHOOSE.format(
                table=table, photo=file, classes=quoted(labels, _MOST_NAMED), columns=quoted(columns, _MOST_NAMED)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TableBody:
    """A table whose columns are understood.

    Attributes:
        path: The folders and the name of the table's file.
        rows: The rows without the header.
        columns: Which of the columns matter.
    """

    path: Folders
    rows: Sequence[Row]
    columns: LabelColumns

    @property
    def split(self) -> Split | None:
        """The part of the split that the name of the file names: `train_labels.csv` and `test.csv` are of one part."""
        words = stem_of(self.path[-1]).replace("-", "_").replace(" ", "_").split("_")
        found = {split for word in words if (split := split_of(word))}
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _PhotoClaim:
    """What all rows that refer to the same photos say of them.

    Attributes:
        referred: The photos.
        labels: The classes that the rows give them.
        splits: The parts of the split that the rows put them in.
        groups: The groups that the rows put them in.
    """

    referred: ReferredPhotos
    labels: set[str] = field(default_factory=set)
    splits: set[Split] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)


def _fill(claims: TableClaims, table: LabelTable, body: _TableBody, photos: PhotoIndex) -> None:
    """Fills `claims` with what the columns say."""
    columns = body.columns
    claims.is_one_hot, claims.is_named, claims.has_header = (
        len(columns.labels) > 1,
        columns.is_named,
        bool(columns.header),
    )
    claims.column = "" if claims.is_one_hot else columns.name(columns.labels[0])
    claims.other_columns = tuple(map(columns.name, columns.others))
    _settle_photos(claims, body, photos)
    claims.notes += _notes_on_columns(claims, columns)
    if table.encoding:
        claims.notes.append(table_messages.READ_IN_ENCODING.format(table=table.name, encoding=table.encoding))
    if len(body.rows) >= MAX_ROWS - 1:
        claims.notes.append(table_messages.CUT.format(table=table.name, most=MAX_ROWS))


def _notes_on_columns(claims: TableClaims, columns: LabelColumns) -> list[str]:
    notes = []
    if columns.are_shares:
        names = quoted([columns.name(index) for index in columns.labels], _MOST_NAMED)
        notes.append(table_messages.SHARES.format(table=claims.name, columns=names))
    if claims.other_columns and not claims.is_named:
        n, others = len(claims.other_columns), quoted(claims.other_columns, _MOST_NAMED)
        notes.append(table_messages.OTHER_COLUMNS.format(n=n, table=claims.name, column=claims.column, others=others))
    if columns.group is not None:
        notes.append(table_messages.GROUPED.format(table=claims.name, column=columns.name(columns.group)))
    return notes


def _settle_photos(claims: TableClaims, body: _TableBody, photos: PhotoIndex) -> None:
    """Fills the labels, refusals and notes of `claims`."""
    about_photos, n_missing = _claims_of_rows(body, photos)
    table_split = body.split
    of_photo: defaultdict[int, list[_PhotoClaim]] = defaultdict(list)
    for claim in about_photos:
        for index in claim.referred.photos:
            of_photo[index].append(claim)
    for index, about in of_photo.items():
        place = _settled(about, claims.name, innermost_split(photos.files[index].folders) or table_split)
        if isinstance(place, Place):
            claims.labels[index] = place
        else:
            claims.refusals[index] = place
            if len(_clear_labels(about)) > 1:
                claims.several.append(index)
    if n_missing:
        claims.notes.append(table_messages.MISSING_PHOTOS.format(table=claims.name, n=n_missing))


def _claims_of_rows(body: _TableBody, photos: PhotoIndex) -> tuple[list[_PhotoClaim], int]:
    """What the rows say, and how many of them name a photo that is not here."""
    claims: dict[int, _PhotoClaim] = {}
    n_missing = 0
    columns, table_folders, table_split = body.columns, body.path[:-1], body.split
    for row in body.rows:
        split = columns.split.part(row) if columns.split is not None else None
        referred = photos.find(row[columns.file], table_folders, split or table_split)
        n_missing += row[columns.file] != "" and not referred.photos
        # By identity: the index gives the same answer to the same question, and keeps it, so no number is used twice.
        claim = claims.get(id(referred)) or claims.setdefault(id(referred), _PhotoClaim(referred=referred))
        claim.labels.add(clean_label(columns.label(row)))
        if split:
            claim.splits.add(split)
        if columns.group is not None and (group := clean_text(row[columns.group])):
            claim.groups.add(group)
    return list(claims.values()), n_missing


def _settled(claims: Sequence[_PhotoClaim], table_name: str, other_split: Split | None) -> Place | NoPlace:
    """The place that the claims about one photo give it together.

    Rows that name most of a photo's folders count, and not those that may only seem to refer to it.

    Args:
        claims: All of which refer to the photo.
        table_name: The name of the table, for messages.
        other_split: What the photo's folders, or the name of the table, say of the split where the rows say nothing.
    """
    clear = _clear(claims)
    if not clear:
        return NoPlace(reason=table_messages.UNCLEAR_NAME.format(n=1, table=table_name))
    labels = _clear_labels(claims)
    if not labels:
        return NoPlace(reason=table_messages.NO_CLASS.format(n=1, table=table_name))
    if len(labels) > 1:
        return NoPlace(
            reason=table_messages.TWO_CLASSES.format(n=1, table=table_name, first=labels[0], second=labels[1])
        )
    if len(labels[0]) > MAX_LABEL_CHARS:
        return NoPlace(reason=table_messages.LONG_CLASS.format(n=1, table=table_name, most=MAX_LABEL_CHARS))
    splits = {split for claim in clear for split in claim.splits}
    groups = {group for claim in clear for group in claim.groups}
    return Place(
        label=labels[0],
        split=splits.pop() if len(splits) == 1 else other_split,
        group=groups.pop() if len(groups) == 1 else "",
    )


def _clear(claims: Sequence[_PhotoClaim]) -> list[_PhotoClaim]:
    """The claims that surely refer to the photo."""
    clear = [claim for claim in claims if not claim.referred.is_unclear]
    # `a/1.jpg` in one row and `1.jpg` in another may both refer to `a/1.jpg`; the first one surely does.
    best = max((claim.referred.n_shared for claim in clear), default=0)
    return [claim for claim in clear if claim.referred.n_shared == best]


def _clear_labels(claims: Sequence[_PhotoClaim]) -> list[str]:
    return sorted({label for claim in _clear(claims) for label in claim.labels if label})


def _name_numbered_classes(claims: TableClaims, others: Sequence[LabelTable]) -> None:
    """Gives classes that are numbers the names that another table, such as classes.csv, has for the numbers."""
    numbers = {place.label for place in claims.labels.values()}
    if not numbers or not all(map(str.isdecimal, numbers)):
        return
    for other in sorted(others, key=lambda table: table.name):
        if names := _names_of_numbers(numbers, other.text):
            claims.labels = {index: replace(place, label=names[place.label]) for index, place in claims.labels.items()}
            claims.named_by = other.name
            return


def _is_class_name(text: str) -> bool:
    """Whether a text names a class: neither another number nor the photo of an example."""
    return bool(text) and not text.isdecimal() and not is_photo_name(text)


def _names_of_numbers(numbers: set[str], text: str) -> dict[str, str] | None:
    """The name of each number, where the table in `text` gives all of them different names."""
    try:
        rows = read_rows(text, numbers.__contains__)
    except csv.Error:
        return None  # said once already, where the table itself was read
    if not rows or len(rows[0]) < 2:
        return None
    for number_column, name_column in ((0, 1), (1, 0)):
        pairs = {row[number_column]: clean_label(row[name_column]) for row in rows}
        names = {number: name for number, name in pairs.items() if number in numbers and _is_class_name(name)}
        if len(names) == len(numbers) == len(set(names.values())):
            return names
    return None
