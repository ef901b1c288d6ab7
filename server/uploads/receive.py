"""Puts the files of one request into a data set: bytes into the store, names into the database."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from automl.archives.suffixes import without_suffix
from automl.datasets.edits import first_label
from automl.errors import BadUpload, DiskFull, NotAllowedNow, UploadTooLarge
from automl.labelling.places import MAX_LABEL_CHARS
from automl.records import DatasetState, RefusedFile, RunState
from automl.settings import Settings
from automl.store.artifacts import StoredFile
from automl.store.checks import current_edits
from automl.store.database import find_dataset
from automl.store.dataset_files import repair_file
from automl.store.quotas import add_dataset, refuse_files, room_for_files
from automl.store.room import refuse_short_disk
from automl.store.tables import N_FILES_AND_BYTES, Dataset, DatasetFile, Run
from automl.store.turns import take_turn
from automl.text.messages import quotas as quota_messages
from automl.text.messages import server as server_messages
from automl.text.numbers import size_in_words
from automl.text.upload_names import clean_text
from server.services import Services
from server.uploads.multipart import FieldPart, FilePart
from server.visitor import visitor

MAX_NAME_LENGTH = 1000
"""Characters of the name of a file, with its folders."""

_MAX_REFUSED = 1000
_FILES_PER_COMMIT = 200


@dataclass(slots=True, kw_only=True)
class Upload:
    """What one request brought.

    Attributes:
        dataset_id: The data set of its files; None before the first file of a new one.
        fields: The plain fields of the form.
        n_received: Files that were stored, or are there already.
        refused: Files that were not, and why.
        roots: The first folders of the names.
        label: The class that the next files are for, whatever their names say.
    """

    dataset_id: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    n_received: int = 0
    refused: list[RefusedFile] = field(default_factory=list)
    roots: set[str] = field(default_factory=set)
    label: str | None = None

    def suggested_name(self) -> str:
        """The name of the one folder or archive that holds everything, else an empty text."""
        root = next(iter(self.roots)) if len(self.roots) == 1 else ""
        return without_suffix(root)


def take_upload(services: Services, parts: Iterable[FilePart | FieldPart], dataset_id: str | None = None) -> Upload:
    """Reads a whole form. Its files go to `dataset_id`, or to a new data set that the first file makes.

    A field `label` names the class of the files that follow it. A file that is already there (same name, same bytes)
    is stored once: an upload may be repeated at will, and the class that was named last is the one that counts. Where
    it fails, files that are already committed to an existing data set stay; a new data set is removed again.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: It takes no files now.
        UploadTooLarge: There are more files or bytes than the settings allow.
        DiskFull: There is no room, or hardly any.
        BadUpload: The form is damaged or broke off, or its `label` is no name of a class or comes too late.
    """
    refuse_short_disk(services.settings)
    upload = Upload(dataset_id=dataset_id)
    batch = _Batch(services, dataset_id) if dataset_id else None
    try:
        for part in parts:
            if isinstance(part, FieldPart):
                _take_field(upload, part)
                continue
            if batch is None:
                upload.dataset_id = _new_dataset(services)
                batch = _Batch(services, upload.dataset_id)
            _take_file(upload, batch, part)
        if batch is not None:
            batch.commit()
    except BaseException:
        if batch is not None:
            batch.drop()
        if dataset_id is None and upload.dataset_id is not None:
            remove_dataset(services, upload.dataset_id)
        raise
    return upload


def remove_dataset(services: Services, dataset_id: str) -> None:
    """Deletes a data set that has no runs, with its files."""
    with services.database.session() as session:
        session.execute(delete(DatasetFile).where(DatasetFile.dataset_id == dataset_id))
        session.execute(delete(Dataset).where(Dataset.id == dataset_id))
    services.store.delete_prefix(_prefix(dataset_id))


def _new_dataset(services: Services) -> str:
    with services.database.session() as session:
        return add_dataset(session, services.settings, visitor().account_id, name="Photos").id


def _prefix(dataset_id: str) -> str:
    return f"datasets/{dataset_id}"


def checked_label(text: str) -> str | None:
    """The class that `text` names; None for an empty text.

    Raises:
        BadUpload: It is no name of a class.
    """
    label = clean_text(text)
    if len(label) > MAX_LABEL_CHARS or "/" in label or "\\" in label:
        raise BadUpload(server_messages.BAD_CLASS_NAME.format(most=MAX_LABEL_CHARS))
    return label or None


def _take_field(upload: Upload, part: FieldPart) -> None:
    if part.name != "label":
        upload.fields[part.name] = part.value
        return
    if upload.label is None and upload.n_received > 0:
        raise BadUpload(server_messages.LABEL_TOO_LATE)
    upload.label = checked_label(part.value)


def _take_file(upload: Upload, batch: "_Batch", part: FilePart) -> None:
    if len(part.name) > MAX_NAME_LENGTH:
        if len(upload.refused) == _MAX_REFUSED:
            raise BadUpload(server_messages.TOO_MANY_LONG_NAMES.format(most=_MAX_REFUSED, longest=MAX_NAME_LENGTH))
        reason = server_messages.NAME_TOO_LONG.format(longest=MAX_NAME_LENGTH)
        upload.refused.append(RefusedFile(part.name[:100] + "…", reason))
        return
    upload.roots.add(part.name.replace("\\", "/").lstrip("/").split("/", 1)[0])
    batch.add(part.name, part.body, upload.label)
    upload.n_received += 1


@dataclass(slots=True)
class _Arrived:
    """A file whose bytes are in the store.

    Attributes:
        name: Path that the user gave.
        stored: Where its bytes are.
        label: The class that it was sent to, None for none.
    """

    name: str
    stored: StoredFile
    label: str | None

    @property
    def identity(self) -> tuple[str, str]:
        """A file of the same identity is the same file."""
        return self.name, self.stored.sha256

    def row(self, dataset_id: str) -> dict[str, str | int | None]:
        return {
            "dataset_id": dataset_id,
            "name": self.name,
            "key": self.stored.key,
            "sha256": self.stored.sha256,
            "n_bytes": self.stored.n_bytes,
            "given_label": self.label,
        }


class _Batch:
    """Files that are in the store but not in the database yet."""

    def __init__(self, services: Services, dataset_id: str) -> None:
        self._services = services
        self._dataset_id = dataset_id
        self._pending: list[_Arrived] = []
        with services.database.session() as session:
            if find_dataset(session, dataset_id).state is DatasetState.CHECKING:
                raise NotAllowedNow(server_messages.BEING_CHECKED)
            _, account_bytes_left = room_for_files(session, services.settings, dataset_id)
            bytes_left = services.settings.max_upload_bytes - _size_of(session, dataset_id)[1]
            self._bytes_left = min(bytes_left, account_bytes_left)
            self._is_account_full = account_bytes_left < bytes_left
            self._edits = current_edits(session, dataset_id)

    def add(self, name: str, body: IO[bytes], label: str | None) -> None:
        refuse_short_disk(self._services.settings)
        with self._plain_words():
            stored = self._services.store.write(
                _prefix(self._dataset_id), body, max_bytes=self._bytes_left, is_synced=False
            )
        self._bytes_left -= stored.n_bytes
        self._pending.append(_Arrived(name, stored, label and first_label(self._edits, label)))
        if len(self._pending) >= _FILES_PER_COMMIT:
            self.commit()

    def commit(self) -> None:
        """Writes the rows of the files that have come since the last time.

        Raises:
            NotFound: The data set was deleted meanwhile.
            NotAllowedNow: It is being checked now.
            UploadTooLarge: There are more files or bytes than the settings allow.
        """
        # Before their rows are: whoever is told that a file is here has it, whatever happens to the power.
        self._services.store.sync(file.stored.key for file in self._pending)
        with self._services.database.session() as session:
            dataset = take_turn(session, self._dataset_id)
            if dataset.state is DatasetState.CHECKING:
                raise NotAllowedNow(server_messages.BEING_CHECKED)
            new, copies, relabelled, n_repaired = self._sort_out(session)
            n_bytes = sum(file.stored.n_bytes for file in new)
            check_size(session, self._services.settings, self._dataset_id, n_files=len(new), n_bytes=n_bytes)
            if new:
                session.execute(insert(DatasetFile), [file.row(self._dataset_id) for file in new])
            if new or relabelled or n_repaired:
                dataset.state, dataset.message = DatasetState.UPLOADING, ""
        self._pending.clear()
        for file in copies:
            self._services.store.delete(file.stored.key)
            self._bytes_left += file.stored.n_bytes

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        """Raises errors of the store as what they mean for an upload."""
        limits = self._services.settings
        try:
            with full_disk_in_words():
                yield
        except UploadTooLarge:
            if self._is_account_full:
                size = size_in_words(limits.account_bytes)
                raise UploadTooLarge(quota_messages.TOO_MANY_BYTES.format(size=size)) from None
            raise UploadTooLarge(_too_many_bytes(limits.max_upload_bytes)) from None

    def drop(self) -> None:
        """Forgets the files that have come since the last commit."""
        for file in self._pending:
            self._services.store.delete(file.stored.key)
        self._pending.clear()

    def _sort_out(self, session: Session) -> tuple[list[_Arrived], list[_Arrived], dict[int, str], int]:
        """The files that are new, the copies of what is there already, which of those have a new class, and how many
        were lost by the store and are whole now.
        """
        known = self._known_files(session)
        new: dict[tuple[str, str], _Arrived] = {}
        copies: list[_Arrived] = []
        relabelled: dict[int, str] = {}
        n_repaired = 0
        for file in self._pending:
            first = new.get(file.identity)
            if first is None and file.identity not in known:
                new[file.identity] = file
                continue
            if first is None:
                id_, _, key = known[file.identity]
                sent, sha256 = file.stored.key, file.stored.sha256
                if key and repair_file(session, self._services.store, id_, key=key, sha256=sha256, sent=sent):
                    n_repaired += 1
            copies.append(file)
            if file.label is None:
                continue
            if first is not None:
                first.label = file.label
            elif known[file.identity][1] != file.label:
                relabelled[known[file.identity][0]] = file.label
        if relabelled:
            session.execute(update(DatasetFile), [{"id": id_, "given_label": to} for id_, to in relabelled.items()])
        return list(new.values()), copies, relabelled, n_repaired

    def _known_files(self, session: Session) -> dict[tuple[str, str], tuple[int, str | None, str]]:
        """Id, given label and key of the files that are there under the names that have arrived, by identity."""
        names = {file.name for file in self._pending}
        columns = (DatasetFile.name, DatasetFile.sha256, DatasetFile.id, DatasetFile.given_label, DatasetFile.key)
        query = select(*columns).where(DatasetFile.dataset_id == self._dataset_id, DatasetFile.name.in_(names))
        return {(name, sha256): (id_, label, key) for name, sha256, id_, label, key in session.execute(query)}


def check_size(session: Session, limits: Settings, dataset_id: str, *, n_files: int, n_bytes: int) -> None:
    """Refuses so many more files of so many bytes for a data set.

    Raises:
        UploadTooLarge: There would be more than the settings allow a data set, or the account that has it.
    """
    n_there, n_bytes_there = _size_of(session, dataset_id)
    if n_there + n_files > limits.max_files:
        raise UploadTooLarge(server_messages.TOO_MANY_FILES.format(most=limits.max_files))
    if n_bytes_there + n_bytes > limits.max_upload_bytes:
        raise UploadTooLarge(_too_many_bytes(limits.max_upload_bytes))
    refuse_files(session, limits, dataset_id, n_files=n_files, n_bytes=n_bytes)


def _size_of(session: Session, dataset_id: str) -> tuple[int, int]:
    """How many files and bytes the data set has."""
    n_files, n_bytes = session.execute(select(*N_FILES_AND_BYTES).where(DatasetFile.dataset_id == dataset_id)).one()
    return n_files, n_bytes


def has_unfinished_run(session: Session, dataset_id: str) -> bool:
    """Whether a run of the data set has not ended."""
    unfinished = [state for state in RunState if not state.is_finished()]
    query = select(Run.id).where(Run.dataset_id == dataset_id, Run.state.in_(unfinished)).limit(1)
    return session.execute(query).first() is not None


def _too_many_bytes(limit: int) -> str:
    return server_messages.TOO_MANY_BYTES.format(size=size_in_words(limit))


@contextmanager
def full_disk_in_words() -> Iterator[None]:
    """Raises DiskFull where the block finds no room for a file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(server_messages.DISK_FULL) from error
        raise
