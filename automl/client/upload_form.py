"""Files of this machine that are to be sent, and how they are read while a form is sent."""

import hashlib
import io
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from automl.errors import BadUpload
from automl.ingest.walk import printable, status_of_file, walk_folder
from automl.records import RefusedFile
from automl.text.messages import command_line as cli_messages
from automl.text.upload_names import is_junk

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
            raise BadUpload(cli_messages.CANNOT_BE_READ.format(name=self.name, reason=error.strerror)) from error


def local_files(sources: Sequence[Path]) -> tuple[list[LocalFile], list[RefusedFile]]:
    """What is in folders, archives and photos, without the system's leftovers; and what cannot be read.

    Raises:
        BadUpload: one of them is not there, or nothing is in them.
    """
    files: list[LocalFile] = []
    refused: list[RefusedFile] = []
    for source in sources:
        if not source.exists():
            raise BadUpload(cli_messages.NO_SUCH_SOURCE.format(source=_sendable(printable(str(source)))))
        for path, name in _files_in(source):
            found = _local_file(path, _sendable(name))
            if isinstance(found, RefusedFile):
                refused.append(found)
            elif not is_junk(found.name):
                files.append(found)
    if not files:
        raise BadUpload(
            cli_messages.NO_FILES_TO_SEND.format(
                sources=", ".join(_sendable(printable(str(source))) for source in sources)
            )
        )
    return sorted(files, key=lambda file: file.name), refused


class SentFile(io.RawIOBase):
    """The contents of a file, opened only when the first byte is asked for, with an account of what has been read.

    httpx reads it in pieces while it sends a form. A repeated request reads it again from the start.

    Args:
        file: what is to be sent.
        on_bytes: called with the number of bytes that have just been read.
    """

    def __init__(self, file: LocalFile, on_bytes: Callable[[int], None]) -> None:
        self._file, self._on_bytes = file, on_bytes
        self._source: BinaryIO | None = None
        self._n_read = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            BadUpload: the file cannot be read, or it is longer or shorter than when it was found.
        """
        try:
            if self._source is None:
                self._source = self._file.path.open("rb")
            chunk = self._source.read(size)
        except OSError as error:
            raise BadUpload(cli_messages.CANNOT_BE_READ.format(name=self._file.name, reason=error.strerror)) from error
        self._n_read += len(chunk)
        if self._n_read > self._file.n_bytes or (not chunk and self._n_read < self._file.n_bytes):
            raise BadUpload(cli_messages.CHANGED_WHILE_SENT.format(name=self._file.name))
        if chunk:
            self._on_bytes(len(chunk))
        else:
            self.close()
        return chunk

    def tell(self) -> int:
        return self._n_read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To the start, for a repeated request; to the end, which only tells how long the file is."""
        if whence == os.SEEK_END:
            return self._file.n_bytes
        if offset == 0:
            self.close()
        return offset

    def close(self) -> None:
        """Closes the file; reading begins at the start again."""
        if self._source is not None:
            self._source.close()
        self._source, self._n_read = None, 0


def _files_in(source: Path) -> list[tuple[Path, str]]:
    """The files in a folder and their names, which begin with the folder's own; a file is itself."""
    if not source.is_dir():
        return [(source, printable(source.name))]
    root = printable(source.resolve().name)
    return [(path, f"{root}/{name}") for path, name in walk_folder(source, _refuse_folder)]


def _refuse_folder(error: OSError) -> None:
    raise BadUpload(
        cli_messages.FOLDER_CANNOT_BE_OPENED.format(folder=_sendable(printable(error.filename)), reason=error.strerror)
    ) from error


def _local_file(path: Path, name: str) -> LocalFile | RefusedFile:
    status = status_of_file(path, name)
    if isinstance(status, RefusedFile):
        return status
    if not os.access(path, os.R_OK):
        return RefusedFile(name, cli_messages.MAY_NOT_BE_READ)
    return LocalFile(path, name, status.st_size)


def _sendable(name: str) -> str:
    """The name without line breaks, which a form may not hold."""
    return _LINE_BREAKS.sub("\N{REPLACEMENT CHARACTER}", name)
