"""Classes from tables of labels: the place that all tables together give each photo."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from automl.labelling.label_tables import LabelTable
from automl.labelling.named_file import NamedFile
from automl.labelling.photo_references import PhotoIndex
from automl.labelling.places import NoPlace, Place, Places, without_lonely_split
from automl.labelling.spellings import spelling_key
from automl.labelling.table_claims import TableClaims, read_claims
from automl.text.lists import names_in_words
from automl.text.messages import tables as table_messages

_MANY_MORE = 1.1
"""Tables that name more photos than so many times those in class folders are about more than these."""

_FEWEST_FOR_EACH = 3
"""A table that names so many photos for each one of another table is the one to learn from."""

_NO_TABLE = NoPlace(reason=table_messages.NO_TABLE.one)
_THE_TABLE = NoPlace(reason=table_messages.IS_THE_TABLE, is_table=True)
_BY_NAME = {
    True: (table_messages.READ, table_messages.READ_WITH_PARTS),
    False: (table_messages.READ_SEVERAL, table_messages.READ_SEVERAL_WITH_PARTS),
}
_BY_NUMBER = {
    True: (table_messages.READ_BY_NUMBER, table_messages.READ_BY_NUMBER_WITH_PARTS),
    False: (table_messages.READ_SEVERAL_BY_NUMBER, table_messages.READ_SEVERAL_BY_NUMBER_WITH_PARTS),
}
_ONE_HOT = {
    True: (table_messages.READ_ONE_HOT, table_messages.READ_ONE_HOT_WITH_PARTS),
    False: (table_messages.READ_SEVERAL_ONE_HOT, table_messages.READ_SEVERAL_ONE_HOT_WITH_PARTS),
}
"""The sentence, and the one for photos that come with a split of their own, by whether one table alone was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReading:
    """How the tables were understood.

    Attributes:
        tables: The names of the tables, in words.
        column: The name or the number of the column with the classes; empty where each class has a column.
        sentence: The message that says so.
        sentence_with_parts: The same where the photos come with a split of their own.
    """

    tables: str
    column: str
    sentence: str
    sentence_with_parts: str

    @classmethod
    def of(cls, used: Sequence[TableClaims]) -> "TableReading":
        """How the tables of `used`, at least one, were understood."""
        first, is_alone = used[0], len(used) == 1
        if first.is_one_hot:
            sentences = _ONE_HOT[is_alone]
        elif first.has_header and not first.column.isdecimal():
            sentences = _BY_NAME[is_alone]
        else:
            sentences = _BY_NUMBER[is_alone]
        tables = names_in_words([claims.name for claims in used])
        return cls(tables=tables, column=first.column, sentence=sentences[0], sentence_with_parts=sentences[1])

    def words(self, parts: str) -> str:
        """The sentence; `parts` are those of the split that the photos come with, empty without any."""
        sentence = self.sentence_with_parts if parts else self.sentence
        return sentence.format(table=self.tables, column=self.column, parts=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlaces:
    """What the tables say.

    Attributes:
        places: The place of each file.
        understood: How the tables were understood; None if none was of use.
        notes: Sentences for people about what is wrong with the tables.
        trouble: Why no table says the classes though one should, as a sentence; empty if there is nothing to say.
        faults: Sentences for people about tables that could not be opened; they are among the notes.
        is_named: Whether the classes stand in a column that is clearly named for classes, or that somebody has chosen.
        columns: For the name of each other column that may be meant to name the class a sentence that says so.
    """

    places: Places
    understood: TableReading | None = None
    notes: tuple[str, ...] = ()
    trouble: str = ""
    faults: tuple[str, ...] = ()
    is_named: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)


def places_by_table(
    files: Sequence[NamedFile], names: Sequence[str], tables: Sequence[LabelTable], *, column: str = ""
) -> TablePlaces:
    """The class that a table gives each photo, found by the photo's path or name, with or without its ending.

    Several tables may share the photos among them (`train.csv`, `test.csv`). Where they disagree, the one that names
    more photos counts. A table of other things is passed over.

    Args:
        files: All files, in parts.
        names: The name of each file, as the tables have them.
        tables: Those of the files that may be tables of labels.
        column: The column that somebody has chosen for the classes, by its name or its number; empty for none.
    """
    if not tables:
        return TablePlaces(places=[file.unusable or _NO_TABLE for file in files])
    photos = PhotoIndex(files)
    read = sorted(
        (read_claims(table, photos, tables, chosen=column) for table in tables),
        key=lambda claims: (-len(claims.labels), -claims.n_rows, claims.name),
    )
    used = _of_use(read)
    notes = [note for claims in read if claims in used for note in claims.notes]
    troubled = [claims for claims in read if claims.trouble and (claims.is_broken or not used)]
    names_used = {name for claims in used for name in (claims.name, claims.named_by)}
    trouble = troubled[0].trouble if troubled and not used else ""
    places = [
        _THE_TABLE if name in names_used else _place(index, file, used=used, read=read, trouble=trouble)
        for index, (name, file) in enumerate(zip(names, files, strict=True))
    ]
    return TablePlaces(
        places=without_lonely_split(places),
        understood=TableReading.of(used) if used else None,
        notes=(*notes, *(claims.trouble for claims in troubled)),
        trouble=trouble,
        faults=tuple(table.fault for table in tables if table.fault),
        is_named=bool(used) and used[0].is_named,
        columns=_other_columns((*used, *troubled)[0]) if used or troubled else {},
    )


def covers_most(files: Sequence[NamedFile], places: Places) -> bool:
    """Whether tables name enough photos to be about them.

    That is most of all photos, or of those in the folders in which they name any: a test set without classes often lies
    beside, and may be larger. In one folder with others, a quarter is enough.
    """
    n_photos = Counter(file.folders for file in files if file.is_photo)
    n_named = Counter(
        file.folders for file, place in zip(files, places, strict=True) if file.is_photo and isinstance(place, Place)
    )
    return 4 * n_named.total() >= n_photos.total() or 2 * n_named.total() > sum(map(n_photos.__getitem__, n_named))


def win_over_folders(by_table: TablePlaces, by_folders: Places) -> bool:
    """Whether tables say the classes better than folders do that could be classes, too.

    So they do where a column is clearly named for classes and they name most of the photos, unless they say no more
    than the folders: these may hold photos that no table names. Tables that say the same say more where they name all
    of the photos and put them into parts of the split, or name others that lie in no class folder.
    """
    pairs = [
        (table.label if isinstance(table, Place) else None, folder.label)
        for table, folder in zip(by_table.places, by_folders, strict=True)
        if isinstance(folder, Place)
    ]
    named = [(table, folder) for table, folder in pairs if table is not None]
    is_other = any(spelling_key(table) != spelling_key(folder) for table, folder in named)
    if not is_other:
        return len(named) == len(pairs) and _say_more(by_table.places, by_folders)
    return by_table.is_named and 2 * len(named) > len(pairs)


def _say_more(by_table: Places, by_folders: Places) -> bool:
    """Whether tables that name all photos in class folders divide them, or name many others as well."""
    of_table, of_folders = ([one for one in found if isinstance(one, Place)] for found in (by_table, by_folders))
    brings_split = any(place.split for place in of_table) and not any(place.split for place in of_folders)
    brings_groups = any(place.group for place in of_table) and not any(place.group for place in of_folders)
    return brings_split or brings_groups or len(of_table) > _MANY_MORE * len(of_folders)


def _other_columns(claims: TableClaims) -> dict[str, str]:
    return {
        column: table_messages.OTHER_COLUMN_READ.format(table=claims.name, column=column)
        for column in claims.other_columns
    }


def _of_use(read: Sequence[TableClaims]) -> list[TableClaims]:
    """The tables that give classes, the one that names most photos first.

    A table that shares no class with the first one is about something else, such as who took the photos.
    """
    only_names = {claims.named_by for claims in read}
    used: list[TableClaims] = []
    for claims in read:
        is_alike = not used or (
            not used[0].spellings.isdisjoint(claims.spellings) and not _shows_classes(claims, used[0])
        )
        if claims.labels and claims.name not in only_names and is_alike:
            used.append(claims)
    return used


def _shows_classes(claims: TableClaims, main: TableClaims) -> bool:
    """Whether a table names but one picture for each class of another one that names many: an icon, or an example."""
    n_photos, has_split = len(claims.labels), any(place.split for place in claims.labels.values())
    return not has_split and n_photos == len(claims.spellings) and _FEWEST_FOR_EACH * n_photos <= len(main.labels)


def _place(
    index: int, file: NamedFile, *, used: Sequence[TableClaims], read: Sequence[TableClaims], trouble: str
) -> Place | NoPlace:
    if file.unusable:
        return file.unusable
    if file.is_document:
        return NoPlace(reason=table_messages.NO_PHOTO)
    for claims in used:
        if index in claims.labels:
            return claims.labels[index]
    if trouble:
        return NoPlace(reason=trouble)
    for claims in read:
        if index in claims.refusals:
            return claims.refusals[index]
    return _not_named(used) if used else _NO_TABLE


def _not_named(used: Sequence[TableClaims]) -> NoPlace:
    names = [claims.name for claims in used]
    if len(names) == 1:
        return NoPlace(reason=table_messages.NOT_NAMED.format(n=1, table=names[0]))
    return NoPlace(reason=table_messages.NOT_NAMED_BY_SEVERAL.format(n=1, tables=names_in_words(names)))
