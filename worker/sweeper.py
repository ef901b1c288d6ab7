"""Removes files of data sets that no row refers to: leftovers of killed uploads, checks and deletions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.store.artifacts import ArtifactStore, ListedFile
from automl.store.database import Database
from automl.store.tables import Dataset, DatasetFile, DatasetVersion, Run, SortedPhoto, Sorting, now

MIN_AGE_S = 24 * 3600.0
"""Seconds. Younger files may belong to an upload that is under way, since rows are written after their bytes."""

_ROOT = "datasets"
_KEYS_PER_QUERY = 500

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was removed."""

    n_files: int = 0
    n_bytes: int = 0

    def __add__(self, other: "Swept") -> "Swept":
        return Swept(self.n_files + other.n_files, self.n_bytes + other.n_bytes)


def sweep_orphans(database: Database, store: ArtifactStore, older_than_s: float = MIN_AGE_S) -> Swept:
    """Removes every file under `datasets/` that no row refers to and that is older than `older_than_s`.

    May be repeated, and killed, at any time. Needs memory for the keys of one data set at a time.
    """
    swept = Swept()
    for dataset_id, files in groupby(store.list(_ROOT), _dataset_of):
        swept += _sweep_dataset(database, store, dataset_id=dataset_id, files=files, older_than_s=older_than_s)
    if swept.n_files:
        _log.info("orphaned files removed", n_files=swept.n_files, n_bytes=swept.n_bytes)
    return swept


def _sweep_dataset(
    database: Database, store: ArtifactStore, *, dataset_id: str, files: Iterator[ListedFile], older_than_s: float
) -> Swept:
    """Removes the folder of a data set, too, if the data set is gone and nothing in the folder is recent."""
    written_before = now() - timedelta(seconds=older_than_s)
    with database.session() as session:
        known = _keys_of(session, dataset_id)
        is_gone = dataset_id != "" and session.get(Dataset, dataset_id) is None
    unknown = [file for file in files if file.key not in known]
    old = [file for file in unknown if file.modified < written_before]
    swept = Swept()
    for start in range(0, len(old), _KEYS_PER_QUERY):
        swept += _remove_unknown(database, store, old[start : start + _KEYS_PER_QUERY])
    if is_gone and swept.n_files == len(unknown):
        store.delete_prefix(f"{_ROOT}/{dataset_id}")
    return swept


def _remove_unknown(database: Database, store: ArtifactStore, files: Sequence[ListedFile]) -> Swept:
    with database.session() as session:
        known = _known_anywhere(session, [file.key for file in files])
    orphans = [file for file in files if file.key not in known]
    for file in orphans:
        store.delete(file.key)
    return Swept(len(orphans), sum(file.n_bytes for file in orphans))


def _keys_of(session: Session, dataset_id: str) -> set[str]:
    files = select(DatasetFile.key, DatasetFile.thumbnail).where(DatasetFile.dataset_id == dataset_id)
    versions = select(DatasetVersion.key).where(DatasetVersion.dataset_id == dataset_id)
    photos = select(SortedPhoto.key, SortedPhoto.thumbnail).join(Sorting).join(Run, Sorting.run_id == Run.id)
    rows = [*session.execute(files), *session.execute(photos.where(Run.dataset_id == dataset_id))]
    return {key for row in rows for key in row} | set(session.scalars(versions))


def _known_anywhere(session: Session, keys: Sequence[str]) -> set[str]:
    """The keys among `keys` that a row of any data set refers to by now."""
    columns = (DatasetFile.key, DatasetFile.thumbnail, DatasetVersion.key, SortedPhoto.key, SortedPhoto.thumbnail)
    return {key for column in columns for key in session.scalars(select(column).where(column.in_(keys)))}


def _dataset_of(file: ListedFile) -> str:
    _, *folders, _ = file.key.split("/")
    return folders[0] if folders else ""
