"""The files of a data set, read from and written to their rows."""

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from automl.datasets.data_file import DataFile
from automl.records import FileState, Origin, Split
from automl.store.artifacts import ArtifactStore
from automl.store.tables import DatasetFile
from automl.text.messages import store as store_messages


def load_files(session: Session, dataset_id: str) -> list[DataFile]:
    """All files of a data set, in the order in which they came."""
    columns = [getattr(DatasetFile, name) for name in DataFile.__slots__]
    query = select(*columns).where(DatasetFile.dataset_id == dataset_id).order_by(DatasetFile.id)
    return [_read(dict(row._mapping)) for row in session.execute(query)]


def unlabelled_files(session: Session, dataset_id: str) -> list[DataFile]:
    """The photos of a data set that lack nothing but a class, by name; see `DataFile.is_unlabelled`."""
    columns = [getattr(DatasetFile, name) for name in DataFile.__slots__]
    is_without_class = (DatasetFile.state == FileState.REFUSED, DatasetFile.label.is_(None), DatasetFile.format != "")
    query = select(*columns).where(DatasetFile.dataset_id == dataset_id, *is_without_class)
    files = [_read(dict(row._mapping)) for row in session.execute(query.order_by(DatasetFile.name, DatasetFile.id))]
    return [file for file in files if file.is_unlabelled]


def load_fingerprints(session: Session, dataset_id: str) -> dict[int, bytes]:
    """The fingerprints of the photos of a data set, by id, in the order in which they came."""
    query = select(DatasetFile.id, DatasetFile.fingerprint).where(DatasetFile.dataset_id == dataset_id)
    rows = session.execute(query.order_by(DatasetFile.id))
    return {row.id: row.fingerprint for row in rows if row.fingerprint}


def n_sorted_by_models(session: Session, dataset_id: str) -> tuple[int, int]:
    """How many photos that are used a model has sorted: those that a person has looked at, and the others."""
    query = select(DatasetFile.origin, func.count().label("n")).where(DatasetFile.dataset_id == dataset_id)
    rows = session.execute(query.where(DatasetFile.state == FileState.ACCEPTED).group_by(DatasetFile.origin))
    counts = {row.origin: row.n for row in rows}
    return counts.get(Origin.CONFIRMED, 0), counts.get(Origin.UNSEEN, 0)


STORE_FAULTS = (store_messages.CONTENTS_GONE, store_messages.CONTENTS_CHANGED)
"""Faults of files that are no fault of theirs: the store has lost them, and sent again they are whole."""


def repair_file(session: Session, store: ArtifactStore, file_id: int, *, key: str, sha256: str, sent: str) -> bool:
    """Puts the bytes that were sent again into the place of those that the store has lost; whether it had lost them.

    Args:
        session: An open transaction.
        store: Where the bytes are.
        file_id: The row of the file.
        key: Where its bytes should be.
        sha256: Of what was sent.
        sent: Where it is now.
    """
    if store.is_unchanged(key, sha256):
        return False
    store.replace(key, sent)
    is_fault = (DatasetFile.id == file_id, DatasetFile.fault.in_(STORE_FAULTS))
    session.execute(update(DatasetFile).where(*is_fault).values(fault=""))
    return True


def save_files(session: Session, files: Iterable[DataFile], before: Sequence[DataFile] = ()) -> None:
    """Writes the files that differ from those of the same id in `before`, which is what the rows have now."""
    known = {file.id: file for file in before}
    if rows := [_written(file) for file in files if known.get(file.id) != file]:
        session.execute(update(DatasetFile), rows)


def _read(values: dict[str, object]) -> DataFile:
    """A file from its columns, which may be null where the record has a default."""
    split = values.pop("split")
    known = {name: value for name, value in values.items() if value is not None}
    return DataFile(**known, split=Split(str(split)) if split else None)  # type: ignore[arg-type]


def _written(file: DataFile) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(file, name) for name in DataFile.__slots__}
    nothing = {"label": file.label or None, "split": file.split.value if file.split else None}
    if not file.format and not file.width:
        nothing |= {"width": None, "height": None, "spread": None, "is_gray": None}
    return values | nothing | {"given_label": file.given_label or None}
