"""What users change about a data set: applied in their order on top of what the names say, so each can be undone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from automl.datasets.data_file import DataFile
from automl.errors import BadSetting
from automl.labelling.places import MAX_LABEL_CHARS, Reading
from automl.records import FileState, Split
from automl.text.names import counted
from automl.text.upload_names import clean_text

MAX_FILES_IN_AN_EDIT = 100_000


class EditKind(StrEnum):
    """`values` of each kind.

    EXCLUDE, INCLUDE: {"files": [ids]}. MOVE: {"files": [ids], "to": label}. RENAME: {"from": label, "to": label};
    to a class that is there, they become one. PART: {"files": [ids], "to": "train" | "validation" | "test" | ""}.
    LAYOUT: {"reading": a `Reading` or ""}. SPELLINGS: {"join": bool}, whether classes that differ in spelling are one.
    """

    EXCLUDE = "exclude"
    INCLUDE = "include"
    MOVE = "move"
    RENAME = "rename"
    PART = "part"
    LAYOUT = "layout"
    SPELLINGS = "spellings"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change. `title`: what it did, in words."""

    kind: EditKind
    values: Mapping[str, Any]
    title: str = ""


def checked_edit(kind: str, values: Mapping[str, Any], title: str = "") -> Edit:
    """An edit that somebody sent. Raises BadSetting: it is none, with what is wrong."""
    try:
        known = EditKind(kind)
    except ValueError:
        raise BadSetting(f"There is no edit called {kind[:40]!r}. Known: {', '.join(EditKind)}.") from None
    fields: dict[EditKind, tuple[Callable[[Mapping[str, Any]], Any], ...]] = {
        EditKind.EXCLUDE: (_files,),
        EditKind.INCLUDE: (_files,),
        EditKind.MOVE: (_files, _to_label),
        EditKind.RENAME: (_from_label, _to_label),
        EditKind.PART: (_files, _to_part),
        EditKind.LAYOUT: (_reading,),
        EditKind.SPELLINGS: (_join,),
    }
    clean: dict[str, Any] = {}
    for field in fields[known]:
        clean |= field(values)
    return Edit(known, clean, title or _title(known, clean))


def reading_of(edits: Sequence[Edit]) -> Reading | None:
    """The reading of the names that was chosen last; None lets the names decide."""
    chosen = [edit.values["reading"] for edit in edits if edit.kind is EditKind.LAYOUT]
    return Reading(chosen[-1]) if chosen and chosen[-1] else None


def joins_spellings(edits: Sequence[Edit]) -> bool:
    chosen = [edit.values["join"] for edit in edits if edit.kind is EditKind.SPELLINGS]
    return chosen[-1] if chosen else True


def first_label(edits: Sequence[Edit], label: str) -> str:
    """The label that the renames turn into `label`: photos that are added to a class today follow its renames, and no
    others, also when one of them is undone."""
    renames = [edit.values for edit in edits if edit.kind is EditKind.RENAME]

    def renamed(first: str) -> str:
        for values in renames:
            first = values["to"] if first == values["from"] else first
        return first

    candidates = [label, *(str(values["from"]) for values in renames)]
    return next((first for first in candidates if renamed(first) == label), label)


def apply_edits(edits: Sequence[Edit], files: Sequence[DataFile]) -> list[DataFile]:
    """The files with the labels, parts and exclusions that the edits give them, in their order."""
    now = {file.id: file for file in files}
    for edit in edits:
        if edit.kind is EditKind.RENAME:
            old, new = edit.values["from"], edit.values["to"]
            now |= {file.id: replace(file, label=new) for file in now.values() if file.label == old}
        elif edit.kind in _ON_FILES:
            change = _ON_FILES[edit.kind]
            now |= {number: change(now[number], edit) for number in edit.values["files"] if number in now}
    return [now[file.id] for file in files]


def _exclude(file: DataFile, edit: Edit) -> DataFile:
    is_used = file.state is FileState.ACCEPTED
    return replace(file, state=FileState.EXCLUDED, reason=f"{edit.title}.") if is_used else file


def _include(file: DataFile, _edit: Edit) -> DataFile:
    return replace(file, state=FileState.ACCEPTED, reason="") if file.state is FileState.EXCLUDED else file


def _move(file: DataFile, edit: Edit) -> DataFile:
    """Also of a file that had no class, or was left out, unless it is no picture."""
    moved = replace(file, label=edit.values["to"])
    if file.state in (FileState.REFUSED, FileState.EXCLUDED) and file.format and not file.fault:
        moved = replace(moved, state=FileState.ACCEPTED, reason="")
    return moved


def _part(file: DataFile, edit: Edit) -> DataFile:
    return replace(file, split=Split(edit.values["to"]) if edit.values["to"] else None)


_ON_FILES: dict[EditKind, Callable[[DataFile, Edit], DataFile]] = {
    EditKind.EXCLUDE: _exclude,
    EditKind.INCLUDE: _include,
    EditKind.MOVE: _move,
    EditKind.PART: _part,
}


def _files(values: Mapping[str, Any]) -> dict[str, Any]:
    files = values.get("files")
    is_list = isinstance(files, list) and 0 < len(files) <= MAX_FILES_IN_AN_EDIT
    if not is_list or not all(type(number) is int for number in files or ()):
        raise BadSetting("Tick some photos first. (In the API, `files` is a list of their numbers.)")
    return {"files": sorted(set(files or ()))}


def _to_label(values: Mapping[str, Any]) -> dict[str, Any]:
    label = values.get("to")
    clean = clean_text(label) if isinstance(label, str) else ""
    if not clean or len(clean) > MAX_LABEL_CHARS or "/" in clean or "\\" in clean:
        raise BadSetting(f"The name of a class must have 1 to {MAX_LABEL_CHARS} characters, and no slash.")
    return {"to": clean}


def _from_label(values: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(values.get("from"), str):
        raise BadSetting("Say which class to rename: `from` must be its name.")
    return {"from": values["from"]}


def _to_part(values: Mapping[str, Any]) -> dict[str, Any]:
    part = values.get("to", "")
    if part != "" and part not in [*Split]:
        raise BadSetting(f"The part must be one of {', '.join(Split)}, or empty to let Darkroom choose.")
    return {"to": str(part)}


def _reading(values: Mapping[str, Any]) -> dict[str, Any]:
    reading = values.get("reading", "")
    if reading != "" and reading not in [*Reading]:
        raise BadSetting(f"The reading must be one of {', '.join(Reading)}, or empty to let Darkroom choose.")
    return {"reading": str(reading)}


def _join(values: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(values.get("join"), bool):
        raise BadSetting("`join` must be true or false.")
    return {"join": values["join"]}


def _title(kind: EditKind, values: Mapping[str, Any]) -> str:
    n = len(values.get("files", ()))
    photos = counted(n, "photo")
    read = "Read the classes from elsewhere" if values.get("reading") else "Let Darkroom find the classes"
    spelt = "Joined" if values.get("join") else "Kept apart"
    return {
        EditKind.EXCLUDE: f"Left out {photos}",
        EditKind.INCLUDE: f"Put {photos} back",
        EditKind.MOVE: f"Moved {photos} to '{values.get('to')}'",
        EditKind.RENAME: f"Renamed '{values.get('from')}' to '{values.get('to')}'",
        EditKind.PART: f"Put {photos} into {values.get('to') or 'no particular part'}",
        EditKind.LAYOUT: read,
        EditKind.SPELLINGS: f"{spelt} classes that differ only in spelling",
    }[kind]
