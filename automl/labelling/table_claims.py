"""What one table says of the photos."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from automl.labelling.label_tables import LabelTable
from automl.labelling.photo_references import PhotoIndex, ReferredPhotos
from automl.labelling.places import MAX_LABEL_CHARS, NoPlace, Place, clean_label
from automl.labelling.spellings import spelling_key
from automl.labelling.split_words import innermost_split, split_of
from automl.labelling.table_columns import LabelColumns, Row, find_columns, read_rows
from automl.records import Split
from automl.text.upload_names import Folders, clean_parts, stem_of


@dataclass(slots=True, kw_only=True)
class TableClaims:
    """What one table says.

    Attributes:
        name: The name of the table's file.
        label_column: Where in the table the classes are, in words for people; empty if it says nothing of photos.
        named_by: The name of another table that has given names to numbered classes; empty without one.
        is_broken: Whether it cannot be read as a table.
        labels: The places that it gives, by the number of the file.
        refusals: Why it gives a photo that it names no place, by the number of the file.
        notes: Sentences for people about the table as a whole.
    """

    name: str
    label_column: str = ""
    named_by: str = ""
    is_broken: bool = False
    labels: dict[int, Place] = field(default_factory=dict)
    refusals: dict[int, NoPlace] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def spellings(self) -> set[str]:
        """The classes that it names, each in one spelling."""
        return {spelling_key(place.label) for place in self.labels.values()}


def read_claims(table: LabelTable, photos: PhotoIndex, tables: Sequence[LabelTable]) -> TableClaims:
    """What `table` says of `photos`. Numbered classes get their names from another one of `tables`, if it has them."""
    claims = TableClaims(name=table.name)
    path = clean_parts(table.name)
    if not path or "submission" in path[-1].lower():  # answers to a contest, made up as an example
        return claims
    try:
        rows = read_rows(table.text)
    except csv.Error:
        claims.is_broken = True
        claims.notes.append(f"{table.name} could not be read as a table, so it was not used.")
        return claims
    columns = find_columns(rows, photos.key)
    if columns is None:
        return claims
    claims.label_column = columns.label_column
    _settle_photos(claims, _TableBody(path=path, rows=rows[1:] if columns.header else rows, columns=columns), photos)
    _name_numbered_classes(claims, [other for other in tables if other is not table])
    return claims


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
    """

    referred: ReferredPhotos
    labels: set[str] = field(default_factory=set)
    splits: set[Split] = field(default_factory=set)


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
    if n_missing:
        rows_missing = "one row names a photo" if n_missing == 1 else f"{n_missing:,} rows name photos"
        claims.notes.append(f"In {claims.name}, {rows_missing} that cannot be found here.")


def _claims_of_rows(body: _TableBody, photos: PhotoIndex) -> tuple[list[_PhotoClaim], int]:
    """What the rows say, and how many of them name a photo that is not here."""
    claims: dict[int, _PhotoClaim] = {}
    n_missing = 0
    columns, table_folders, table_split = body.columns, body.path[:-1], body.split
    for row in body.rows:
        split = split_of(row[columns.split]) if columns.split is not None else None
        referred = photos.find(row[columns.file], table_folders, split or table_split)
        n_missing += row[columns.file] != "" and not referred.photos
        # By identity: the index gives the same answer to the same question, and keeps it, so no number is used twice.
        claim = claims.get(id(referred)) or claims.setdefault(id(referred), _PhotoClaim(referred=referred))
        claim.labels.add(clean_label(columns.label(row)))
        if split:
            claim.splits.add(split)
    return list(claims.values()), n_missing


def _settled(claims: Sequence[_PhotoClaim], table_name: str, other_split: Split | None) -> Place | NoPlace:
    """The place that the claims about one photo give it together.

    Rows that name most of a photo's folders count, and not those that may only seem to refer to it.

    Args:
        claims: All of which refer to the photo.
        table_name: The name of the table, for messages.
        other_split: What the photo's folders, or the name of the table, say of the split where the rows say nothing.
    """
    clear = [claim for claim in claims if not claim.referred.is_unclear]
    if not clear:
        return NoPlace(reason=f"Several photos have this name, and {table_name} does not say which of them it means.")
    # `a/1.jpg` in one row and `1.jpg` in another may both refer to `a/1.jpg`; the first one surely does.
    best = max(claim.referred.n_shared for claim in clear)
    clear = [claim for claim in clear if claim.referred.n_shared == best]
    labels = sorted({label for claim in clear for label in claim.labels if label})
    if not labels:
        return NoPlace(reason=f"The table {table_name} gives it no class.")
    if len(labels) > 1:
        return NoPlace(reason=f"The table {table_name} gives it two classes: '{labels[0]}' and '{labels[1]}'.")
    if len(labels[0]) > MAX_LABEL_CHARS:
        return NoPlace(reason=f"The name of its class in {table_name} is longer than {MAX_LABEL_CHARS} characters.")
    splits = {split for claim in clear for split in claim.splits}
    return Place(label=labels[0], split=splits.pop() if len(splits) == 1 else other_split)


def _name_numbered_classes(claims: TableClaims, others: Sequence[LabelTable]) -> None:
    """Gives classes that are numbers the names that another table, such as classes.csv, has for the numbers."""
    numbers = {place.label for place in claims.labels.values()}
    if not numbers or not all(map(str.isdecimal, numbers)):
        return
    for other in sorted(others, key=lambda table: table.name):
        if names := _names_of_numbers(numbers, other.text):
            claims.labels = {
                index: Place(label=names[place.label], split=place.split) for index, place in claims.labels.items()
            }
            claims.named_by = other.name
            return


def _names_of_numbers(numbers: set[str], text: str) -> dict[str, str] | None:
    """The name of each number, where the table in `text` gives all of them different names."""
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
