"""Uploaded archives become the files in them."""

from collections.abc import Callable, Iterator

from sqlalchemy import delete, func, insert, or_, select, update

from automl.archives.opening import ARCHIVE_SUFFIXES, ArchiveLimits, Member, read_archive
from automl.atomic_files import full_disk_explained
from automl.errors import BadUpload, NotFound, UploadTooLarge
from automl.records import FileState
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.tables import N_FILES_AND_BYTES, DatasetFile
from automl.text.upload_names import is_junk

Row = dict[str, str | int | FileState | None]

_ROWS_PER_COMMIT = 200


def unpack_archives(
    database: Database, store: ArtifactStore, dataset_id: str, settings: Settings, say: Callable[[str], object]
) -> None:
    """Replaces each archive among the files of a data set by its contents; `say` is told how far it has got.

    One that cannot be read, or that holds too much, is refused as a whole; a damaged file in it is refused alone. Where
    one breaks off, a refused file of its name stays and says so, until it is sent again. What an unpacking that was
    killed has left is removed first, so it may be repeated at will.

    Raises:
        DiskFull: no room; the archive is as it was.
    """
    with database.session() as session:
        is_archive = or_(*(func.lower(DatasetFile.name).endswith(suffix) for suffix in ARCHIVE_SUFFIXES))
        query = select(DatasetFile.id, DatasetFile.name, DatasetFile.key, DatasetFile.given_label).where(
            DatasetFile.dataset_id == dataset_id, is_archive, DatasetFile.key != ""
        )
        archives = [row for row in session.execute(query) if not is_junk(row.name)]
    for row in archives:
        _Unpacking(database, store, dataset_id, row.id, row.name, row.key, row.given_label).run(settings, say)


class _Unpacking:
    """One archive, and the folder in the store that is its alone."""

    def __init__(
        self,
        database: Database,
        store: ArtifactStore,
        dataset_id: str,
        file_id: int,
        name: str,
        key: str,
        given_label: str | None,
    ) -> None:
        self._database, self._store, self._dataset_id = database, store, dataset_id
        self._file_id, self._name, self._key, self._given_label = file_id, name, key, given_label
        self._prefix = f"datasets/{dataset_id}/archive-{file_id}"

    def run(self, settings: Settings, say: Callable[[str], object]) -> None:
        self._forget_members()
        self._forget_verdict()
        try:
            with full_disk_explained("the uploaded photos"), self._store.open(self._key) as source:
                self._add_members(read_archive(source, self._name, self._limits(settings)), say)
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
                select(*N_FILES_AND_BYTES).where(
                    DatasetFile.dataset_id == self._dataset_id, DatasetFile.id != self._file_id
                )
            ).one()
        return ArchiveLimits(max(0, settings.max_files - n_files), max(0, settings.max_upload_bytes - n_bytes))

    def _add_members(self, members: Iterator[Member], say: Callable[[str], object]) -> None:
        known = self._known_files()
        rows: list[Row] = []
        for n_read, member in enumerate(members, start=1):
            row = self._store_member(member)
            if (row["name"], row["sha256"]) not in known:
                known.add((row["name"], row["sha256"]))
                rows.append(row)
            elif row["key"]:
                self._store.delete(str(row["key"]))
            if len(rows) >= _ROWS_PER_COMMIT:
                self._insert(rows)
            say(f"Unpacking {self._name}: {n_read:,} files so far")
        self._insert(rows)

    def _store_member(self, member: Member) -> Row:
        row: Row = {"dataset_id": self._dataset_id, "name": member.name, "given_label": self._given_label}
        row |= {"key": "", "sha256": "", "n_bytes": 0}
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

    def _forget_verdict(self) -> None:
        """What was said of an archive of this name that was sent before."""
        with self._database.session() as session:
            session.execute(
                delete(DatasetFile).where(
                    DatasetFile.dataset_id == self._dataset_id, DatasetFile.name == self._name, DatasetFile.key == ""
                )
            )

    def _refuse(self, reason: str) -> None:
        with self._database.session() as session:
            session.execute(
                update(DatasetFile)
                .where(DatasetFile.id == self._file_id)
                .values(state=FileState.REFUSED, reason=reason, key="", n_bytes=0)
            )
