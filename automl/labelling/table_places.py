"""Classes from tables of labels: the place that all tables together give each photo."""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.labelling.label_tables import LabelTable
from automl.labelling.named_file import NamedFile
from automl.labelling.photo_references import PhotoIndex
from automl.labelling.places import NoPlace, Place, Places, without_lonely_split
from automl.labelling.table_claims import TableClaims, read_claims

_NO_TABLE = NoPlace(reason="No table here says what it shows.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlaces:
    """What the tables say.

    Attributes:
        places: The place of each file.
        description: How the tables were understood, as the beginning of a sentence; empty if none was of use.
        notes: Sentences for people about what is wrong with the tables.
    """

    places: Places
    description: str
    notes: tuple[str, ...]


def places_by_table(files: Sequence[NamedFile], names: Sequence[str], tables: Sequence[LabelTable]) -> TablePlaces:
    """The class that a table gives each photo, found by the photo's path or name, with or without its ending.

    Several tables may share the photos among them (`train.csv`, `test.csv`). Where they disagree, the one that names
    more photos counts. A table of other things is passed over.

    Args:
        files: All files, in parts.
        names: The name of each file, as the tables have them.
        tables: Those of the files that may be tables of labels.
    """
    if not tables:
        return TablePlaces(places=[file.unusable or _NO_TABLE for file in files], description="", notes=())
    photos = PhotoIndex(files)
    read = sorted(
        (read_claims(table, photos, tables) for table in tables), key=lambda claims: (-len(claims.labels), claims.name)
    )
    used = _of_use(read)
    notes = [note for claims in read if claims in used or claims.is_broken for note in claims.notes]
    names_used = {name for claims in used for name in (claims.name, claims.named_by)}
    places = [
        NoPlace(reason="It is the table that says what the photos show.", is_table=True)
        if name in names_used
        else _place(index, file, used=used, read=read)
        for index, (name, file) in enumerate(zip(names, files, strict=True))
    ]
    return TablePlaces(places=without_lonely_split(places), description=_description(used), notes=tuple(notes))


def _of_use(read: Sequence[TableClaims]) -> list[TableClaims]:
    """The tables that give classes, the one that names most photos first.

    A table that shares no class with the first one is about something else, such as who took the photos.
    """
    only_names = {claims.named_by for claims in read}
    used: list[TableClaims] = []
    for claims in read:
        is_alike = not used or not used[0].spellings.isdisjoint(claims.spellings)
        if claims.labels and claims.name not in only_names and is_alike:
            used.append(claims)
    return used


def _place(index: int, file: NamedFile, *, used: Sequence[TableClaims], read: Sequence[TableClaims]) -> Place | NoPlace:
    if file.unusable:
        return file.unusable
    if file.is_document:
        return NoPlace(reason="It is not a photo.")
    for claims in used:
        if index in claims.labels:
            return claims.labels[index]
    for claims in read:
        if index in claims.refusals:
            return claims.refusals[index]
    return _not_named(used) if used else _NO_TABLE


def _not_named(used: Sequence[TableClaims]) -> NoPlace:
    names = [claims.name for claims in used]
    if len(names) == 1:
        return NoPlace(reason=f"The table {names[0]} does not name it.")
    return NoPlace(reason=f"The tables {' and '.join(names)} do not name it.")


def _description(used: Sequence[TableClaims]) -> str:
    if not used:
        return ""
    names = " and ".join(claims.name for claims in used)
    noun, verb = ("table", "says") if len(used) == 1 else ("tables", "say")
    return f"The {noun} {names} {verb} what each photo shows ({used[0].label_column})"
