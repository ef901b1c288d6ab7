"""Sorting photos without a class: a model answers them as they arrive, and its answers are kept to be corrected."""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from automl.datasets.edits import first_label
from automl.errors import BadImage, NotAllowedNow, UploadTooLarge
from automl.records import DatasetState, FileState
from automl.store.checks import current_edits
from automl.store.database import find_run
from automl.store.quotas import refuse_files
from automl.store.room import refuse_short_disk
from automl.store.sortings import find_sorting, origin_of, size_of_sortings, to_be_added
from automl.store.tables import DatasetFile, SortedPhoto, Sorting, now
from automl.store.turns import take_turn
from automl.text.messages import server as server_messages
from automl.text.numbers import size_in_words
from server.answering import Answer, Asked, Refusal, answer_or_refusal, ask, sure_from, whole_photo
from server.jobs import start_check
from server.services import Services
from server.uploads.multipart import FieldPart, FilePart
from server.uploads.receive import MAX_NAME_LENGTH, check_size, full_disk_in_words

_IN_A_STATEMENT = 500
_LITTLE_ENDIAN = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of sorted photos that were to be added to their data set.

    Attributes:
        n_added: Photos that are in it now, under their class.
        n_there: Photos that it had already.
    """

    n_added: int
    n_there: int


def start_sorting(services: Services, run_id: str, name: str) -> str:
    """Begins a sorting by the model of a run, and returns its id.

    Raises:
        NotFound: There is no such run.
        NotAllowedNow: It has no model yet.
    """
    asked = ask(services, run_id)
    with services.database.session() as session:
        sorting = Sorting(run_id=run_id, name=name, labels=list(asked.labels))
        session.add(sorting)
        session.flush()
        return sorting.id


def sort_photos(services: Services, run_id: str, sorting_id: str, parts: Iterable[FilePart | FieldPart]) -> int:
    """Answers the photos of a form one by one and keeps them; returns how many files the form had.

    Each photo is kept as soon as it is answered: where the form breaks off, the ones before stay. A file that is there
    already, of the same name and contents, is passed over.

    Raises:
        NotFound: There is no such run, or no such sorting of it.
        UploadTooLarge: There are more files or bytes than the settings allow.
        DiskFull: There is no room.
        BadUpload: The form is damaged or broke off.
        TooBusy: Too many photos are being decoded at the moment.
    """
    asked = ask(services, run_id)
    keeper = _Keeper(services, asked, sorting_id)
    n_files = 0
    for part in parts:
        if isinstance(part, FilePart):
            keeper.keep(part)
            n_files += 1
    return n_files


class _Keeper:
    """Answers photos and keeps them, within the limits."""

    def __init__(self, services: Services, asked: Asked, sorting_id: str) -> None:
        self._services, self._asked, self._sorting_id = services, asked, sorting_id
        limits = services.settings
        with services.database.session() as session:
            find_sorting(session, asked.run.id, sorting_id)
            n_files, n_bytes = size_of_sortings(session, asked.run.dataset_id)
        self._files_left, self._bytes_left = limits.max_files - n_files, limits.max_upload_bytes - n_bytes
        self._prefix = f"datasets/{asked.run.dataset_id}/sortings"

    def keep(self, part: FilePart) -> None:
        refuse_short_disk(self._services.settings)
        if len(part.name) > MAX_NAME_LENGTH:
            self._refuse(f"{part.name[:100]}…", server_messages.NAME_TOO_LONG.format(longest=MAX_NAME_LENGTH))
            return
        try:
            content = whole_photo(part.body)
        except BadImage as error:
            self._refuse(part.name, error.message)
            return
        photo = SortedPhoto(
            name=part.name,
            sha256=hashlib.sha256(content.getbuffer()).hexdigest(),
            n_bytes=content.getbuffer().nbytes,
        )
        if self._is_there(photo):
            return
        self._refuse_too_much(photo.n_bytes)
        found = answer_or_refusal(self._asked, part.name, content.getvalue(), with_picture=True)
        if isinstance(found, Refusal):
            photo.reason = found.reason
        else:
            self._take(photo, found, content)
        self._add(photo)

    def _refuse(self, name: str, reason: str) -> None:
        """Lists a file that was not read, so that its contents are not known."""
        photo = SortedPhoto(name=name, sha256="", reason=reason, n_bytes=0)
        if not self._is_there(photo):
            self._refuse_too_much(0)
            self._add(photo)

    def _take(self, photo: SortedPhoto, answer: Answer, content: io.BytesIO) -> None:
        """Everything that is kept of an answer; more of it would be one more line here."""
        photo.answer = photo.label = answer.label
        photo.confidence, photo.is_foreign = answer.confidence, answer.is_foreign
        photo.probabilities = answer.probabilities.astype(_LITTLE_ENDIAN).tobytes()
        content.seek(0)
        with full_disk_in_words():
            photo.key = self._services.store.write(self._prefix, content, max_bytes=photo.n_bytes).key
            small = io.BytesIO(answer.picture)
            max_bytes = len(answer.picture)
            photo.thumbnail = self._services.store.write(self._prefix, small, max_bytes=max_bytes, suffix=".jpg").key

    def _is_there(self, photo: SortedPhoto) -> bool:
        same = (SortedPhoto.name == photo.name, SortedPhoto.sha256 == photo.sha256)
        query = select(SortedPhoto.id).where(SortedPhoto.sorting_id == self._sorting_id, *same).limit(1)
        with self._services.database.session() as session:
            return session.scalar(query) is not None

    def _refuse_too_much(self, n_bytes: int) -> None:
        limits = self._services.settings
        if self._files_left < 1:
            raise UploadTooLarge(server_messages.TOO_MANY_SORTED.format(most=limits.max_files))
        if self._bytes_left < n_bytes:
            size = size_in_words(limits.max_upload_bytes)
            raise UploadTooLarge(server_messages.TOO_MANY_BYTES_SORTED.format(size=size))

    def _add(self, photo: SortedPhoto) -> None:
        """Raises UploadTooLarge: the account whose data set it is would have more than it may have."""
        photo.sorting_id = self._sorting_id
        try:
            with self._services.database.session() as session:
                if photo.key:
                    dataset_id, settings = self._asked.run.dataset_id, self._services.settings
                    refuse_files(session, settings, dataset_id, n_files=1, n_bytes=photo.n_bytes)
                find_sorting(session, self._asked.run.id, self._sorting_id).changed_at = now()
                session.add(photo)
        except UploadTooLarge:
            for key in (photo.key, photo.thumbnail):
                self._services.store.delete(key)
            raise
        self._files_left -= 1
        self._bytes_left -= photo.n_bytes


def add_sorted(services: Services, run_id: str, sorting_id: str, *, also_unseen: bool) -> Added:
    """Adds the sorted photos of a class to the data set of the run, and has it checked.

    Args:
        services: Those of the application.
        run_id: The run.
        sorting_id: The sorting.
        also_unseen: Whether also those count of which the model is sure and that nobody has looked at.

    Raises:
        NotFound: There is no such run, or no such sorting of it.
        NotAllowedNow: The data set is being checked, or there is no photo to add.
        UploadTooLarge: The data set would have more files or bytes than the settings allow.
        QueueUnavailable: The photos are in the data set, but their check could not be started.
    """
    with services.database.session() as session:
        dataset_id = find_run(session, run_id).dataset_id
    with services.database.session() as session:
        dataset = take_turn(session, dataset_id)
        if dataset.state is DatasetState.CHECKING:
            raise NotAllowedNow(server_messages.BEING_CHECKED)
        find_sorting(session, run_id, sorting_id).changed_at = now()
        threshold = sure_from(session, find_run(session, run_id))
        photos = to_be_added(session, sorting_id, threshold=threshold, also_unseen=also_unseen)
        if not photos:
            raise NotAllowedNow(server_messages.NOTHING_TO_ADD)
        known = _used_contents(session, dataset_id, photos)
        new = list({photo.sha256: photo for photo in photos if photo.sha256 not in known}.values())
        n_bytes = sum(photo.n_bytes for photo in new)
        # Before the account's files are counted: from here on they are those of the data set.
        session.execute(update(SortedPhoto), [{"id": photo.id, "added_at": now()} for photo in photos])
        check_size(session, services.settings, dataset_id, n_files=len(new), n_bytes=n_bytes)
        edits = current_edits(session, dataset_id)
        rows = [
            {
                "dataset_id": dataset_id,
                "name": photo.name,
                "key": photo.key,
                "sha256": photo.sha256,
                "n_bytes": photo.n_bytes,
                "given_label": first_label(edits, photo.label),
                "origin": origin_of(photo),
            }
            for photo in new
        ]
        if rows:
            session.execute(insert(DatasetFile), rows)
            dataset.state, dataset.message = DatasetState.UPLOADING, ""
    if new:
        start_check(services, dataset_id)
    return Added(n_added=len(new), n_there=len(photos) - len(new))


def _used_contents(session: Session, dataset_id: str, photos: list[SortedPhoto]) -> set[str]:
    """The SHA-256 among those of the photos that the data set has, in a class or left out by its user."""
    digests = sorted({photo.sha256 for photo in photos})
    known: set[str] = set()
    for start in range(0, len(digests), _IN_A_STATEMENT):
        some = DatasetFile.sha256.in_(digests[start : start + _IN_A_STATEMENT])
        query = select(DatasetFile.sha256).where(DatasetFile.dataset_id == dataset_id, some)
        known |= set(session.scalars(query.where(DatasetFile.state != FileState.REFUSED)))
    return known
