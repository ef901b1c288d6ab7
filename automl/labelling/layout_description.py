"""How the photos were understood to be laid out, in one sentence for people."""

from collections import Counter
from collections.abc import Sequence

from automl.labelling.places import NamedFile, Place, Places, Reading
from automl.records import Split

_NOTHING = {
    Reading.FOLDERS: "No folder says what the photos show.",
    Reading.PARENT: "No folder says what the photos show.",
    Reading.NAMES: "The names of the files do not say what the photos show.",
    Reading.TABLE: "No table here says what the photos show.",
}


def words_for(
    reading: Reading, files: Sequence[NamedFile], places: Places, labels: Sequence[str], table_words: str = ""
) -> str:
    """`labels`: of the photos, one each. `table_words`: the beginning of the sentence if a table gives the classes."""
    if not labels:
        return _NOTHING[reading]
    match reading:
        case Reading.FOLDERS if len(set(labels)) == 1:
            words, noun = f"All photos are of one class, '{labels[0]}'", "folders"
        case Reading.FOLDERS:
            words, noun = "One folder for each class", "folders"
        case Reading.PARENT:
            words, noun = "The innermost folder of each photo is its class", "folders"
        case Reading.NAMES:
            words, noun = f"The name of each file says its class ({_example(files, places, labels)})", "photos"
        case Reading.TABLE:
            words, noun = table_words, "photos"
    return f"{words}{_with_parts(places, noun)}."


def _with_parts(places: Places, noun: str) -> str:
    seen = {place.split for place in places if isinstance(place, Place)}
    parts = [split.value for split in Split if split in seen]
    if not parts:
        return ""
    return f", with your own {' and '.join([', '.join(parts[:-1]), parts[-1]] if parts[1:] else parts)} {noun}"


def _example(files: Sequence[NamedFile], places: Places, labels: Sequence[str]) -> str:
    """One name and its class, always the same for the same files."""
    common = Counter(labels)
    label = min(common, key=lambda label: (-common[label], label))
    name = min(
        file.path[-1]
        for file, place in zip(files, places, strict=True)
        if isinstance(place, Place) and place.label == label and not file.is_document
    )
    return f"{name}: {label}"
