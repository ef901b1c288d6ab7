"""The check of an uploaded data set: every file is decoded once, placed, and accepted or refused with a reason.

What a check does is in `automl.ingest.inspection`. Here are the rows and the stored files that it works with.
"""

import io
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from automl.datasets.assess import Assessment
from automl.datasets.data_file import DataFile
from automl.datasets.edits import Edit, confirmed_labels, read_edit
from automl.datasets.findings.runs import found_by_runs
from automl.errors import BadDataset, NotAllowedNow, NotFound, StoreDamaged
from automl.images.decoding.turns import SharedTurns
from automl.images.near_copies import Likeness, likeness_of
from automl.images.pixels import OnProgress
from automl.ingest.inspection import InspectedFile, inspect_files, judge_files
from automl.records import DatasetManifest, DatasetState, DatasetSummary, FileState, RefusedFile
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.check_lease import leased_check
from automl.store.database import Database, find_dataset, known_run
from automl.store.dataset_files import load_files, load_fingerprints, n_sorted_by_models, save_files
from automl.store.patience import patiently
from automl.store.results import latest_report
from automl.store.sides import latest_sides
from automl.store.tables import Dataset, DatasetEdit, DatasetFile, Run
from automl.store.unpacking import unpack_archives
from automl.store.versions import latest_version, load_version, record_version
from automl.text.messages import store as store_messages

_SAY_EVERY_S = 1.0
_MAX_THUMBNAIL_BYTES = 1 << 20


def check_dataset(
    database: Database,
    store: ArtifactStore,
    dataset_id: str,
    *,
    settings: Settings,
    on_progress: OnProgress | None = None,
    is_for_asked: bool = False,
) -> None:
    """Leaves the data set READY or INVALID, with a message and a summary, and every file judged.

    It may be repeated, after more files have come and after it was killed at any point: what has been decoded is kept.
    Two checks of one data set at once take turns.

    Args:
        database: Where its rows are.
        store: Where its files are.
        dataset_id: The data set.
        settings: Those of the installation.
        on_progress: Is called after each photo.
        is_for_asked: Whether it is checked only while its state says that a check is asked for.

    Raises:
        NotFound: There is no such data set.
        DiskFull: There is no room to unpack an archive.
        LeaseLost: Another process checks it by now, the check was cancelled, or it was deleted.
        DatabaseAway: The database was away for long.
    """
    _refuse_unknown(database, dataset_id)
    with leased_check(database, dataset_id, settings.lease_s, is_for_asked=is_for_asked) as database:
        progress = _ProgressMessages(database, dataset_id)
        progress.write(store_messages.LOOKING_AT_FILES)
        unpack_archives(database, store, dataset_id, settings=settings, say=progress.write_if_due)
        recorder = _RowRecorder(database, store, dataset_id, progress=progress, on_progress=on_progress)
        files = _load_files(database, dataset_id)
        read_photo_s = inspect_files(
            files,
            source=_StoredFiles(store),
            recorder=recorder,
            max_image_bytes=settings.max_image_bytes,
            shared=SharedTurns(settings.locks_dir / "decoders"),
        )
        if read_photo_s is not None:
            _keep_speed(database, dataset_id, read_photo_s)
        progress.write(store_messages.COMPARING)
        _find_near_copies(database, dataset_id)
        _judge_finally(database, store, dataset_id)


@patiently
def _refuse_unknown(database: Database, dataset_id: str) -> None:
    with database.session() as session:
        find_dataset(session, dataset_id)


@patiently
def _load_files(database: Database, dataset_id: str) -> list[DataFile]:
    with database.session() as session:
        return load_files(session, dataset_id)


@patiently
def _judge_finally(database: Database, store: ArtifactStore, dataset_id: str) -> None:
    with database.session() as session:
        reassess(session, store, dataset_id)


def reassess(session: Session, store: ArtifactStore, dataset_id: str) -> Assessment:
    """Judges the decoded files anew, with the edits that count now, and writes the verdict and the version.

    Raises:
        NotFound: no such data set.
    """
    dataset = find_dataset(session, dataset_id)
    before = load_files(session, dataset_id)
    assessment = _judged(session, store, dataset_id, files=before)
    save_files(session, assessment.files, before)
    dataset.state = DatasetState.INVALID if assessment.problem else DatasetState.READY
    dataset.message = assessment.message
    dataset.summary = _with_speed(assessment.summary, dataset.summary.read_photo_s)
    if not assessment.problem:
        refused = [RefusedFile(f.name, f.reason) for f in assessment.files if f.state is FileState.REFUSED]
        keys = {(file.name, file.sha256): file.key for file in before}
        version = record_version(
            session,
            store,
            dataset_id,
            images=assessment.images,
            keys=keys,
            refused=refused,
            contract=assessment.contract,
            keeps_clips=assessment.keeps_clips,
        )
        version.n_confirmed, version.n_unseen = n_sorted_by_models(session, dataset_id)
        dataset.summary = dataset.summary.model_copy(update={"version": version.number})
    return assessment


def _with_speed(summary: DatasetSummary, read_photo_s: float | None) -> DatasetSummary:
    """With what an earlier check has measured: no edit changes it."""
    return summary if read_photo_s is None else summary.model_copy(update={"read_photo_s": read_photo_s})


def judge(session: Session, store: ArtifactStore, dataset_id: str) -> Assessment:
    """As `reassess`, but nothing is written."""
    return _judged(session, store, dataset_id, files=load_files(session, dataset_id))


def _judged(session: Session, store: ArtifactStore, dataset_id: str, *, files: Sequence[DataFile]) -> Assessment:
    edits = current_edits(session, dataset_id)
    report = latest_report(session, dataset_id)
    return judge_files(
        files,
        source=_StoredFiles(store),
        edits=edits,
        fingerprints=load_fingerprints(session, dataset_id),
        find_more=partial(found_by_runs, report, confirmed=confirmed_labels(edits)),
        remembered=latest_sides(session, dataset_id),
    )


def current_edits(session: Session, dataset_id: str) -> list[Edit]:
    """Those that were not undone, in their order."""
    query = select(DatasetEdit).where(DatasetEdit.dataset_id == dataset_id, DatasetEdit.undone_at.is_(None))
    return [read_edit(row.kind, row.values, row.title) for row in session.scalars(query.order_by(DatasetEdit.id))]


@patiently
def load_manifest(database: Database, store: ArtifactStore, run_id: str, *, scratch: Path) -> DatasetManifest:
    """The photos of a run: of the version that it was started with, else of the latest one, which is its from now on.

    Files of a remote store are copied to `scratch`.

    Raises:
        NotFound: no such run.
        BadDataset: nothing can be trained from the data set; the message says why.
        NotAllowedNow: it has not been checked yet.
    """
    with database.session() as session:
        # Begins with a write: the version stays what it is until the run has it.
        session.execute(update(Run).where(Run.id == run_id).values(id=run_id))
        run = known_run(session, run_id)
        if run.version is None:
            dataset = find_dataset(session, run.dataset_id)
            if dataset.state is DatasetState.INVALID:
                raise BadDataset(dataset.message)
            if dataset.state is not DatasetState.READY:
                raise NotAllowedNow(store_messages.NOT_CHECKED)
            run.version = latest_version(session, dataset.id)
        assert run.version is not None
        return load_version(session, store, run.version, scratch=scratch)


class _ProgressMessages:
    """Writes what is happening into the row of the data set, from where its page takes it."""

    def __init__(self, database: Database, dataset_id: str) -> None:
        self._database, self._dataset_id = database, dataset_id
        self._silent_until = self._look_again_at = 0.0

    def write_if_due(self, message: str) -> bool:
        """Writes the message if the last one is a second old; whether it was."""
        is_due = time.monotonic() >= self._silent_until
        if is_due:
            self.write(message)
        return is_due

    def look_if_due(self) -> None:
        """Raises LeaseLost within a second where the check was cancelled, or another process has taken it over."""
        if time.monotonic() >= self._look_again_at:
            self._look_again_at = time.monotonic() + _SAY_EVERY_S
            self._look()

    @patiently
    def _look(self) -> None:
        with self._database.session() as session:
            session.connection()  # begins with the fence

    @patiently
    def write(self, message: str) -> None:
        self._silent_until = time.monotonic() + _SAY_EVERY_S
        with self._database.session() as session:
            session.execute(
                update(Dataset)
                .where(Dataset.id == self._dataset_id)
                .values(state=DatasetState.CHECKING, message=message)
            )


class _StoredFiles:
    """The files of a data set in the artifact store, for the inspection."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def open(self, file: DataFile) -> AbstractContextManager[IO[bytes]]:
        return self._store.open(file.key)

    def path(self, file: DataFile) -> AbstractContextManager[Path]:
        return self._store.as_file(file.key)

    def fault_of(self, error: Exception) -> str | None:
        # Any other error is one of the store, and would soon refuse every file.
        if isinstance(error, StoreDamaged):
            return store_messages.CONTENTS_CHANGED
        return store_messages.CONTENTS_GONE if isinstance(error, NotFound | FileNotFoundError) else None


class _RowRecorder:
    """Writes what the inspection finds into the rows of the files, once a second: a check that is killed goes on."""

    def __init__(
        self,
        database: Database,
        store: ArtifactStore,
        dataset_id: str,
        *,
        progress: _ProgressMessages,
        on_progress: OnProgress | None,
    ) -> None:
        self._database, self._store = database, store
        self._thumbnails = f"datasets/{dataset_id}/thumbnails"
        self._progress, self._on_progress = progress, on_progress
        self._unsaved: list[InspectedFile] = []

    def keep_thumbnail(self, thumbnail: bytes) -> str:
        stored = self._store.write(
            # Not synced: a small copy can be drawn again.
            self._thumbnails,
            io.BytesIO(thumbnail),
            max_bytes=_MAX_THUMBNAIL_BYTES,
            suffix=".jpg",
            is_synced=False,
        )
        return stored.key

    def record(self, inspected: InspectedFile, *, n_done: int, n_total: int) -> None:
        self._unsaved.append(inspected)
        if self._progress.write_if_due(store_messages.LOOKING_AT_PHOTOS.format(n_done=n_done, n_total=n_total)):
            self._save()
        if self._on_progress is not None:
            self._on_progress(n_done, n_total)
        if n_done == n_total:
            self._save()

    def wait(self) -> None:
        self._progress.look_if_due()

    @patiently
    def _save(self) -> None:
        with self._database.session() as session:
            save_files(session, [inspected.file for inspected in self._unsaved])
            fingerprints = [
                {
                    "id": inspected.file.id,
                    "fingerprint": inspected.fingerprint,
                    "detail": inspected.detail,
                }
                for inspected in self._unsaved
                if inspected.fingerprint
            ]
            if fingerprints:
                session.execute(update(DatasetFile), fingerprints)
        self._unsaved.clear()


@patiently
def _keep_speed(database: Database, dataset_id: str, read_photo_s: float) -> None:
    with database.session() as session:
        dataset = find_dataset(session, dataset_id)
        dataset.summary = _with_speed(dataset.summary, round(read_photo_s, 5))


@patiently
def _find_near_copies(database: Database, dataset_id: str) -> None:
    """Compares all photos that decode, whether they are used or not, so that no edit needs to compare them again."""
    columns = [DatasetFile.id, DatasetFile.near, DatasetFile.original, DatasetFile.shot]
    with database.session() as session:
        query = select(DatasetFile.fingerprint, DatasetFile.detail, *columns)
        rows = session.execute(
            query.where(DatasetFile.dataset_id == dataset_id, DatasetFile.fingerprint.is_not(None)).order_by(
                DatasetFile.id
            )
        ).all()
    if not any(row.shot is None for row in rows):
        return
    likeness = likeness_of(
        {row.id: row.fingerprint for row in rows}, {row.id: row.detail for row in rows if row.detail is not None}
    )
    known = {row.id: Likeness(near=row.near, original=row.original, shot=row.shot) for row in rows}
    changed = [{"id": number, **asdict(alike)} for number, alike in likeness.items() if known[number] != alike]
    with database.session() as session:
        if changed:
            session.execute(update(DatasetFile), changed)
