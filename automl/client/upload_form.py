"""Files of this machine as a multipart form that is read while it is sent."""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from automl.errors import BadUpload
from automl.records import RefusedFile
from automl.text.upload_names import is_junk

_CHUNK_BYTES = 1 << 20
_LINE_BREAKS = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to send. `name`: what the server is to call it, beginning with the folder that was named."""

    path: Path
    name: str
    n_bytes: int

    def sha256(self) -> str:
        """Raises BadUpload: it cannot be read."""
        try:
            with self.path.open("rb") as source:
                return hashlib.file_digest(source, "sha256").hexdigest()
        except OSError as error:
            raise BadUpload(f"{self.name} cannot be read: {error.strerror}.") from error


def local_files(sources: Sequence[Path]) -> tuple[list[LocalFile], list[RefusedFile]]:
    """What is in folders, archives and photos, without the system's leftovers; and what cannot be read.

    Raises:
        BadUpload: one of them is not there, or nothing is in them.
    """
    files: list[LocalFile] = []
    refused: list[RefusedFile] = []
    for source in sources:
        if not source.exists():
            raise BadUpload(f"There is no file or folder {_printable(str(source))}.")
        for path, name in _walk(source) if source.is_dir() else [(source, source.name)]:
            found = _local_file(path, _printable(name))
            if isinstance(found, RefusedFile):
                refused.append(found)
            elif not is_junk(found.name):
                files.append(found)
    if not files:
        raise BadUpload(f"There are no files to send in {', '.join(_printable(str(source)) for source in sources)}.")
    return sorted(files, key=lambda file: file.name), refused


class Form:
    """The body of a request: a `label`, where there is one, and files. `len()` is its size in bytes.

    `on_bytes` is called with the number of bytes of the files that have just been read. Iterating raises BadUpload
    where a file is not as it was.
    """

    def __init__(self, files: Sequence[LocalFile], label: str, on_bytes: Callable[[int], None]) -> None:
        boundary = uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._files, self._on_bytes = files, on_bytes
        part = f"--{boundary}\r\nContent-Disposition: form-data; "
        self._begin = f'{part}name="label"\r\n\r\n{label}\r\n'.encode() if label else b""
        self._heads = [f'{part}name="files"; filename="{_quoted(file.name)}"\r\n\r\n'.encode() for file in files]
        self._end = f"--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        n_bytes = sum(len(head) + file.n_bytes + 2 for head, file in zip(self._heads, self._files, strict=True))
        return len(self._begin) + n_bytes + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        yield self._begin
        for head, file in zip(self._heads, self._files, strict=True):
            yield head
            yield from self._contents(file)
            yield b"\r\n"
        yield self._end

    def _contents(self, file: LocalFile) -> Iterator[bytes]:
        n_left = file.n_bytes
        try:
            with file.path.open("rb") as source:
                while chunk := source.read(_CHUNK_BYTES):
                    n_left -= len(chunk)
                    if n_left < 0:
                        break
                    self._on_bytes(len(chunk))
                    yield chunk
        except OSError as error:
            raise BadUpload(f"{file.name} cannot be read: {error.strerror}.") from error
        if n_left != 0:
            raise BadUpload(f"{file.name} was changed while it was being sent. Start the upload again.")


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file below and its name, links followed, each folder once: a link back up ends there."""
    root, seen = folder.resolve().name, set()
    for here, folders, files in os.walk(folder, followlinks=True, onerror=_refuse_folder):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        for file in files:
            path = Path(here) / file
            yield path, f"{root}/{path.relative_to(folder).as_posix()}"


def _refuse_folder(error: OSError) -> None:
    raise BadUpload(f"The folder {_printable(error.filename)} cannot be opened: {error.strerror}.") from error


def _local_file(path: Path, name: str) -> LocalFile | RefusedFile:
    try:
        status = path.stat()
    except OSError as error:
        return RefusedFile(name, f"The file cannot be read: {error.strerror}.")
    if not stat.S_ISREG(status.st_mode):
        return RefusedFile(name, "It is not an ordinary file.")
    if not os.access(path, os.R_OK):
        return RefusedFile(name, "The file may not be read.")
    return LocalFile(path, name, status.st_size)


def _printable(name: str) -> str:
    """A name of bytes that are no UTF-8 can be opened but not sent."""
    return os.fsencode(name).decode("utf-8", "replace")


def _quoted(name: str) -> str:
    """A name between quotation marks, as browsers write it; a line break would end the head of the part."""
    name = _LINE_BREAKS.sub("\N{REPLACEMENT CHARACTER}", name)
    return name.replace("\\", "\\\\").replace('"', "%22")
