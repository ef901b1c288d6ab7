"""What users change about a data set.

Edits are applied in their order on top of what the names of the files say, so that each of them can be undone. A new
kind of edit is one more class and one more `EditKind`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, JsonValue, StrictBool, StrictInt, StrictStr, TypeAdapter, ValidationError
from pydantic.json_schema import SkipJsonSchema

from automl.datasets.data_file import DataFile
from automl.errors import BadSetting
from automl.labelling.places import MAX_LABEL_CHARS, Reading
from automl.records import FileState, Split
from automl.text.messages import datasets as dataset_messages
from automl.text.messages import tables as table_messages
from automl.text.upload_names import clean_text

MAX_FILES_IN_AN_EDIT = 100_000
MAX_COLUMN_CHARS = 1_000

FilesById = Mapping[int, DataFile]
"""The files of a data set by their ids."""


def _cleaned_class_name(text: str) -> str:
    clean = clean_text(text)
    if not clean or len(clean) > MAX_LABEL_CHARS or "/" in clean or "\\" in clean:
        raise ValueError("This is no name of a class.")
    return clean


def _sorted_once(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(numbers)))


FileIds = Annotated[
    tuple[StrictInt, ...], Field(min_length=1, max_length=MAX_FILES_IN_AN_EDIT), AfterValidator(_sorted_once)
]
ClassName = Annotated[StrictStr, AfterValidator(_cleaned_class_name)]

_BAD_CLASS_NAME = dataset_messages.BAD_CLASS_NAME.format(most=MAX_LABEL_CHARS)


class EditKind(StrEnum):
    """The names that edits have in the API and in the database."""

    EXCLUDE = "exclude"
    INCLUDE = "include"
    MOVE = "move"
    RENAME = "rename"
    PART = "part"
    LAYOUT = "layout"
    SPELLINGS = "spellings"
    LABELS = "labels"
    CLIPS = "clips"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(ABC):
    """One change of a data set.

    What a user sends is checked by `read_edit`; an edit that the program makes itself is taken as it is.

    Attributes:
        kind: Its name.
        refusals: By the name of a field in the JSON: the message for a user who has sent something else.
        title: What the edit did, in words.
    """

    kind: ClassVar[EditKind]
    refusals: ClassVar[Mapping[str, str]]

    title: SkipJsonSchema[str] = ""

    @property
    @abstractmethod
    def usual_title(self) -> str:
        """What an edit like this did, in words."""

    def changed(self, files: FilesById) -> Iterator[DataFile]:  # noqa: ARG002 - kinds that change files override this
        """Those files that the edit changes, as they are afterwards."""
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeFiles(Edit):
    """Leaves photos out.

    Attributes:
        files: Ids of the photos.
    """

    kind = EditKind.EXCLUDE
    refusals = {"files": dataset_messages.NO_FILES_CHOSEN}

    files: FileIds

    @property
    def usual_title(self) -> str:
        return dataset_messages.LEFT_OUT.format(n=len(self.files))

    def changed(self, files: FilesById) -> Iterator[DataFile]:
        for file in _chosen(files, self.files):
            if file.state is FileState.ACCEPTED:
                reason = dataset_messages.LEFT_OUT_BY_EDIT.format(title=self.title)
                yield replace(file, state=FileState.EXCLUDED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludeFiles(Edit):
    """Takes photos back in that were left out.

    Attributes:
        files: Ids of the photos.
    """

    kind = EditKind.INCLUDE
    refusals = {"files": dataset_messages.NO_FILES_CHOSEN}

    files: FileIds

    @property
    def usual_title(self) -> str:
        return dataset_messages.PUT_BACK.format(n=len(self.files))

    def changed(self, files: FilesById) -> Iterator[DataFile]:
        for file in _chosen(files, self.files):
            if file.state is FileState.EXCLUDED:
                yield replace(file, state=FileState.ACCEPTED, reason="")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFiles(Edit):
    """Puts photos into a class.

    Attributes:
        files: Ids of the photos.
        to: The class.
    """

    kind = EditKind.MOVE
    refusals = {"files": dataset_messages.NO_FILES_CHOSEN, "to": _BAD_CLASS_NAME}

    files: FileIds
    to: ClassName

    @property
    def usual_title(self) -> str:
        return dataset_messages.MOVED.format(n=len(self.files), to=self.to)

    def changed(self, files: FilesById) -> Iterator[DataFile]:
        """Also photos that had no class, or were left out; but nothing that is no picture is ever used."""
        for file in _chosen(files, self.files):
            moved = replace(file, label=self.to)
            if file.state in (FileState.REFUSED, FileState.EXCLUDED) and file.format and not file.fault:
                moved = replace(moved, state=FileState.ACCEPTED, reason="")
            yield moved


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameClass(Edit):
    """Renames a class; where the new name is that of another class, the two become one.

    Attributes:
        old: The present name, `from` in the JSON.
        new: The new name, `to` in the JSON.
    """

    kind = EditKind.RENAME
    refusals = {"from": dataset_messages.NO_CLASS_TO_RENAME, "to": _BAD_CLASS_NAME}

    old: Annotated[StrictStr, Field(alias="from")]
    new: Annotated[ClassName, Field(alias="to")]

    @property
    def usual_title(self) -> str:
        return dataset_messages.RENAMED.format(old=self.old, new=self.new)

    def changed(self, files: FilesById) -> Iterator[DataFile]:
        return (replace(file, label=self.new) for file in files.values() if file.label == self.old)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignPart(Edit):
    """Puts photos into a part of the split.

    Attributes:
        files: Ids of the photos.
        to: The part; empty to let Darkroom choose.
    """

    kind = EditKind.PART
    refusals = {
        "files": dataset_messages.NO_FILES_CHOSEN,
        "to": dataset_messages.NO_SUCH_PART.format(known=", ".join(Split)),
    }

    files: FileIds
    to: Split | Literal[""] = ""

    @property
    def usual_title(self) -> str:
        if not self.to:
            return dataset_messages.PUT_INTO_NO_PART.format(n=len(self.files))
        return dataset_messages.PUT_INTO_PART.format(n=len(self.files), part=self.to)

    def changed(self, files: FilesById) -> Iterator[DataFile]:
        return (replace(file, split=self.to or None) for file in _chosen(files, self.files))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseReading(Edit):
    """Says how the classes are read.

    Attributes:
        reading: Where the names of the classes stand; empty to let the names of the files decide.
        column: The column of the table in which they stand, by its name or its number from 1; empty to let what is in
            the columns decide.
    """

    kind = EditKind.LAYOUT
    refusals = {
        "reading": dataset_messages.NO_SUCH_READING.format(known=", ".join(Reading)),
        "column": table_messages.NO_NAME_OF_COLUMN.format(most=MAX_COLUMN_CHARS),
    }

    reading: Reading | Literal[""] = ""
    column: Annotated[StrictStr, Field(max_length=MAX_COLUMN_CHARS)] = ""

    @property
    def usual_title(self) -> str:
        return dataset_messages.READ_FROM_ELSEWHERE if self.reading else dataset_messages.READING_LEFT_TO_DARKROOM


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSpellings(Edit):
    """Says whether classes that differ only in spelling are one.

    Attributes:
        join: True to join them.
    """

    kind = EditKind.SPELLINGS
    refusals = {"join": dataset_messages.JOIN_IS_NO_SWITCH}

    join: StrictBool

    @property
    def usual_title(self) -> str:
        return dataset_messages.SPELLINGS_JOINED if self.join else dataset_messages.SPELLINGS_KEPT_APART


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustLabels(Edit):
    """Says whether photos that look the same in different classes are right as they are.

    Attributes:
        trust: True where they are.
    """

    kind = EditKind.LABELS
    refusals = {"trust": dataset_messages.TRUST_IS_NO_SWITCH}

    trust: StrictBool

    @property
    def usual_title(self) -> str:
        return dataset_messages.LABELS_TRUSTED if self.trust else dataset_messages.LABELS_DOUBTED


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepClips(Edit):
    """Says whether photos of one clip, or of one group that folders or a table name, stay together in the split.

    Attributes:
        keep: True to keep them together.
    """

    kind = EditKind.CLIPS
    refusals = {"keep": dataset_messages.KEEP_IS_NO_SWITCH}

    keep: StrictBool

    @property
    def usual_title(self) -> str:
        return dataset_messages.CLIPS_KEPT if self.keep else dataset_messages.CLIPS_DEALT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmLabels(Edit):
    """Says that the labels of photos are right, whatever models make of them.

    Attributes:
        files: Ids of the photos.
    """

    kind = EditKind.CONFIRM
    refusals = {"files": dataset_messages.NO_FILES_CHOSEN}

    files: FileIds

    @property
    def usual_title(self) -> str:
        return dataset_messages.LABELS_CONFIRMED.format(n=len(self.files))


EDITS: Mapping[EditKind, type[Edit]] = {
    edit.kind: edit
    for edit in (
        ExcludeFiles,
        IncludeFiles,
        MoveFiles,
        RenameClass,
        AssignPart,
        ChooseReading,
        JoinSpellings,
        TrustLabels,
        KeepClips,
        ConfirmLabels,
    )
}


def read_edit(kind: str, values: Mapping[str, JsonValue], title: str = "") -> Edit:
    """An edit from its JSON, which may be anything that a user has sent.

    Args:
        kind: Value of `EditKind`.
        values: The fields of this kind; others are ignored.
        title: What it did, in words; empty for the usual words of its kind.

    Raises:
        BadSetting: This is no edit. The message says what is wrong.
    """
    try:
        edit_type = EDITS[EditKind(kind)]
    except ValueError:
        known = ", ".join(EditKind)
        raise BadSetting(dataset_messages.NO_SUCH_EDIT.format(kind=kind[:40], known=known)) from None
    try:
        edit = _adapter(edit_type).validate_python({**values, "title": title})
    except ValidationError as error:
        raise BadSetting(edit_type.refusals[str(error.errors()[0]["loc"][0])]) from None
    return edit if title else replace(edit, title=edit.usual_title)


def edit_values(edit: Edit) -> dict[str, JsonValue]:
    """The JSON from which `read_edit` makes the same edit."""
    values: dict[str, JsonValue] = _adapter(type(edit)).dump_python(edit, mode="json", by_alias=True, exclude={"title"})
    return values


@cache
def _adapter(edit_type: type[Edit]) -> TypeAdapter[Edit]:
    return TypeAdapter(edit_type)


def chosen_reading(edits: Sequence[Edit]) -> Reading | None:
    """How the classes are to be read, by the last edit that says so; None lets the names of the files decide."""
    chosen = [edit.reading for edit in edits if isinstance(edit, ChooseReading)]
    return (chosen[-1] or None) if chosen else None


def chosen_column(edits: Sequence[Edit]) -> str:
    """The column of the table in which the classes stand, by the last edit that says how they are read; else empty."""
    chosen = [edit.column for edit in edits if isinstance(edit, ChooseReading)]
    return chosen[-1] if chosen else ""


def joins_spellings(edits: Sequence[Edit]) -> bool:
    """Whether classes that differ only in spelling are one: so they are unless an edit says otherwise."""
    chosen = [edit.join for edit in edits if isinstance(edit, JoinSpellings)]
    return chosen[-1] if chosen else True


def trusts_labels(edits: Sequence[Edit]) -> bool:
    """Whether photos that look the same in different classes are right as they are: only if an edit says so."""
    chosen = [edit.trust for edit in edits if isinstance(edit, TrustLabels)]
    return chosen[-1] if chosen else False


def keeps_clips(edits: Sequence[Edit]) -> bool:
    """Whether photos of one clip stay together: so they do unless an edit says otherwise."""
    chosen = [edit.keep for edit in edits if isinstance(edit, KeepClips)]
    return chosen[-1] if chosen else True


def confirmed_labels(edits: Sequence[Edit]) -> frozenset[int]:
    """The photos whose labels an edit calls right, unless a later one has moved them to another class."""
    confirmed: set[int] = set()
    for edit in edits:
        if isinstance(edit, ConfirmLabels):
            confirmed.update(edit.files)
        elif isinstance(edit, MoveFiles):
            confirmed.difference_update(edit.files)
    return frozenset(confirmed)


def first_label(edits: Sequence[Edit], label: str) -> str:
    """The class that the renames turn into `label`.

    Photos that are added to a class today are stored under that name: so they follow the renames of their class, and
    no others, also when one of the renames is undone.
    """
    renames = [edit for edit in edits if isinstance(edit, RenameClass)]

    def renamed(first: str) -> str:
        for rename in renames:
            first = rename.new if first == rename.old else first
        return first

    candidates = [label, *(rename.old for rename in renames)]
    return next((first for first in candidates if renamed(first) == label), label)


def apply_edits(edits: Sequence[Edit], files: Sequence[DataFile]) -> list[DataFile]:
    """The files with the labels, parts and exclusions that the edits give them, in their order."""
    now = {file.id: file for file in files}
    for edit in edits:
        now.update({file.id: file for file in edit.changed(now)})
    return [now[file.id] for file in files]


def _chosen(files: FilesById, ids: Iterable[int]) -> Iterator[DataFile]:
    """The files of these ids; those that are not there any more are skipped."""
    return (files[number] for number in ids if number in files)
