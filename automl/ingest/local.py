"""A folder or an archive on this machine, checked for the command line; uploads go through `automl.store.checks`."""

import shlex
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_archive
from automl.archives.suffixes import is_archive, without_suffix
from automl.atomic_files import full_disk_explained
from automl.datasets.data_file import DataFile
from automl.datasets.edits import ChooseReading
from automl.datasets.manifest import manifest_of
from automl.datasets.verdict import explained, problem_of
from automl.errors import BadDataset, BadUpload, UploadTooLarge
from automl.images.near_copies import likeness_of
from automl.images.pixels import OnProgress
from automl.ingest.inspection import InspectedFile, inspect_files, is_for_inspection, judge_files
from automl.ingest.walk import printable, status_of_file, walk_folder
from automl.labelling.places import LAYOUTS, Reading
from automl.records import DatasetManifest, ReadingSummary, RefusedFile
from automl.settings import Settings
from automl.text.messages import ingest as ingest_messages
from automl.text.messages import labelling as labelling_messages
from automl.text.upload_names import is_junk

_LAYOUT_OF = {reading: layout for layout, reading in LAYOUTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundFile:
    """One file of the folder or the archive.

    Attributes:
        name: Its path in the folder or the archive, as people know it.
        path: Where its bytes are.
    """

    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundFiles:
    """What is in the folder or the archive.

    Attributes:
        name: The name of the data set.
        files: What can be read.
        refused: What cannot be read, and why.
    """

    name: str
    files: list[_FoundFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)


def ingest_folder(
    folder: Path,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    choice: ChooseReading | None = None,
    unpack_to: Path | None = None,
) -> DatasetManifest:
    """Checks the photos below `folder`, which stay where they are.

    Args:
        folder: Where the photos are.
        settings: For their limits.
        on_progress: Called while photos are decoded.
        choice: What to read the classes from; None lets the names of the files decide.
        unpack_to: Where archives among the files are unpacked to, as uploaded ones are; None leaves them packed.

    Raises:
        BadDataset: No classifier can be trained from them; the message says why and what to do.
        BadUpload: There is no such folder.
        UploadTooLarge: There are more files than `settings.max_files`.
    """
    if not folder.is_dir():
        raise BadUpload(ingest_messages.NO_SUCH_FOLDER.format(folder=printable(str(folder))))
    found = _FoundFiles(name=printable(folder.resolve().name))
    unreadable: list[OSError] = []
    for path, name in walk_folder(folder, unreadable.append):
        status = status_of_file(path, name)
        if isinstance(status, RefusedFile):
            found.refused.append(status)
        else:
            found.files.append(_FoundFile(name=name, path=path))
        if len(found.files) > settings.max_files:
            raise UploadTooLarge(ingest_messages.TOO_MANY_FILES.format(most=settings.max_files))
    for error in unreadable:
        name = printable(str(Path(error.filename).relative_to(folder)))
        found.refused.append(RefusedFile(name, ingest_messages.FOLDER_NOT_OPENED.format(reason=error.strerror)))
    if unpack_to is not None:
        _unpack_archives(found, unpack_to, settings)
    found.files.sort(key=lambda file: file.name)
    return _manifest(found, settings, on_progress, choice=choice)


def ingest_archive(
    path: Path,
    target_folder: Path,
    settings: Settings,
    *,
    on_progress: OnProgress | None = None,
    choice: ChooseReading | None = None,
) -> DatasetManifest:
    """Unpacks the archive at `path` (.zip, .tar, .tar.gz) into `target_folder`, and checks the photos in it.

    The files there have numbers for names. `choice` says what to read the classes from; None lets the names of the
    files decide.

    Raises:
        BadDataset: No classifier can be trained from them; the message says why and what to do.
        BadUpload: There is no such file, or it is not an archive that can be read.
        UploadTooLarge: There are more files or unpacked bytes than the settings allow.
        DiskFull: There is no room in `target_folder`.
    """
    found = _FoundFiles(name=without_suffix(path.name))
    limits = ArchiveLimits(max_files=settings.max_files, max_bytes=settings.max_upload_bytes)
    _unpack(_FoundFile(name=path.name, path=path), found, target_folder, limits=limits)
    return _manifest(found, settings, on_progress, choice=choice)


def _unpack_archives(found: _FoundFiles, target_folder: Path, settings: Settings) -> None:
    """Puts the files in archives into the place of the archives; one that cannot be read is refused as a whole."""
    archives = [file for file in found.files if is_archive(file.name) and not is_junk(file.name)]
    for number, archive in enumerate(archives):
        found.files.remove(archive)
        n_bytes = sum(file.path.stat().st_size for file in found.files)
        limits = ArchiveLimits(
            max_files=settings.max_files - len(found.files), max_bytes=max(0, settings.max_upload_bytes - n_bytes)
        )
        unpacked = _FoundFiles(name=archive.name)
        try:
            _unpack(archive, unpacked, target_folder / f"archive-{number}", limits=limits)
        except (BadUpload, UploadTooLarge) as error:
            found.refused.append(RefusedFile(archive.name, error.message))
        else:
            found.files.extend(unpacked.files)
            found.refused.extend(unpacked.refused)


def _unpack(archive: _FoundFile, found: _FoundFiles, target_folder: Path, *, limits: ArchiveLimits) -> None:
    target_folder.mkdir(parents=True, exist_ok=True)
    with _opened(archive.path) as source:
        for number, member in enumerate(read_archive(source, archive.name, limits)):
            target = target_folder / f"{number:06d}"
            try:
                with full_disk_explained(str(target_folder)), target.open("wb") as copy:
                    shutil.copyfileobj(member.stream, copy)
            except BadUpload as error:
                target.unlink()
                found.refused.append(RefusedFile(member.name, error.message))
            else:
                found.files.append(_FoundFile(name=member.name, path=target))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise BadUpload(ingest_messages.NO_SUCH_FILE.format(file=printable(str(path)))) from None
    except OSError as error:
        raise BadUpload(
            ingest_messages.ARCHIVE_NOT_READ.format(file=printable(str(path)), reason=error.strerror)
        ) from error


def _manifest(
    found: _FoundFiles, settings: Settings, on_progress: OnProgress | None, *, choice: ChooseReading | None
) -> DatasetManifest:
    """Raises BadDataset."""
    files, fingerprints = _inspected(found.files, settings.max_image_bytes, on_progress)
    edits = [choice] if choice else []
    assessment = judge_files(files, source=_LocalDisk(), edits=edits, fingerprints=fingerprints)
    layout = assessment.summary.layout
    others = [_other_reading(other) for other in (layout.others if layout else ())]
    refused = [*found.refused, *(RefusedFile(file.name, file.reason) for file in assessment.refused)]
    if assessment.problem:
        raise BadDataset(" ".join([explained(problem_of(assessment.images), refused), *others]))
    paths = {(file.name, file.sha256): Path(file.key) for file in files}
    images = [replace(image, path=paths[image.name, image.sha256]) for image in assessment.images]
    found_notes = [f"{finding.title}. {finding.consequence}" for finding in assessment.findings]
    notes = [*([layout.words] if layout else []), *others, *assessment.summary.notes, *found_notes]
    return manifest_of(
        found.name,
        images,
        refused=refused,
        notes=notes,
        contract=assessment.contract,
        keeps_clips=assessment.keeps_clips,
    )


def _other_reading(other: ReadingSummary) -> str:
    if other.column:
        return labelling_messages.OTHER_LABEL_COLUMN.format(column=shlex.quote(other.column), words=other.words)
    return labelling_messages.OTHER_LAYOUT.format(layout=_LAYOUT_OF[Reading(other.reading)], words=other.words)


def _inspected(
    found: Sequence[_FoundFile], max_image_bytes: int, on_progress: OnProgress | None
) -> tuple[list[DataFile], Mapping[int, bytes]]:
    """The files, decoded and compared with each other, and their fingerprints; what is not decoded comes last."""
    ordered = sorted(found, key=lambda file: not is_for_inspection(file.name))
    files = [
        DataFile(id=number, name=file.name, key=str(file.path), sha256="")
        for number, file in enumerate(ordered, start=1)
    ]
    # Numbers instead of rows of a database: they decide which of several near copies is the first.
    results = _Results(on_progress)
    inspect_files(files, source=_LocalDisk(), recorder=results, max_image_bytes=max_image_bytes)
    likeness = likeness_of(results.fingerprints, results.details)
    compared = [results.files.get(file.id, file).compared(likeness.get(file.id)) for file in files]
    return compared, results.fingerprints


class _LocalDisk:
    """The files of this machine: their keys are paths."""

    def open(self, file: DataFile) -> BinaryIO:
        return Path(file.key).open("rb")

    def path(self, file: DataFile) -> AbstractContextManager[Path]:
        return nullcontext(Path(file.key))

    def fault_of(self, error: Exception) -> str | None:
        return ingest_messages.FILE_NOT_READ.format(reason=error.strerror) if isinstance(error, OSError) else None


class _Results:
    """Keeps what an inspection finds in memory, without thumbnails.

    Attributes:
        files: The inspected files, by id.
        fingerprints: Those of the files that decode, by id.
        details: The same of their details.
    """

    def __init__(self, on_progress: OnProgress | None) -> None:
        self.files: dict[int, DataFile] = {}
        self.fingerprints: dict[int, bytes] = {}
        self.details: dict[int, bytes] = {}
        self._on_progress = on_progress

    def keep_thumbnail(self, _thumbnail: bytes) -> str:
        return ""

    def record(self, inspected: InspectedFile, *, n_done: int, n_total: int) -> None:
        self.files[inspected.file.id] = inspected.file
        if inspected.fingerprint:
            self.fingerprints[inspected.file.id] = inspected.fingerprint
            self.details[inspected.file.id] = inspected.detail
        if self._on_progress is not None:
            self._on_progress(n_done, n_total)

    def wait(self) -> None:
        pass
