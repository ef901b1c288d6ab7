"""Uploaded .zip files become the files in them."""

from collections.abc import Callable, Iterator

from sqlalchemy import delete, func, insert, select, update

from automl.data.archive import ArchiveLimits, Member, read_zip
from automl.data.layout import is_junk
from automl.data.storage import full_disk_explained
from automl.errors import BadUpload, NotFound, UploadTooLarge
from automl.records import FileState
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, DatasetFile

Row = dict[str, str | int | FileState]

_SUFFIX = ".zip"
_ROWS_PER_COMMIT = 200
_NESTED = "It is a .zip inside a .zip, which is not opened. Unpack it first."


def unpack_archives(
    database: Database, store: ArtifactStore, dataset_id: str, settings: Settings, say: Callable[[str], object]
) -> None:
    """Replaces each .zip among the files of a data set by its contents; `say` is told how far it has got.

    A .zip that cannot be read, or that holds too much, is refused as a whole; a damaged file in it is refused alone.
    What an unpacking that was killed has left is removed first, so it may be repeated at will.

    Raises:
        DiskFull: no room; the .zip is as it was.
    """
    with database.session() as session:
        query = select(DatasetFile.id, DatasetFile.name, DatasetFile.key).where(
            DatasetFile.dataset_id == dataset_id, func.lower(DatasetFile.name).endswith(_SUFFIX), DatasetFile.key != ""
        )
        archives = [row for row in session.execute(query) if not is_junk(row.name)]
    for row in archives:
        _Unpacking(database, store, dataset_id, row.id, row.name, row.key).run(settings, say)


class _Unpacking:
    """One archive, and the folder in the store that is its alone."""

    def __init__(
        self, database: Database, store: ArtifactStore, dataset_id: str, file_id: int, name: str, key: str
    ) -> None:
        self._database, self._store, self._dataset_id = database, store, dataset_id
        self._file_id, self._name, self._key = file_id, name, key
        self._prefix = f"datasets/{dataset_id}/archive-{file_id}"

    def run(self, settings: Settings, say: Callable[[str], object]) -> None:
        self._forget_members()
        try:
            with full_disk_explained("the uploaded photos"), self._store.open(self._key) as source:
                self._add_members(read_zip(source, self._name, self._limits(settings)), say)
        except (BadUpload, UploadTooLarge, NotFound) as error:
            self._forget_members()
            self._refuse(error.message)
        except BaseException:
            self._forget_members()
            raise
        else:
            with self._database.session() as session:
                session.execute(delete(DatasetFile).where(DatasetFile.id == self._file_id))
        self._store.delete(self._key)

    def _limits(self, settings: Settings) -> ArchiveLimits:
        with self._database.session() as session:
            n_files, n_bytes = session.execute(
                select(func.count(), func.coalesce(func.sum(DatasetFile.n_bytes), 0)).where(
                    DatasetFile.dataset_id == self._dataset_id, DatasetFile.id != self._file_id
                )
            ).one()
        return ArchiveLimits(max(0, settings.max_files - n_files), max(0, settings.max_upload_bytes - n_bytes))

    def _add_members(self, members: Iterator[Member], say: Callable[[str], object]) -> None:
        known = self._known_files()
        rows: list[Row] = []
        for n_read, member in enumerate(members, start=1):
            row = self._store_member(member)
            if (row["name"], row["sha256"]) not in known or row["state"] is FileState.REFUSED:
                known.add((row["name"], row["sha256"]))
                rows.append(row)
            else:
                self._store.delete(str(row["key"]))
            if len(rows) >= _ROWS_PER_COMMIT:
                self._insert(rows)
            say(f"Unpacking {self._name}: {n_read:,} files so far")
        self._insert(rows)

    def _store_member(self, member: Member) -> Row:
        row: Row = {"dataset_id": self._dataset_id, "name": member.name, "key": "", "sha256": "", "n_bytes": 0}
        if member.name.lower().endswith(_SUFFIX):
            return {**row, "state": FileState.REFUSED, "reason": _NESTED}
        try:
            # The archive's own limit, which is counted while reading, is the one that holds.
            stored = self._store.write(self._prefix, member.stream, max_bytes=1 << 62)
        except BadUpload as error:
            return {**row, "state": FileState.REFUSED, "reason": error.message}
        found: Row = {"key": stored.key, "sha256": stored.sha256, "n_bytes": stored.n_bytes}
        return {**row, **found, "state": FileState.RECEIVED, "reason": ""}

    def _known_files(self) -> set[tuple[object, object]]:
        with self._database.session() as session:
            query = select(DatasetFile.name, DatasetFile.sha256).where(DatasetFile.dataset_id == self._dataset_id)
            return {(name, sha256) for name, sha256 in session.execute(query)}

    def _insert(self, rows: list[Row]) -> None:
        if rows:
            with self._database.session() as session:
                session.execute(insert(DatasetFile), rows)
            rows.clear()

    def _forget_members(self) -> None:
        with self._database.session() as session:
            session.execute(
                delete(DatasetFile).where(
                    DatasetFile.dataset_id == self._dataset_id, DatasetFile.key.startswith(f"{self._prefix}/")
                )
            )
        self._store.delete_prefix(self._prefix)

    def _refuse(self, reason: str) -> None:
        with self._database.session() as session:
            session.execute(
                update(DatasetFile)
                .where(DatasetFile.id == self._file_id)
                .values(state=FileState.REFUSED, reason=reason, key="", n_bytes=0)
            )
