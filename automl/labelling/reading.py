"""From the names of files to classes: how a person has laid out the photos, read from folders, names or a table.

A name is only ever read as text. Nothing here touches the file system.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from automl.labelling.companions import has_class_folders, without_companions
from automl.labelling.file_names import places_by_names
from automl.labelling.folders import FolderReading
from automl.labelling.label_tables import LabelTable
from automl.labelling.layout_description import describe_layout, listed
from automl.labelling.named_file import NamedFile
from automl.labelling.places import NoPlace, Place, Places, Reading
from automl.labelling.spellings import joined_spellings
from automl.labelling.table_places import TablePlaces, TableReading, covers_most, places_by_table, win_over_folders
from automl.records import Split
from automl.text.messages import labelling as labelling_messages

_UNUSED_TABLE = NoPlace(reason=labelling_messages.UNUSED_TABLE.one)

_READERS: Mapping[Reading, Callable[[Sequence[NamedFile], FolderReading, TablePlaces], Places]] = {
    Reading.FOLDERS: lambda _, by_folders, __: by_folders.by_outermost(),
    Reading.TABLE: lambda _, __, by_table: by_table.places,
    Reading.NAMES: lambda files, by_folders, _: places_by_names(files, by_folders.splits),
    Reading.PARENT: lambda _, by_folders, __: by_folders.by_innermost(),
}
"""How each reading finds places. The order is that in which other readings are offered: the likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherReading:
    """Another way to read the same files that gives at least two classes.

    Attributes:
        reading: What the classes would be read from.
        description: What that gives, as a sentence for people.
        column: The column of the table that they would be read from; empty for the one that is found.
    """

    reading: Reading
    description: str
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each file belongs.

    Attributes:
        reading: What the classes were read from.
        places: The place of each file, in the order of the names.
        description: How the files were understood, as a sentence for people.
        notes: More sentences for people.
        joined: Those of the notes that say which spellings were taken for one class.
        others: What else may have been meant, the likeliest first.
    """

    reading: Reading
    places: Places
    description: str
    notes: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    others: tuple[OtherReading, ...] = ()


def read_layout(
    names: Sequence[str],
    tables: Sequence[LabelTable] = (),
    *,
    reading: Reading | None = None,
    column: str = "",
    join_spellings: bool = True,
) -> Layout:
    """Finds out where each file belongs.

    Args:
        names: Relative paths with / or \\.
        tables: Those of the files that may be tables of labels.
        reading: What to read the classes from. None takes a table that gives most photos a class, if it says clearly
            that it does, else folders if they give at least two classes, else any table that gives most photos one,
            else the names of the files. Folders that are but dates or numbered lots come last.
        column: The column of the tables that somebody has chosen for the classes, by its name or its number; empty for
            none.
        join_spellings: Whether to take `Cat` and `cat ` for one class.
    """
    named = [NamedFile.of(name) for name in names]
    files = without_companions(named)
    by_folders = FolderReading.of(files if has_class_folders(files) else named)
    by_table = places_by_table(files, names, tables, column=column)
    found = {
        known: _read(
            known,
            files=files,
            places=read_places(files, by_folders, by_table),
            join_spellings=join_spellings,
            by_table=by_table.understood,
            outer_folders=by_folders.outer_folders,
        )
        for known, read_places in _READERS.items()
    }
    if reading is None:
        reading = Reading.TABLE if column else _guess(found, by_folders, by_table)
    chosen = found[reading]
    columns = by_table.columns if reading is Reading.TABLE else {}
    others = (
        *(OtherReading(reading=reading, description=words, column=other) for other, words in columns.items()),
        *(
            OtherReading(reading=other.reading, description=_described_with_classes(files, other))
            for other in found.values()
            if other.is_likely and other.reading is not reading and _is_different(files, other.places, chosen.places)
        ),
    )
    return Layout(
        reading=reading,
        places=_with_unused_tables(chosen, names, tables),
        description=chosen.description,
        notes=(
            *chosen.joined,
            *filter(None, [chosen.note]),
            *(by_table.notes if reading is Reading.TABLE else by_table.faults),
        ),
        joined=chosen.joined,
        others=others,
    )


def _described_with_classes(files: Sequence[NamedFile], other: "_ReadPlaces") -> str:
    """The sentence about another reading, with some of its classes, so that people can tell which one they mean."""
    classes = sorted(set(_labels_of_photos(files, other.places)))
    return labelling_messages.OTHER_READING.format(words=other.description, classes=listed(classes))


def _guesses(by_folders: FolderReading) -> Sequence[Reading]:
    """The readings of which the first likely one is taken where nobody has chosen one."""
    folders = Reading.PARENT if by_folders.is_inner_likelier else Reading.FOLDERS
    others = (Reading.TABLE, Reading.NAMES)
    return (*others, folders) if by_folders.are_lots and folders is Reading.FOLDERS else (folders, *others)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadPlaces:
    """What one reading gives.

    Attributes:
        reading: What the classes were read from.
        places: The place of each file.
        description: A sentence for people.
        joined: A sentence for each spelling that was taken for another one.
        note: A sentence about the split that the photos come with; empty if there is nothing to say.
        is_likely: Whether the reading makes sense, and so may be what the owner of the photos has meant.
    """

    reading: Reading
    places: Places
    description: str
    joined: tuple[str, ...]
    note: str
    is_likely: bool


def _read(
    reading: Reading,
    *,
    files: Sequence[NamedFile],
    places: Places,
    join_spellings: bool,
    by_table: TableReading | None,
    outer_folders: Sequence[str],
) -> _ReadPlaces:
    labels = _labels_of_photos(files, places)
    joined = joined_spellings(labels) if join_spellings else {}
    if joined:
        places = [_with_joined_label(place, joined) for place in places]
        labels = _labels_of_photos(files, places)
    places, note = _with_usable_split(places) if reading is not Reading.PARENT else (places, "")
    n_photos = sum(file.is_photo for file in files)
    return _ReadPlaces(
        reading=reading,
        places=places,
        description=describe_layout(
            reading,
            files=files,
            places=places,
            labels=labels,
            by_table=by_table,
            outer_folders=outer_folders,
        ),
        note=note,
        joined=tuple(
            labelling_messages.JOINED_SPELLING.format(label=label, kept=kept) for label, kept in sorted(joined.items())
        ),
        is_likely=_is_likely(reading, labels, n_photos, covers_most(files, places)),
    )


def _with_usable_split(places: Places) -> tuple[Places, str]:
    """The places without their split where it leaves a single class to learn from, and a sentence that says so.

    So it is with sets for finding faults: all of them are in the test part, and only good ones are learned from.
    """
    found = [place for place in places if isinstance(place, Place)]
    labels = {place.label for place in found}
    learned = {place.label for place in found if place.split is not Split.TEST}
    tested = {place.label for place in found if place.split is Split.TEST}
    if len(labels) < 2 or len(learned) != 1 or learned.isdisjoint(tested):
        return places, ""
    without = [replace(place, split=None) if isinstance(place, Place) else place for place in places]
    return without, labelling_messages.ONE_CLASS_TO_LEARN.format(label=learned.pop())


def _guess(found: Mapping[Reading, _ReadPlaces], by_folders: FolderReading, by_table: TablePlaces) -> Reading:
    """The reading that is meant, where nobody has said."""
    guesses = _guesses(by_folders)
    folders, table = found[guesses[0]], found[Reading.TABLE]
    if folders.is_likely and table.is_likely and win_over_folders(by_table, folders.places):
        return Reading.TABLE
    # Where nothing gives classes, a table that should is to blame, and its sentence says why.
    last = Reading.TABLE if by_table.trouble else Reading.FOLDERS
    return next((guess for guess in guesses if found[guess].is_likely), last)


def _labels_of_photos(files: Sequence[NamedFile], places: Places) -> list[str]:
    """One label for each photo that has a place, in order."""
    return [
        place.label
        for file, place in zip(files, places, strict=True)
        if isinstance(place, Place) and not file.is_document
    ]


def _is_likely(reading: Reading, labels: Sequence[str], n_photos: int, covers_its_folders: bool) -> bool:
    """Whether the reading makes sense: names of files that mostly differ are names, not classes."""
    n_placed, n_classes = len(labels), len(set(labels))
    if n_classes < 2 or reading in (Reading.FOLDERS, Reading.PARENT):
        return n_classes >= 2
    if reading is Reading.TABLE:
        return covers_its_folders
    return n_placed > n_photos / 2 and n_classes <= max(2, n_placed // 2)


def _is_different(files: Sequence[NamedFile], some: Places, others: Places) -> bool:
    """Whether any photo has another place, whatever the reasons of those that have none."""
    return any(
        file.is_photo and one != other and (isinstance(one, Place) or isinstance(other, Place))
        for file, one, other in zip(files, some, others, strict=True)
    )


def _with_joined_label(place: Place | NoPlace, joined: Mapping[str, str]) -> Place | NoPlace:
    if isinstance(place, Place) and place.label in joined:
        return replace(place, label=joined[place.label])
    return place


def _with_unused_tables(found: _ReadPlaces, names: Sequence[str], tables: Sequence[LabelTable]) -> Places:
    """The places, in which tables that were not used are called tables, whatever folder they lie in."""
    if found.reading is Reading.TABLE or not tables:
        return found.places
    # Most texts are no tables, so little is said of them.
    table_names = {table.name for table in tables if not table.name.lower().endswith(".txt")}
    return [
        _UNUSED_TABLE if name in table_names and not (isinstance(place, NoPlace) and place.is_junk) else place
        for name, place in zip(names, found.places, strict=True)
    ]
