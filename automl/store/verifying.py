"""Reads every file that rows speak of, and mends what the disk has lost or changed, as far as that can be done."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update

from automl.checked_files import SUFFIX, is_unchanged, remove
from automl.errors import NotFound
from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Inspect, Inspected
from automl.images.decoding.pool import Decoders
from automl.serving.sound_zip import sound_zip
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.exports import make_again
from automl.store.tables import Artifact, Dataset, DatasetFile, DatasetVersion, Export, Run
from automl.text.messages import store as store_messages

_ZIP = "application/zip"
_MOST_THUMBNAIL_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFile:
    """A file that was read.

    Attributes:
        name: What it is, for people.
        state: What was wrong and what was done about it; empty where it is whole.
        is_lost: Whether somebody has to do something.
    """

    name: str
    state: str = ""
    is_lost: bool = False


def verify_store(database: Database, store: ArtifactStore, *, max_image_bytes: int) -> Iterator[VerifiedFile]:
    """Every file of data sets and runs, one after the other; a photo that is lost is asked for when it is sent again.

    Args:
        database: Its rows say what has to be there.
        store: The files.
        max_image_bytes: Of a photo that is decoded, whose small copy is lost.
    """
    decoders = Decoders(DecodingLimits(max_image_bytes=max_image_bytes))
    with database.session() as session:
        names = {row.id: row.name for row in session.execute(select(Dataset.id, Dataset.name))}
        columns = [getattr(DatasetFile, name) for name in ("id", "dataset_id", "name", "key", "sha256", "thumbnail")]
        query = select(*columns).where(DatasetFile.key != "", DatasetFile.sha256 != "")
        photos = session.execute(query).all()
    for photo in photos:
        name = store_messages.PHOTO_OF.format(photo=photo.name, data_set=names[photo.dataset_id])
        if not store.is_unchanged(photo.key, photo.sha256):
            yield _mend_photo(database, store, name, file_id=photo.id, key=photo.key, sha256=photo.sha256)
        elif photo.thumbnail and not store.size(photo.thumbnail):
            yield _draw_again(store, decoders, name, key=photo.key, thumbnail=photo.thumbnail)
        else:
            yield VerifiedFile(name=name)
    yield from _versions(database, store, names)
    yield from _files_of_runs(database, store)


def _mend_photo(
    database: Database, store: ArtifactStore, name: str, *, file_id: int, key: str, sha256: str
) -> VerifiedFile:
    """Takes the bytes from another file that has the same ones; where there is none, the photo has to be sent again."""
    with database.session() as session:
        twins = select(DatasetFile.key).where(DatasetFile.sha256 == sha256, DatasetFile.key.not_in(["", key]))
        for twin in session.scalars(twins):
            if store.is_unchanged(twin, sha256):
                with store.open(twin) as source:
                    copy = store.write(key.rpartition("/")[0], source, max_bytes=1 << 62)
                store.replace(key, copy.key)
                return VerifiedFile(name=name, state=store_messages.REPAIRED_FROM_TWIN)
        is_there = store.exists(key)
        fault = store_messages.CONTENTS_CHANGED if is_there else store_messages.CONTENTS_GONE
        session.execute(update(DatasetFile).where(DatasetFile.id == file_id).values(fault=fault))
    return VerifiedFile(name=name, state=store_messages.SEND_AGAIN, is_lost=True)


def _draw_again(store: ArtifactStore, decoders: Decoders, name: str, *, key: str, thumbnail: str) -> VerifiedFile:
    with store.as_file(key) as path:
        answer = decoders.answer(Inspect(path=path))
    if not isinstance(answer, Inspected):
        return VerifiedFile(name=name, state=str(answer), is_lost=True)
    drawn = store.write(
        thumbnail.rpartition("/")[0], io.BytesIO(answer.thumbnail), max_bytes=_MOST_THUMBNAIL_BYTES, suffix=".jpg"
    )
    store.replace(thumbnail, drawn.key)
    return VerifiedFile(name=name, state=store_messages.SMALL_COPY_DRAWN)


def _versions(database: Database, store: ArtifactStore, names: dict[str, str]) -> Iterator[VerifiedFile]:
    with database.session() as session:
        versions = session.scalars(select(DatasetVersion)).all()
        used = set(session.scalars(select(Run.version_id).where(Run.version_id.is_not(None))))
    for version in versions:
        name = store_messages.VERSION_OF.format(number=version.number, data_set=names[version.dataset_id])
        if store.size(version.key):
            yield VerifiedFile(name=name)
        elif version.id in used:
            yield VerifiedFile(name=name, state=store_messages.VERSION_LOST, is_lost=True)
        else:
            yield VerifiedFile(name=name, state=store_messages.VERSION_MADE_AGAIN)


def _files_of_runs(database: Database, store: ArtifactStore) -> Iterator[VerifiedFile]:
    with database.session() as session:
        artifacts = session.scalars(select(Artifact)).all()
        exports = session.scalars(select(Export).where(Export.key != "")).all()
        runs = {run.id: run.name or run.dataset.name for run in session.scalars(select(Run))}
    for artifact in artifacts:
        name = store_messages.FILE_OF_RUN.format(file=artifact.name, run=runs[artifact.run_id])
        is_whole = _is_whole(store, artifact.key, artifact.n_bytes, is_zip=artifact.media_type == _ZIP)
        state = "" if is_whole else store_messages.RUN_FILE_LOST
        yield VerifiedFile(name=name, state=state, is_lost=not is_whole)
    for export in exports:
        name = store_messages.FILE_OF_RUN.format(file=export.format, run=runs[export.run_id])
        if _is_whole(store, export.key, export.n_bytes, is_zip=export.key.endswith(".zip")):
            yield VerifiedFile(name=name)
            continue
        with database.session() as session:
            row = session.get(Export, export.id)
            if row is not None and row.key == export.key:
                make_again(row)
        yield VerifiedFile(name=name, state=store_messages.FORMAT_MADE_AGAIN)


def _is_whole(store: ArtifactStore, key: str, n_bytes: int, *, is_zip: bool) -> bool:
    """Whether a file has its size and, of a .zip, whether every member has its checksum."""
    if store.size(key) != n_bytes:
        return False
    if not is_zip:
        return True
    try:
        with store.open(key) as source, sound_zip(source) as archive:
            return archive.testzip() is None
    except (NotFound, zipfile.BadZipFile):
        return False


def verify_caches(folders: dict[Path, str]) -> Iterator[VerifiedFile]:
    """Every file of a cache that has a checksum; one that is damaged is removed.

    folders: and which files of each are looked at, as a pattern.
    """
    for folder, pattern in folders.items():
        for beside in sorted(folder.glob(pattern + SUFFIX)):
            path = beside.with_name(beside.name.removesuffix(SUFFIX))
            if is_unchanged(path):
                yield VerifiedFile(name=str(path))
            else:
                remove(path)
                yield VerifiedFile(name=str(path), state=store_messages.CACHE_MADE_AGAIN)
