"""How the photos were understood to be laid out, in one sentence for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from automl.labelling.named_file import NamedFile
from automl.labelling.places import Place, Places, Reading
from automl.records import Split
from automl.text.messages import labelling as labelling_messages
from automl.text.messages import pieces

_NOTHING_FOUND = {
    Reading.FOLDERS: labelling_messages.NO_FOLDER_SAYS,
    Reading.PARENT: labelling_messages.NO_FOLDER_SAYS,
    Reading.NAMES: labelling_messages.NO_NAME_SAYS,
    Reading.TABLE: labelling_messages.NO_TABLE_SAYS,
}

_N_EXAMPLES = 3


class WordsOfTable(Protocol):
    """How tables were understood; `automl.labelling.table_places.TableReading` is one."""

    def words(self, parts: str) -> str:
        """The sentence; `parts` are those of the split that the photos come with, empty without any."""


def describe_layout(
    reading: Reading,
    *,
    files: Sequence[NamedFile],
    places: Places,
    labels: Sequence[str],
    by_table: WordsOfTable | None = None,
    outer_folders: Sequence[str] = (),
) -> str:
    """The sentence for what one reading has found.

    Args:
        reading: What the classes were read from.
        files: All files.
        places: The place of each of them.
        labels: Those of the photos, one for each photo.
        by_table: How the tables were understood, where a table gives the classes.
        outer_folders: The folders around the innermost ones that all hold the same classes.
    """
    if not labels:
        return _NOTHING_FOUND[reading]
    parts = _own_parts(places)
    if reading is Reading.TABLE and by_table is not None:
        return by_table.words(parts)
    has_groups = any(isinstance(place, Place) and place.group for place in places)
    without_parts, with_parts = _sentences(
        reading, n_classes=len(set(labels)), is_repeated=bool(outer_folders), has_groups=has_groups
    )
    values = {"label": labels[0], "parts": parts, "outer": listed(outer_folders)}
    values |= _example(reading, files, places, labels)
    return (with_parts if parts else without_parts).format(**values)


def _sentences(reading: Reading, *, n_classes: int, is_repeated: bool, has_groups: bool) -> tuple[str, str]:
    """The sentence where the photos come without a split of their own, and the one where they come with one."""
    match reading:
        case Reading.NAMES:
            return labelling_messages.NAMES_SAY, labelling_messages.NAMES_SAY_WITH_PARTS
        case Reading.PARENT if is_repeated and has_groups:
            return labelling_messages.INNERMOST_IN_GROUPS, labelling_messages.INNERMOST_REPEATED_WITH_PARTS
        case Reading.PARENT if is_repeated:
            return labelling_messages.INNERMOST_REPEATED, labelling_messages.INNERMOST_REPEATED_WITH_PARTS
        case Reading.PARENT:
            return labelling_messages.INNERMOST, labelling_messages.INNERMOST_WITH_PARTS
        case _ if n_classes == 1:
            return labelling_messages.ONE_CLASS, labelling_messages.ONE_CLASS_WITH_PARTS
        case _:
            return labelling_messages.CLASS_FOLDERS, labelling_messages.CLASS_FOLDERS_WITH_PARTS


def _own_parts(places: Places) -> str:
    """The parts of the split that the photos come with, in words; empty without any."""
    seen = {place.split for place in places if isinstance(place, Place)}
    parts = [split.value for split in Split if split in seen]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def listed(names: Sequence[str]) -> str:
    """The first of the names, in words, with the number of the others."""
    first, n_more = ", ".join(names[:_N_EXAMPLES]), len(names) - _N_EXAMPLES
    return pieces.NAMES_AND_MORE.format(names=first, n=n_more) if n_more > 0 else first


def _example(reading: Reading, files: Sequence[NamedFile], places: Places, labels: Sequence[str]) -> Mapping[str, str]:
    """The name of one file and its class where names say the class, always the same for the same files."""
    if reading is not Reading.NAMES:
        return {}
    common = Counter(labels)
    label = min(common, key=lambda label: (-common[label], label))
    name = min(
        file.path[-1]
        for file, place in zip(files, places, strict=True)
        if isinstance(place, Place) and place.label == label and not file.is_document
    )
    return {"name": name, "label": label}
