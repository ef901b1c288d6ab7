"""A file of a data set, as the check and the edits see it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from automl.data.traits import Traits
from automl.records import FileState, Split
from automl.store.database import DatasetFile


@dataclass(frozen=True, slots=True)
class DataFile:
    """The fields of `store.database.DatasetFile`, without its look.

    Without a `key` it has no bytes: it was refused for good before the check. `format` and `fault` are empty until it
    has been decoded; what is found out then is kept, so that a repeated check decodes only what is new.
    """

    id: int
    name: str
    key: str
    sha256: str
    state: FileState = FileState.RECEIVED
    reason: str = ""
    label: str = ""
    split: Split | None = None
    width: int = 0
    height: int = 0
    given_label: str = ""
    format: str = ""
    spread: float = 0.0
    is_gray: bool = False
    thumbnail: str = ""
    near: int | None = None
    fault: str = ""

    @property
    def is_seen(self) -> bool:
        """Whether it has been decoded, or could not be."""
        return bool(self.format or self.fault)

    def refused(self, reason: str) -> "DataFile":
        return replace(self, state=FileState.REFUSED, reason=reason)

    def seen(self, traits: Traits, thumbnail: str) -> "DataFile":
        return replace(
            self,
            width=traits.width,
            height=traits.height,
            format=traits.format,
            spread=traits.spread,
            is_gray=traits.is_gray,
            thumbnail=thumbnail,
        )


def load_files(session: Session, dataset_id: str) -> list[DataFile]:
    """All files of a data set, in the order in which they came."""
    columns = [getattr(DatasetFile, name) for name in DataFile.__slots__]
    query = select(*columns).where(DatasetFile.dataset_id == dataset_id).order_by(DatasetFile.id)
    return [_read(dict(row._mapping)) for row in session.execute(query)]


def save_files(session: Session, files: Iterable[DataFile], before: Sequence[DataFile] = ()) -> None:
    """Writes the files that differ from those of the same id in `before`."""
    known = {file.id: file for file in before}
    if rows := [_written(file) for file in files if known.get(file.id) != file]:
        session.execute(update(DatasetFile), rows)


def _read(values: dict[str, object]) -> DataFile:
    """Columns may be empty where the record has a value of its own for nothing."""
    split = values.pop("split")
    known = {name: value for name, value in values.items() if value is not None}
    return DataFile(**known, split=Split(str(split)) if split else None)  # type: ignore[arg-type]


def _written(file: DataFile) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(file, name) for name in DataFile.__slots__}
    nothing = {"label": file.label or None, "split": file.split.value if file.split else None}
    if not file.format and not file.width:
        nothing |= {"width": None, "height": None, "spread": None, "is_gray": None}
    return values | nothing | {"given_label": file.given_label or None}
