"""A folder or an archive on this machine, verified. The command line's way in; uploads go through `check`."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_archive
from automl.archives.suffixes import without_suffix
from automl.atomic_files import full_disk_explained
from automl.datasets.assess import assess, is_table, manifest_of
from automl.datasets.data_file import DataFile
from automl.datasets.manifest import explained, problem_of
from automl.errors import BadDataset, BadImage, BadUpload, UploadTooLarge
from automl.images.fingerprint import Traits
from automl.images.near_copies import near_ids
from automl.images.pixels import OnProgress
from automl.images.verify import in_threads, inspect_photo
from automl.labelling.label_tables import read_tables
from automl.records import DatasetManifest, RefusedFile
from automl.settings import Settings
from automl.text.upload_names import is_junk


@dataclass(frozen=True, slots=True)
class _Found:
    """One file. `name`: relative, as people know it; `path`: where its bytes are."""

    name: str
    path: Path


def ingest_folder(folder: Path, settings: Settings, on_progress: OnProgress | None = None) -> DatasetManifest:
    """Verifies the pictures under `folder`; nothing is copied.

    Raises:
        BadDataset: no classifier can be trained from it; the message says why and what to do.
        BadUpload: there is no such folder.
        UploadTooLarge: more files than `settings.max_files`.
    """
    if not folder.is_dir():
        raise BadUpload(f"There is no folder {_printable(str(folder))}.")
    found: list[_Found] = []
    refused: list[RefusedFile] = []
    for item in _walk(folder):
        if isinstance(item, RefusedFile):
            refused.append(item)
        else:
            found.append(item)
        if len(found) > settings.max_files:
            raise UploadTooLarge(f"The folder holds more than the limit of {settings.max_files:,} files.")
    found.sort(key=lambda file: file.name)
    return _manifest(_printable(folder.resolve().name), found, refused, settings, on_progress)


def ingest_archive(
    path: Path, target_folder: Path, settings: Settings, on_progress: OnProgress | None = None
) -> DatasetManifest:
    """Unpacks the archive at `path` (.zip, .tar, .tar.gz) into `target_folder`, under numbers for names, and checks it.

    Raises:
        BadDataset: as `ingest_folder`.
        BadUpload: there is no such file, or it is not a readable archive.
        UploadTooLarge: more files or unpacked bytes than the settings allow.
        DiskFull: no room in `target_folder`.
    """
    target_folder.mkdir(parents=True, exist_ok=True)
    found: list[_Found] = []
    refused: list[RefusedFile] = []
    with _opened(path) as source:
        limits = ArchiveLimits(max_files=settings.max_files, max_bytes=settings.max_upload_bytes)
        for number, member in enumerate(read_archive(source, path.name, limits)):
            target = target_folder / f"{number:06d}"
            try:
                with full_disk_explained(str(target_folder)), target.open("wb") as copy:
                    shutil.copyfileobj(member.stream, copy)
            except BadUpload as error:
                target.unlink()
                refused.append(RefusedFile(member.name, error.message))
            else:
                found.append(_Found(member.name, target))
    return _manifest(without_suffix(path.name), found, refused, settings, on_progress)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise BadUpload(f"There is no file {_printable(str(path))}.") from None
    except OSError as error:
        raise BadUpload(f"{_printable(str(path))} cannot be read: {error.strerror}.") from error


def _manifest(
    name: str, found: list[_Found], refused: list[RefusedFile], settings: Settings, on_progress: OnProgress | None
) -> DatasetManifest:
    """Raises BadDataset."""
    files, paths = _looked_at(found, settings.max_image_pixels, on_progress)
    tables = read_tables({f.name: _reader(f.path) for f in found if is_table(f.name)}, [file.name for file in found])
    assessment = assess(files, tables=tables)
    told = [*refused, *(RefusedFile(f.name, f.reason) for f in assessment.files if f.id in assessment.told)]
    if assessment.problem:
        raise BadDataset(explained(problem_of(assessment.accepted), told))
    images = [replace(image, path=paths[image.name, image.sha256]) for image in assessment.images]
    found_notes = [f"{finding.title}. {finding.consequence}" for finding in assessment.findings]
    notes = [assessment.summary["layout"]["words"], *assessment.summary["notes"], *found_notes]
    return manifest_of(name, images, told, notes)


def _looked_at(
    found: Sequence[_Found], max_pixels: int, on_progress: OnProgress | None
) -> tuple[list[DataFile], dict[tuple[str, str], Path]]:
    """The files, decoded and compared, and where each is by its name and digest."""
    files: list[DataFile] = []
    looks: dict[int, bytes] = {}
    todo = [file for file in found if not is_junk(file.name) and not is_table(file.name)]
    for n_done, (file, seen) in enumerate(
        zip(todo, in_threads(_looker(max_pixels), [file.path for file in todo]), strict=True), start=1
    ):
        if isinstance(seen, str):
            files.append(DataFile(n_done, file.name, str(file.path), "", fault=seen))
        else:
            sha256, traits = seen
            files.append(DataFile(n_done, file.name, str(file.path), sha256).seen(traits, ""))
            looks[n_done] = traits.fingerprint
        if on_progress is not None:
            on_progress(n_done, len(todo))
    others = [file for file in found if is_junk(file.name) or is_table(file.name)]
    files += [DataFile(n, file.name, str(file.path), "") for n, file in enumerate(others, start=len(todo) + 1)]
    near = near_ids(looks)
    files = [replace(file, near=near.get(file.id)) for file in files]
    return files, {(file.name, file.sha256): Path(file.key) for file in files}


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(n_bytes: int) -> bytes:
        with path.open("rb") as source:
            return source.read(n_bytes)

    return read


def _looker(max_pixels: int) -> Callable[[Path], tuple[str, Traits] | str]:
    def look(path: Path) -> tuple[str, Traits] | str:
        """SHA-256 and traits, or the reason why not."""
        try:
            with path.open("rb") as source:
                traits, _thumbnail = inspect_photo(source, max_pixels)
                source.seek(0)
                return hashlib.file_digest(source, "sha256").hexdigest(), traits
        except BadImage as error:
            return error.message
        except OSError as error:
            return f"The file cannot be read: {error.strerror}."

    return look


def _walk(folder: Path) -> Iterator[_Found | RefusedFile]:
    """Every file below, links followed, each folder once: a link back up ends there."""
    unreadable: list[OSError] = []
    seen: set[tuple[int, int]] = set()
    for here, folders, files in os.walk(folder, followlinks=True, onerror=unreadable.append):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        for file in files:
            yield _file(Path(here) / file, folder)
    for error in unreadable:
        name = _printable(os.path.relpath(error.filename, folder))
        yield RefusedFile(name, f"The folder cannot be opened: {error.strerror}.")


def _file(path: Path, folder: Path) -> _Found | RefusedFile:
    name = _printable(path.relative_to(folder).as_posix())
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return RefusedFile(name, f"The file cannot be read: {error.strerror}.")
    if not stat.S_ISREG(mode):
        return RefusedFile(name, "It is not an ordinary file.")
    return _Found(name, path)


def _printable(name: str) -> str:
    """A name of bytes that are no UTF-8 can be opened but not written into a report."""
    return os.fsencode(name).decode("utf-8", "replace")
