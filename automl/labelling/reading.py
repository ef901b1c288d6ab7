"""From the names of files to classes: how a person has laid out the photos, read from folders, names or a table.

A name is only ever read as text. Nothing here touches the file system.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.labelling.file_names import places_by_names
from automl.labelling.folders import places_by_folders, places_by_parent
from automl.labelling.label_tables import Table, places_by_table
from automl.labelling.layout_description import words_for
from automl.labelling.places import MAX_LABEL_CHARS, NamedFile, NoPlace, Place, Places, Reading, labels_of, split_of
from automl.labelling.spellings import joined_spellings

__all__ = [
    "MAX_LABEL_CHARS",
    "Layout",
    "NoPlace",
    "Other",
    "Place",
    "Reading",
    "Table",
    "read_layout",
    "split_of",
]

_UNUSED_TABLE = NoPlace("It is a table, not a photo, and was not needed to tell the classes.")


@dataclass(frozen=True, slots=True)
class Other:
    """Another way to read the same files that gives at least two classes. `words`: a sentence for people."""

    reading: Reading
    words: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each file belongs, in the order of the names.

    `words`: a sentence for people; `notes`: more of them, of which `joined` tell of spellings taken for one class.
    `others`: what else may have been meant, the likeliest first.
    """

    reading: Reading
    places: Places
    words: str
    notes: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    others: tuple[Other, ...] = ()


def read_layout(
    names: Sequence[str], tables: Sequence[Table] = (), reading: Reading | None = None, join_spellings: bool = True
) -> Layout:
    """Where each of `names` (relative paths with / or \\) belongs, in their order.

    `tables`: those among the files. `reading`: None to guess: folders if they give at least two classes, else a table
    that gives most photos one, else the names of the files. `join_spellings`: take `Cat` and `cat ` for one class.
    """
    files = [NamedFile.of(name) for name in names]
    by_table = places_by_table(files, names, tables)
    found = {
        Reading.FOLDERS: _Found.of(Reading.FOLDERS, files, places_by_folders(files), join_spellings),
        Reading.TABLE: _Found.of(Reading.TABLE, files, by_table.places, join_spellings, by_table.words),
        Reading.NAMES: _Found.of(Reading.NAMES, files, places_by_names(files), join_spellings),
        Reading.PARENT: _Found.of(Reading.PARENT, files, places_by_parent(files), join_spellings),
    }
    if reading is None:
        guesses = (Reading.FOLDERS, Reading.TABLE, Reading.NAMES)
        reading = next((guess for guess in guesses if found[guess].is_likely), Reading.FOLDERS)
    chosen = found[reading]
    others = tuple(
        Other(other.reading, other.words)
        for other in found.values()
        if other.is_likely and other.reading is not reading and _is_different(files, other.places, chosen.places)
    )
    notes = (*chosen.joined, *(by_table.notes if reading is Reading.TABLE else ()))
    return Layout(reading, _tables_told(chosen, names, tables), chosen.words, notes, chosen.joined, others)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one reading gives. `words`: a sentence. `joined`: a sentence for each spelling that was joined."""

    reading: Reading
    places: Places
    words: str
    joined: tuple[str, ...]
    is_likely: bool

    @classmethod
    def of(
        cls, reading: Reading, files: Sequence[NamedFile], places: Places, join_spellings: bool, table_words: str = ""
    ) -> "_Found":
        labels = labels_of(files, places)
        joined = joined_spellings(labels) if join_spellings else {}
        if joined:
            places = [_joined(place, joined) for place in places]
            labels = labels_of(files, places)
        n_photos = sum(file.is_photo for file in files)
        return cls(
            reading,
            places,
            words_for(reading, files, places, labels, table_words),
            tuple(f"'{label}' was taken for another spelling of '{kept}'." for label, kept in sorted(joined.items())),
            _is_likely(reading, n_photos, len(labels), len(set(labels))),
        )


def _is_likely(reading: Reading, n_photos: int, n_placed: int, n_classes: int) -> bool:
    """Whether the reading makes sense: names of files that mostly differ are names, not classes."""
    if n_classes < 2 or reading in (Reading.FOLDERS, Reading.PARENT):
        return n_classes >= 2
    most = n_placed > n_photos / 2
    return most and (reading is Reading.TABLE or n_classes <= max(2, n_placed // 2))


def _is_different(files: Sequence[NamedFile], some: Places, others: Places) -> bool:
    """Whether any photo has another place, whatever the reasons of those that have none."""
    return any(
        file.is_photo and one != other and (isinstance(one, Place) or isinstance(other, Place))
        for file, one, other in zip(files, some, others, strict=True)
    )


def _joined(place: Place | NoPlace, joined: dict[str, str]) -> Place | NoPlace:
    if isinstance(place, Place) and place.label in joined:
        return Place(joined[place.label], place.split)
    return place


def _tables_told(found: _Found, names: Sequence[str], tables: Sequence[Table]) -> Places:
    """Places in which a table that was not used, and so lies about like a photo, is told apart from photos."""
    if found.reading is Reading.TABLE or not tables:
        return found.places
    table_names = {table.name for table in tables}
    return [
        _UNUSED_TABLE if name in table_names and not (isinstance(place, NoPlace) and place.is_junk) else place
        for name, place in zip(names, found.places, strict=True)
    ]
