"""Uploaded archives become the files in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from automl.archives.limits import ArchiveLimits
from automl.archives.member import ArchiveMember
from automl.archives.opening import read_archive
from automl.archives.suffixes import is_archive
from automl.atomic_files import full_disk_explained
from automl.errors import BadUpload, NotFound, UploadTooLarge
from automl.records import FileState
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.patience import patiently
from automl.store.quotas import refuse_files, room_for_files
from automl.store.tables import N_FILES_AND_BYTES, DatasetFile
from automl.text.messages import store as store_messages
from automl.text.upload_names import is_junk

_ROWS_PER_COMMIT = 200
_NO_LIMIT = 1 << 62

_FileValues = dict[str, str | int | FileState | None]
"""The columns of a new row of `dataset_files`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _UploadedArchive:
    """An archive among the files of a data set.

    Attributes:
        file_id: The number of its row.
        name: The path that the user gave it.
        key: Where its bytes are in the artifact store.
        given_label: The class that it was sent to, for all files in it; None where their names say their classes.
    """

    file_id: int
    name: str
    key: str
    given_label: str | None


def unpack_archives(
    database: Database, store: ArtifactStore, dataset_id: str, *, settings: Settings, say: Callable[[str], object]
) -> None:
    """Replaces each archive among the files of a data set by the files in it.

    An archive that cannot be read, or that holds too much, is refused as a whole; a damaged file in it is refused
    alone. Where an archive breaks off, a refused file of its name stays and says so, until the archive is sent again.
    What an unpacking that was killed has left is removed first, so this may be repeated at will.

    Args:
        say: Called with a sentence on how far it has got, for each file.

    Raises:
        DiskFull: There is no room; the archive is as it was.
    """
    for archive in _archives_of(database, dataset_id):
        _Unpacking(database, store, dataset_id, archive=archive, settings=settings).run(say)


@patiently
def _archives_of(database: Database, dataset_id: str) -> list[_UploadedArchive]:
    query = select(DatasetFile.id, DatasetFile.name, DatasetFile.key, DatasetFile.given_label).where(
        DatasetFile.dataset_id == dataset_id, DatasetFile.key != ""
    )
    with database.session() as session:
        return [
            _UploadedArchive(file_id=row.id, name=row.name, key=row.key, given_label=row.given_label)
            for row in session.execute(query)
            if is_archive(row.name) and not is_junk(row.name)
        ]


class _Unpacking:
    """The unpacking of one archive into a folder of the store that belongs to that archive alone."""

    def __init__(
        self,
        database: Database,
        store: ArtifactStore,
        dataset_id: str,
        *,
        archive: _UploadedArchive,
        settings: Settings,
    ) -> None:
        self._database, self._store, self._dataset_id = database, store, dataset_id
        self._archive, self._settings = archive, settings
        self._prefix = f"datasets/{dataset_id}/archive-{archive.file_id}"

    def run(self, say: Callable[[str], object]) -> None:
        """Raises DiskFull."""
        self._forget_members()
        self._forget_earlier_refusal()
        try:
            with full_disk_explained(store_messages.UPLOADED_PHOTOS), self._store.open(self._archive.key) as source:
                self._add_members(read_archive(source, self._archive.name, self._limits()), say)
        except (BadUpload, UploadTooLarge, NotFound) as error:
            self._forget_members()
            self._refuse(error.message)
        except BaseException:
            self._forget_members()
            raise
        else:
            self._forget_archive()
        # Only now, that the rows are written: bytes without a row are swept one day, a row without bytes is lost.
        self._store.delete(self._archive.key)

    @patiently
    def _forget_archive(self) -> None:
        with self._database.session() as session:
            session.execute(delete(DatasetFile).where(DatasetFile.id == self._archive.file_id))

    @patiently
    def _limits(self) -> ArchiveLimits:
        """What the other files of the data set, and of the account that has it, leave of the limits."""
        settings = self._settings
        with self._database.session() as session:
            n_files, n_bytes = session.execute(
                select(*N_FILES_AND_BYTES).where(
                    DatasetFile.dataset_id == self._dataset_id, DatasetFile.id != self._archive.file_id
                )
            ).one()
            account_files, account_bytes = room_for_files(
                session, settings, self._dataset_id, without_id=self._archive.file_id
            )
        return ArchiveLimits(
            max_files=max(0, min(settings.max_files - n_files, account_files)),
            max_bytes=max(0, min(settings.max_upload_bytes - n_bytes, account_bytes)),
        )

    def _add_members(self, members: Iterator[ArchiveMember], say: Callable[[str], object]) -> None:
        known = self._known_files()
        rows: list[_FileValues] = []
        for n_read, member in enumerate(members, start=1):
            row = self._store_member(member)
            if (row["name"], row["sha256"]) not in known:
                known.add((row["name"], row["sha256"]))
                rows.append(row)
            elif row["key"]:
                self._store.delete(str(row["key"]))
            if len(rows) >= _ROWS_PER_COMMIT:
                self._insert(rows)
            say(store_messages.UNPACKING.format(name=self._archive.name, n=n_read))
        self._insert(rows)

    def _store_member(self, member: ArchiveMember) -> _FileValues:
        row: _FileValues = {
            "dataset_id": self._dataset_id,
            "name": member.name,
            "given_label": self._archive.given_label,
        }
        row |= {"key": "", "sha256": "", "n_bytes": 0}
        try:
            # The limits of the archive are counted while its stream is read, and hold for all its files together.
            stored = self._store.write(self._prefix, member.stream, max_bytes=_NO_LIMIT, is_synced=False)
        except BadUpload as error:
            return {**row, "state": FileState.REFUSED, "reason": error.message}
        found: _FileValues = {"key": stored.key, "sha256": stored.sha256, "n_bytes": stored.n_bytes}
        return {**row, **found, "state": FileState.RECEIVED, "reason": ""}

    @patiently
    def _known_files(self) -> set[tuple[object, object]]:
        """Name and SHA-256 of all files of the data set: what is there already is not added twice."""
        with self._database.session() as session:
            query = select(DatasetFile.name, DatasetFile.sha256).where(DatasetFile.dataset_id == self._dataset_id)
            return {(name, sha256) for name, sha256 in session.execute(query)}

    @patiently
    def _insert(self, rows: list[_FileValues]) -> None:
        """Raises UploadTooLarge: meanwhile other files of the account have come, so that these are too many."""
        if not rows:
            return
        self._store.sync(str(row["key"]) for row in rows if row["key"])
        with self._database.session() as session:
            query = select(DatasetFile.key).where(DatasetFile.key.in_([row["key"] for row in rows if row["key"]]))
            known = set(session.scalars(query))  # after a connection was lost in the moment of the commit
            if missing := [row for row in rows if row["key"] not in known]:
                n_bytes = sum(int(row["n_bytes"] or 0) for row in missing)
                more = {"n_files": len(missing), "n_bytes": n_bytes, "without_id": self._archive.file_id}
                refuse_files(session, self._settings, self._dataset_id, **more)
                session.execute(insert(DatasetFile), missing)
        rows.clear()

    @patiently
    def _forget_members(self) -> None:
        """Removes the files that came out of this archive, their rows and their bytes."""
        with self._database.session() as session:
            session.execute(
                delete(DatasetFile).where(
                    DatasetFile.dataset_id == self._dataset_id, DatasetFile.key.startswith(f"{self._prefix}/")
                )
            )
        self._store.delete_prefix(self._prefix)

    @patiently
    def _forget_earlier_refusal(self) -> None:
        """Removes the refused file that says what was wrong with an archive of this name that was sent before."""
        with self._database.session() as session:
            session.execute(
                delete(DatasetFile).where(
                    DatasetFile.dataset_id == self._dataset_id,
                    DatasetFile.name == self._archive.name,
                    DatasetFile.key == "",
                )
            )

    @patiently
    def _refuse(self, reason: str) -> None:
        with self._database.session() as session:
            session.execute(
                update(DatasetFile)
                .where(DatasetFile.id == self._archive.file_id)
                .values(state=FileState.REFUSED, reason=reason, key="", n_bytes=0)
            )
