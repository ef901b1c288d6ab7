"""How the photos were understood to be laid out, in one sentence for people."""

from collections import Counter
from collections.abc import Sequence

from automl.labelling.named_file import NamedFile
from automl.labelling.places import Place, Places, Reading
from automl.records import Split

_NOTHING_FOUND = {
    Reading.FOLDERS: "No folder says what the photos show.",
    Reading.PARENT: "No folder says what the photos show.",
    Reading.NAMES: "The names of the files do not say what the photos show.",
    Reading.TABLE: "No table here says what the photos show.",
}


def describe_layout(
    reading: Reading,
    *,
    files: Sequence[NamedFile],
    places: Places,
    labels: Sequence[str],
    table_description: str = "",
) -> str:
    """The sentence for what one reading has found.

    Args:
        reading: What the classes were read from.
        files: All files.
        places: The place of each of them.
        labels: Those of the photos, one for each photo.
        table_description: The beginning of the sentence where a table gives the classes.
    """
    if not labels:
        return _NOTHING_FOUND[reading]
    match reading:
        case Reading.FOLDERS if len(set(labels)) == 1:
            beginning, noun = f"All photos are of one class, '{labels[0]}'", "folders"
        case Reading.FOLDERS:
            beginning, noun = "One folder for each class", "folders"
        case Reading.PARENT:
            beginning, noun = "The innermost folder of each photo is its class", "folders"
        case Reading.NAMES:
            beginning, noun = f"The name of each file says its class ({_example(files, places, labels)})", "photos"
        case Reading.TABLE:
            beginning, noun = table_description, "photos"
    return f"{beginning}{_own_split(places, noun)}."


def _own_split(places: Places, noun: str) -> str:
    """The end of the sentence where the photos come with a split of their own."""
    seen = {place.split for place in places if isinstance(place, Place)}
    parts = [split.value for split in Split if split in seen]
    if not parts:
        return ""
    return f", with your own {' and '.join([', '.join(parts[:-1]), parts[-1]] if parts[1:] else parts)} {noun}"


def _example(files: Sequence[NamedFile], places: Places, labels: Sequence[str]) -> str:
    """The name of one file and its class, always the same for the same files."""
    common = Counter(labels)
    label = min(common, key=lambda label: (-common[label], label))
    name = min(
        file.path[-1]
        for file, place in zip(files, places, strict=True)
        if isinstance(place, Place) and place.label == label and not file.is_document
    )
    return f"{name}: {label}"
