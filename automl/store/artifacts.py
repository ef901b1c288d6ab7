"""Files by opaque key, on a local folder or any fsspec file system."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple
from uuid import uuid4

import fsspec

from automl.atomic_files import sync
from automl.errors import NotFound, UploadTooLarge
from automl.text.messages import store as store_messages

_CHUNK_BYTES = 1 << 20
_SYNCED_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What `ArtifactStore.write` has made.

    Attributes:
        key: By which it is found again.
        n_bytes: Its size.
        sha256: Of its bytes.
    """

    key: str
    n_bytes: int
    sha256: str


class ListedFile(NamedTuple):
    """A file that is in the store.

    Attributes:
        key: By which it is found.
        n_bytes: Its size.
        modified: When it was last written to, UTC.
    """

    key: str
    n_bytes: int
    modified: datetime


class ArtifactStore:
    """Files under one root. Keys are made here, never by users, and never lead out of the root.

    Args:
        root: A folder, or the address of any file system that fsspec knows.
    """

    def __init__(self, root: str | Path) -> None:
        self._fs, path = fsspec.core.url_to_fs(str(root), auto_mkdir=True)
        self._root = path.rstrip("/")
        self._synced: set[Path] = set()  # folders that the disk has, with all those above them
        self._is_local = "file" in self._fs.protocol or "local" in self._fs.protocol

    def _path(self, key: str) -> str:
        parts = key.split("/")
        if not key or any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
            raise NotFound(store_messages.NO_FILE)
        return f"{self._root}/{key}"

    def write(
        self, prefix: str, source: IO[bytes], *, max_bytes: int, suffix: str = "", is_synced: bool = True
    ) -> StoredFile:
        """Copies `source` to a new key under `prefix`, counting while it reads.

        Args:
            prefix: The folder.
            source: The bytes.
            max_bytes: The most that there may be.
            suffix: The end of the key.
            is_synced: Whether the disk has it when this returns; else `sync` has to be called before anybody is told
                that it is here.

        Raises:
            UploadTooLarge: There are more than `max_bytes`; nothing is left behind.
        """
        key = f"{prefix}/{uuid4().hex}{suffix}"
        digest, n_bytes = hashlib.sha256(), 0
        try:
            with self._fs.open(self._path(key), "wb") as target:
                while chunk := source.read(_CHUNK_BYTES):
                    n_bytes += len(chunk)
                    if n_bytes > max_bytes:
                        raise UploadTooLarge(store_messages.TOO_LARGE.format(most=max_bytes))
                    digest.update(chunk)
                    target.write(chunk)
        except BaseException:
            self.delete(key)
            raise
        if is_synced:
            self.sync([key])
        return StoredFile(key, n_bytes, digest.hexdigest())

    def sync(self, keys: Iterable[str]) -> None:
        """Returns once the disk has these files. A remote store has them when they are written."""
        if not self._is_local:
            return
        paths = [Path(self._path(key)) for key in keys]
        # At once: the disk's journal is written for all that ask meanwhile, so hundreds take about as long as a few.
        with ThreadPoolExecutor(min(_SYNCED_AT_ONCE, max(1, len(paths)))) as pool:
            list(pool.map(sync, paths))
        root, folders = Path(self._root), {path.parent for path in paths}
        for folder in sorted(folders | {above for one in folders - self._synced for above in one.parents}):
            if folder == root or root in folder.parents:
                sync(folder)
        self._synced |= folders

    def is_unchanged(self, key: str, sha256: str) -> bool:
        """Whether the file is there, and its bytes have this checksum."""
        try:
            with self.open(key) as source:
                return hashlib.file_digest(source, "sha256").hexdigest() == sha256  # type: ignore[arg-type]
        except NotFound:
            return False

    def replace(self, key: str, by: str) -> None:
        """Puts the file `by` into the place of `key`, whether there is one or not."""
        self._fs.makedirs(self._fs._parent(self._path(key)), exist_ok=True)
        self._fs.mv(self._path(by), self._path(key))
        self.sync([key])

    def put(self, prefix: str, path: Path) -> StoredFile:
        """Copies a local file in; its suffix is kept."""
        with path.open("rb") as source:
            return self.write(prefix, source, max_bytes=path.stat().st_size, suffix=path.suffix)

    @contextmanager
    def open(self, key: str) -> Iterator[IO[bytes]]:
        """The bytes of `key`, seekable.

        Raises:
            NotFound: There is no such file.
        """
        try:
            handle = self._fs.open(self._path(key), "rb")
        except FileNotFoundError:
            raise NotFound(store_messages.NO_FILE) from None
        with handle:
            yield handle

    @contextmanager
    def as_file(self, key: str) -> Iterator[Path]:
        """A local path with the bytes of `key`, inside the block: the file itself, or a copy of a remote one.

        Raises:
            NotFound: There is no such file.
        """
        if self._is_local:
            path = Path(self._path(key))
            if not path.is_file():
                raise NotFound(store_messages.NO_FILE)
            yield path
            return
        with tempfile.NamedTemporaryFile(prefix="darkroom-") as copy:
            with self.open(key) as source:
                shutil.copyfileobj(source, copy)
            copy.flush()
            yield Path(copy.name)

    def local_path(self, key: str, scratch: Path) -> Path:
        """A local path with the bytes of `key`: the file itself on a local store, else a copy under `scratch`."""
        path = self._path(key)
        if self._is_local:
            return Path(path)
        target = scratch / key.replace("/", "_")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")  # two processes may want it at once
            try:
                with self.open(key) as source, part.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                part.rename(target)
            finally:
                part.unlink(missing_ok=True)
        return target

    def list(self, prefix: str) -> Iterator[ListedFile]:
        """The files below `prefix`, folder by folder; one that goes away meanwhile may be left out."""
        self._fs.invalidate_cache()
        for folder, _, files in self._fs.walk(self._path(prefix), detail=True):
            for name, info in files.items():
                path = f"{folder.rstrip('/')}/{name}"
                with suppress(FileNotFoundError):  # deleted since its folder was read
                    modified: datetime = self._fs.modified(path)
                    yield ListedFile(path.removeprefix(f"{self._root}/"), info["size"], _in_utc(modified))

    def size(self, key: str) -> int | None:
        """Bytes of a file; None where there is none."""
        try:
            return int(self._fs.info(self._path(key))["size"])
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        """Whether there is a file of this key."""
        return bool(self._fs.exists(self._path(key)))

    def delete(self, key: str) -> None:
        """Removes a file; nothing happens where there is none."""
        path = self._path(key)
        if self._fs.exists(path):
            self._fs.rm(path)

    def delete_prefix(self, prefix: str) -> None:
        """Removes all files below `prefix`."""
        path = self._path(prefix)
        if self._fs.exists(path):
            self._fs.rm(path, recursive=True)


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
