"""The check of an uploaded data set: every file is placed, decoded, and accepted or refused with a reason."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from automl.data.layout import NoPlace, Place, guess_layout, is_junk
from automl.data.manifest import assess, counted, explained, fingerprint, quoted, summarise
from automl.data.pixels import OnProgress
from automl.data.unpack import unpack_archives
from automl.data.verify import in_threads, verify_image
from automl.errors import BadDataset, BadImage, NotAllowedNow, NotFound
from automl.records import DatasetManifest, DatasetState, FileState, ImageRecord, RefusedFile, Split
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, Dataset, DatasetFile, find_dataset
from automl.store.locks import exclusive

_SAY_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class _File:
    """A row of `dataset_files`. Without a `key` it has no bytes: it was refused for good before the check.

    `width`, `height`: None until it has been decoded; kept then, so that a repeated check decodes only what is new.
    """

    id: int
    name: str
    key: str
    sha256: str
    state: FileState
    reason: str
    label: str
    split: Split | None
    width: int | None
    height: int | None

    def refused(self, reason: str) -> "_File":
        return replace(self, state=FileState.REFUSED, reason=reason)


def check_dataset(
    database: Database,
    store: ArtifactStore,
    dataset_id: str,
    settings: Settings,
    on_progress: OnProgress | None = None,
) -> None:
    """Leaves the data set READY or INVALID, with a message and a summary, and every file ACCEPTED or REFUSED.

    May be repeated: after more files have come, and after it was killed at any point. Two at once take turns.

    Raises:
        NotFound: no such data set.
        DiskFull: no room to unpack a .zip.
    """
    with database.session() as session:
        find_dataset(session, dataset_id)
    with exclusive(settings.home / "locks" / f"dataset-{dataset_id}"):
        say = _Speaker(database, dataset_id)
        say.now("Looking at the files")
        unpack_archives(database, store, dataset_id, settings, say)
        before = _load_files(database, dataset_id)
        placed = _placed(before)
        decoded = _decoded(database, store, placed, settings.max_image_pixels, say, on_progress)
        _finish(database, dataset_id, before, decoded)


def load_manifest(database: Database, store: ArtifactStore, dataset_id: str, scratch: Path) -> DatasetManifest:
    """The accepted files of a READY data set; those of a remote store are copied to `scratch`.

    Raises:
        NotFound: no such data set.
        BadDataset: nothing can be trained from it; the message says why.
        NotAllowedNow: it has not been checked yet.
    """
    with database.session() as session:
        dataset = find_dataset(session, dataset_id)
        name, state, message = dataset.name, dataset.state, dataset.message
    if state is DatasetState.INVALID:
        raise BadDataset(message)
    if state is not DatasetState.READY:
        raise NotAllowedNow("These photos have not been checked yet.")
    files = _load_files(database, dataset_id)
    accepted = sorted((file for file in files if file.state is FileState.ACCEPTED), key=lambda file: file.name)
    images = tuple(
        ImageRecord(
            path=store.local_path(file.key, scratch),
            name=file.name,
            label=file.label,
            sha256=file.sha256,
            width=file.width or 0,
            height=file.height or 0,
            split=file.split,
        )
        for file in accepted
    )
    refused = tuple(RefusedFile(file.name, file.reason) for file in files if file.state is FileState.REFUSED)
    return DatasetManifest(name, tuple(sorted({file.label for file in accepted})), images, refused, fingerprint(images))


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


def _load_files(database: Database, dataset_id: str) -> list[_File]:
    columns = [getattr(DatasetFile, name) for name in _File.__slots__]
    with database.session() as session:
        rows = session.execute(
            select(*columns).where(DatasetFile.dataset_id == dataset_id).order_by(DatasetFile.id)
        ).all()
    return [
        _File(**{**row._mapping, "label": row.label or "", "split": Split(row.split) if row.split else None})
        for row in rows
    ]


def _placed(files: Sequence[_File]) -> list[_File]:
    """Files with the label and split that all names together suggest; earlier verdicts on places are forgotten."""
    places = iter(guess_layout([file.name for file in files if file.key]))
    return [_at(file, next(places)) if file.key else file for file in files]


def _at(file: _File, place: Place | NoPlace) -> _File:
    if isinstance(place, NoPlace):
        return replace(file.refused(place.reason), label="", split=None)
    return replace(file, state=FileState.RECEIVED, reason="", label=place.label, split=place.split)


def _decoded(
    database: Database,
    store: ArtifactStore,
    files: Sequence[_File],
    max_pixels: int,
    say: _Speaker,
    on_progress: OnProgress | None,
) -> list[_File]:
    """Files with their sizes, or refused. What is found out is saved every second: a check that is killed goes on."""

    def look(file: _File) -> _File:
        try:
            with store.open(file.key) as source:
                image = verify_image(source, max_pixels)
        except BadImage as error:
            return file.refused(error.message)
        except NotFound:
            return file.refused("Its contents are not here any more. Send it again.")
        return replace(file, width=image.width, height=image.height)

    todo = [file for file in files if file.state is FileState.RECEIVED and file.width is None]
    seen: dict[int, _File] = {}
    unsaved: list[_File] = []
    for file in in_threads(look, todo):
        seen[file.id] = file
        unsaved.append(file)
        if say(f"Looking at the photos: {len(seen):,} of {len(todo):,}"):
            _save(database, unsaved)
        if on_progress is not None:
            on_progress(len(seen), len(todo))
    _save(database, unsaved)
    return [seen.get(file.id, file) for file in files]


def _save(database: Database, files: list[_File]) -> None:
    rows = [
        {
            "id": file.id,
            "state": file.state,
            "reason": file.reason,
            "label": file.label or None,
            "split": file.split.value if file.split else None,
            "width": file.width,
            "height": file.height,
        }
        for file in files
    ]
    if rows:
        with database.session() as session:
            session.execute(update(DatasetFile), rows)
    files.clear()


def _finish(database: Database, dataset_id: str, before: Sequence[_File], files: Sequence[_File]) -> None:
    """Weighs the pictures against each other and writes the verdict."""
    pictures = [file for file in files if file.state is FileState.RECEIVED]
    verdict = assess(pictures)
    kept = [replace(pictures[index], state=FileState.ACCEPTED) for index in verdict.kept]
    final = {file.id: file for file in files}
    final |= {file.id: file for file in kept}
    final |= {pictures[index].id: pictures[index].refused(reason) for index, reason in verdict.refused.items()}
    _save(database, [final[file.id] for file in before if final[file.id] != file])
    refused = [file for file in final.values() if file.state is FileState.REFUSED and not is_junk(file.name)]
    summary = _summary(kept, refused, n_junk=sum(is_junk(file.name) for file in final.values()))
    message = explained(verdict.problem, _told(refused)) if verdict.problem else summary["verdict"]
    with database.session() as session:
        dataset = find_dataset(session, dataset_id)
        dataset.state = DatasetState.INVALID if verdict.problem else DatasetState.READY
        dataset.message = message
        dataset.summary = {**summary, "verdict": message}


def _summary(kept: Sequence[_File], refused: Sequence[_File], n_junk: int) -> dict[str, Any]:
    notes = []
    if n_junk:
        leftovers = counted(n_junk, "leftover of other programs", "leftovers of other programs")
        notes.append(f"{leftovers} (such as .DS_Store) {'was' if n_junk == 1 else 'were'} passed over.")
    if lost := sorted({file.label for file in refused if file.label} - {file.label for file in kept}):
        notes.append(f"No photo in {quoted(lost)} could be used, so it is not among the classes.")
    return summarise(kept, _told(refused), notes)


def _told(refused: Sequence[_File]) -> list[RefusedFile]:
    return [RefusedFile(file.name, file.reason) for file in refused]
