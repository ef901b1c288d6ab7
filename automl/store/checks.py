"""The check of an uploaded data set: every file is decoded once, placed, and accepted or refused with a reason."""

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from automl.datasets.assess import Assessment, assess, is_table
from automl.datasets.data_file import DataFile
from automl.datasets.edits import Edit, checked_edit
from automl.datasets.findings.runs import found_by_runs
from automl.errors import BadDataset, BadImage, NotAllowedNow, NotFound
from automl.images.near_copies import near_ids
from automl.images.pixels import OnProgress
from automl.images.verify import in_threads, inspect_photo
from automl.labelling.label_tables import LabelTable, read_tables
from automl.records import DatasetManifest, DatasetState, FileState, RefusedFile
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, find_dataset, find_run
from automl.store.dataset_files import load_files, save_files
from automl.store.locks import exclusive
from automl.store.results import latest_result
from automl.store.tables import Dataset, DatasetEdit, DatasetFile, Run
from automl.store.unpacking import unpack_archives
from automl.store.versions import latest_version, load_version, record_version
from automl.text.upload_names import is_junk

_SAY_EVERY_S = 1.0
_MAX_THUMBNAIL_BYTES = 1 << 20
_FEWEST_TO_TIME = 20


LOOK_S = "look_s"
"""In the summary of a data set: seconds that this machine took to read one of its photos, all cores at work."""


def check_dataset(
    database: Database,
    store: ArtifactStore,
    dataset_id: str,
    settings: Settings,
    on_progress: OnProgress | None = None,
) -> None:
    """Leaves the data set READY or INVALID, with a message and a summary, and every file judged.

    May be repeated: after more files have come, and after it was killed at any point. Two at once take turns.

    Raises:
        NotFound: no such data set.
        DiskFull: no room to unpack an archive.
    """
    with database.session() as session:
        find_dataset(session, dataset_id)
    with exclusive(settings.home / "locks" / f"dataset-{dataset_id}"):
        say = _Speaker(database, dataset_id)
        say.now("Looking at the files")
        unpack_archives(database, store, dataset_id, settings=settings, say=say)
        look_s = _look_at_new_files(database, store, dataset_id, settings.max_image_pixels, say, on_progress)
        if look_s is not None:
            _keep_speed(database, dataset_id, look_s)
        say.now("Comparing the photos with each other")
        _find_near_copies(database, dataset_id)
        with database.session() as session:
            reassess(session, store, dataset_id)


def reassess(session: Session, store: ArtifactStore, dataset_id: str) -> Assessment:
    """Judges the decoded files anew, with the edits that count now, and writes the verdict and the version.

    Raises:
        NotFound: no such data set.
    """
    dataset = find_dataset(session, dataset_id)
    before = load_files(session, dataset_id)
    assessment = _judged(session, store, dataset_id, before)
    save_files(session, assessment.files, before)
    dataset.state = DatasetState.INVALID if assessment.problem else DatasetState.READY
    dataset.message, dataset.summary = assessment.message, assessment.summary | _speed_of(dataset)
    if not assessment.problem:
        refused = [RefusedFile(f.name, f.reason) for f in assessment.files if f.state is FileState.REFUSED]
        keys = {(file.name, file.sha256): file.key for file in before}
        version = record_version(session, store, dataset_id, assessment.images, keys, refused)
        dataset.summary = {**dataset.summary, "version": version.number}
    return assessment


def _speed_of(dataset: Dataset) -> dict[str, float]:
    """What an earlier check measured: no edit changes it."""
    return {name: value for name, value in dataset.summary.items() if name == LOOK_S}


def judge(session: Session, store: ArtifactStore, dataset_id: str) -> Assessment:
    """As `reassess`, but nothing is written."""
    return _judged(session, store, dataset_id, load_files(session, dataset_id))


def _judged(session: Session, store: ArtifactStore, dataset_id: str, files: Sequence[DataFile]) -> Assessment:
    edits = current_edits(session, dataset_id)
    return assess(files, edits, _tables(store, files), partial(found_by_runs, latest_result(session, dataset_id)))


def current_edits(session: Session, dataset_id: str) -> list[Edit]:
    """Those that were not undone, in their order."""
    query = select(DatasetEdit).where(DatasetEdit.dataset_id == dataset_id, DatasetEdit.undone_at.is_(None))
    return [checked_edit(row.kind, row.values, row.title) for row in session.scalars(query.order_by(DatasetEdit.id))]


def load_manifest(database: Database, store: ArtifactStore, run_id: str, scratch: Path) -> DatasetManifest:
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
        run = find_run(session, run_id)
        if run.version is None:
            dataset = find_dataset(session, run.dataset_id)
            if dataset.state is DatasetState.INVALID:
                raise BadDataset(dataset.message)
            if dataset.state is not DatasetState.READY:
                raise NotAllowedNow("These photos have not been checked yet.")
            run.version = latest_version(session, dataset.id)
        assert run.version is not None
        return load_version(session, store, run.version, scratch)


class _Speaker:
    """Tells the page what is happening, at most once a second."""

    def __init__(self, database: Database, dataset_id: str) -> None:
        self._database, self._dataset_id = database, dataset_id
        self._silent_until = 0.0

    def __call__(self, message: str) -> bool:
        """True if it was time to say something."""
        is_time = time.monotonic() >= self._silent_until
        if is_time:
            self.now(message)
        return is_time

    def now(self, message: str) -> None:
        self._silent_until = time.monotonic() + _SAY_EVERY_S
        with self._database.session() as session:
            session.execute(
                update(Dataset)
                .where(Dataset.id == self._dataset_id)
                .values(state=DatasetState.CHECKING, message=message)
            )


def _look_at_new_files(
    database: Database,
    store: ArtifactStore,
    dataset_id: str,
    max_pixels: int,
    say: _Speaker,
    on_progress: OnProgress | None,
) -> float | None:
    """Decodes what no check has decoded. Saved every second: a check that is killed goes on.

    Returns the seconds for one photo, None where they were too few to tell.
    """

    def look(file: DataFile) -> tuple[DataFile, bytes]:
        try:
            with store.open(file.key) as source:
                traits, thumbnail = inspect_photo(source, max_pixels)
        except BadImage as error:
            return replace(file, fault=error.message), b""
        except NotFound:
            return replace(file, fault="Its contents are not here any more. Send it again."), b""
        stored = store.write(f"datasets/{dataset_id}/thumbnails", io.BytesIO(thumbnail), _MAX_THUMBNAIL_BYTES, ".jpg")
        return file.seen(traits, stored.key), traits.fingerprint

    with database.session() as session:
        files = load_files(session, dataset_id)
    todo = [file for file in files if file.key and not file.is_seen and not is_junk(file.name)]
    todo = [file for file in todo if not is_table(file.name)]
    unsaved: list[tuple[DataFile, bytes]] = []
    start = time.monotonic()
    for n_done, seen in enumerate(in_threads(look, todo), start=1):
        unsaved.append(seen)
        if say(f"Looking at the photos: {n_done:,} of {len(todo):,}"):
            _save(database, unsaved)
        if on_progress is not None:
            on_progress(n_done, len(todo))
    _save(database, unsaved)
    return (time.monotonic() - start) / len(todo) if len(todo) >= _FEWEST_TO_TIME else None


def _keep_speed(database: Database, dataset_id: str, look_s: float) -> None:
    with database.session() as session:
        dataset = find_dataset(session, dataset_id)
        dataset.summary = {**dataset.summary, LOOK_S: round(look_s, 5)}


def _save(database: Database, seen: list[tuple[DataFile, bytes]]) -> None:
    with database.session() as session:
        save_files(session, [file for file, _ in seen])
        if looks := [{"id": file.id, "look": look} for file, look in seen if look]:
            session.execute(update(DatasetFile), looks)
    seen.clear()


def _find_near_copies(database: Database, dataset_id: str) -> None:
    """Over all files that decode, used or not: so no edit needs to look at them again."""
    with database.session() as session:
        query = select(DatasetFile.id, DatasetFile.look, DatasetFile.near)
        rows = session.execute(
            query.where(DatasetFile.dataset_id == dataset_id, DatasetFile.look.is_not(None)).order_by(DatasetFile.id)
        ).all()
    if not any(row.near is None for row in rows):
        return
    near = near_ids({row.id: row.look for row in rows})
    changed = [{"id": row.id, "near": near[row.id]} for row in rows if row.near != near[row.id]]
    with database.session() as session:
        if changed:
            session.execute(update(DatasetFile), changed)


def _tables(store: ArtifactStore, files: Sequence[DataFile]) -> list[LabelTable]:
    """Files that may say which photo is of which class. One that is too large for that is no table of labels."""

    def reader(key: str) -> Callable[[int], bytes]:
        def read(n_bytes: int) -> bytes:
            with store.open(key) as source:
                return source.read(n_bytes)

        return read

    # Of tables with one name the one that came last, since it is the one that was mended.
    newest = {file.name: file.key for file in files if file.key and is_table(file.name)}
    return read_tables({name: reader(key) for name, key in newest.items()}, [file.name for file in files])
