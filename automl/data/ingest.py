"""A folder or an archive on this machine, verified. The command line's way in; uploads go through `check`."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from automl.data.archive import ArchiveLimits, read_zip
from automl.data.layout import NoPlace, Place, guess_layout
from automl.data.manifest import assess, explained, fingerprint
from automl.data.pixels import OnProgress
from automl.data.storage import full_disk_explained
from automl.data.verify import VerifiedImage, in_threads, verify_image
from automl.errors import BadDataset, BadImage, BadUpload, UploadTooLarge
from automl.records import DatasetManifest, ImageRecord, RefusedFile
from automl.settings import Settings


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
    """Unpacks the .zip at `path` into `target_folder`, under numbers for names, and verifies it.

    Raises:
        BadDataset: as `ingest_folder`.
        BadUpload: there is no such file, or it is not a readable .zip.
        UploadTooLarge: more files or unpacked bytes than the settings allow.
        DiskFull: no room in `target_folder`.
    """
    target_folder.mkdir(parents=True, exist_ok=True)
    found: list[_Found] = []
    refused: list[RefusedFile] = []
    with _opened(path) as source:
        limits = ArchiveLimits(settings.max_files, settings.max_upload_bytes)
        for number, member in enumerate(read_zip(source, path.name, limits)):
            target = target_folder / f"{number:06d}"
            try:
                with full_disk_explained(str(target_folder)), target.open("wb") as copy:
                    shutil.copyfileobj(member.stream, copy)
            except BadUpload as error:
                target.unlink()
                refused.append(RefusedFile(member.name, error.message))
            else:
                found.append(_Found(member.name, target))
    return _manifest(path.stem, found, refused, settings, on_progress)


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
    places = guess_layout([file.name for file in found])
    placed = [(file, place) for file, place in zip(found, places, strict=True) if isinstance(place, Place)]
    refused += [
        RefusedFile(file.name, place.reason)
        for file, place in zip(found, places, strict=True)
        if isinstance(place, NoPlace) and not place.is_junk
    ]
    look = _looker(settings.max_image_pixels)
    pictures: list[ImageRecord] = []
    for n_done, ((file, place), seen) in enumerate(
        zip(placed, in_threads(look, [file.path for file, _ in placed]), strict=True), start=1
    ):
        if isinstance(seen, str):
            refused.append(RefusedFile(file.name, seen))
        else:
            sha256, image = seen
            pictures.append(
                ImageRecord(file.path, file.name, place.label, sha256, image.width, image.height, place.split)
            )
        if on_progress is not None:
            on_progress(n_done, len(placed))
    return _assessed(name, pictures, refused)


def _assessed(name: str, pictures: list[ImageRecord], refused: list[RefusedFile]) -> DatasetManifest:
    verdict = assess(pictures)
    refused += [RefusedFile(pictures[index].name, reason) for index, reason in verdict.refused.items()]
    if verdict.problem:
        raise BadDataset(explained(verdict.problem, refused))
    images = tuple(pictures[index] for index in verdict.kept)
    classes = tuple(sorted({image.label for image in images}))
    return DatasetManifest(name, classes, images, tuple(refused), fingerprint(images))


def _looker(max_pixels: int) -> Callable[[Path], tuple[str, VerifiedImage] | str]:
    def look(path: Path) -> tuple[str, VerifiedImage] | str:
        """SHA-256 and picture, or the reason why not."""
        try:
            with path.open("rb") as source:
                image = verify_image(source, max_pixels)
                source.seek(0)
                return hashlib.file_digest(source, "sha256").hexdigest(), image
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
