"""Backups: one .tar with the database, all files and a manifest of their SHA-256; and a copy before tables change.

A backup may be made while Darkroom runs. The database is copied first, as it is at one moment; a file of the store
never changes once it is written, so what is copied after that is at worst more than the database knows of.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Literal

from pydantic import BaseModel
from sqlalchemy import URL, make_url

from automl.atomic_files import no_half_files
from automl.errors import DarkroomError, NotAllowedNow, UserError
from automl.settings import Settings
from automl.store.database import Database, SchemaAge
from automl.store.tables import now
from automl.text.messages import operations as operations_messages

FORMAT: Literal[1] = 1
"""The version of what is in the .tar."""

KEPT_BEFORE_MIGRATIONS = 3
"""Copies of the database that were made before its tables were changed; older ones are removed."""

OnFile = Callable[[str], None]
"""Is told the name of each file that was copied."""

_DATABASE, _MANIFEST, _FILES = "database", "manifest.json", "files"


class _Manifest(BaseModel):
    """What stands at the end of a backup: the kind of database that it is of, and the SHA-256 of each file."""

    format: Literal[1]
    database: str
    sha256: dict[str, str]


class BackupFailed(DarkroomError):
    """The database could not be copied or put back."""


class BadBackup(UserError):
    """This is no backup, or it is damaged; nothing was restored."""

    code = "bad_bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a backup holds.

    Attributes:
        n_files: Files of the store.
        n_bytes: Size of them and of the database.
    """

    n_files: int
    n_bytes: int


def back_up(settings: Settings, target: Path, on_file: OnFile = lambda _name: None) -> Copied:
    """Writes a backup to `target`, which appears when it is whole.

    Raises:
        BackupFailed: The database cannot be copied.
        DiskFull: There is no room for it.
    """
    with no_half_files([target]) as (part,), TemporaryDirectory(dir=target.absolute().parent) as scratch:
        database = Path(scratch) / _DATABASE
        _copy_database(make_url(settings.database_url), database)
        digests: dict[str, str] = {}
        n_bytes = database.stat().st_size
        with tarfile.open(part, "w") as archive:
            digests[_DATABASE] = _add(archive, database, _DATABASE)
            for path in _files_below(settings.files_dir):
                name = f"{_FILES}/{path.relative_to(settings.files_dir).as_posix()}"
                try:
                    digests[name] = _add(archive, path, name)
                except FileNotFoundError:
                    continue  # removed from the bin meanwhile
                n_bytes += path.stat().st_size
                on_file(name)
            kind = make_url(settings.database_url).get_backend_name()
            manifest = Path(scratch) / _MANIFEST
            manifest.write_text(_Manifest(format=FORMAT, database=kind, sha256=digests).model_dump_json(indent=1))
            archive.add(manifest, _MANIFEST)
    return Copied(n_files=len(digests) - 1, n_bytes=n_bytes)


def restore(settings: Settings, source: Path, on_file: OnFile = lambda _name: None) -> Copied:
    """Puts a backup into an installation that holds nothing yet.

    Everything is unpacked and compared with its SHA-256 before anything is put into place.

    Raises:
        BadBackup: It is none, or it is damaged.
        BackupFailed: The database cannot be put back.
        DiskFull: There is no room for it.
        NotAllowedNow: Darkroom runs, or something is there already.
    """
    url = make_url(settings.database_url)
    _require_nothing_there(settings, url)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=settings.home, prefix=".restoring-") as scratch:
        folder = Path(scratch)
        manifest, digests, n_bytes = _unpacked(source, folder, on_file)
        if manifest.database != url.get_backend_name():
            raise BadBackup(operations_messages.OTHER_KIND_OF_DATABASE.format(kind=manifest.database))
        if differing := sorted(name for name, sha256 in manifest.sha256.items() if digests.get(name) != sha256):
            raise BadBackup(operations_messages.BACKUP_DAMAGED.format(name=differing[0], n=len(differing)))
        files = folder / _FILES
        files.mkdir(exist_ok=True)
        files.rename(settings.files_dir)
        _put_database_back(url, folder / _DATABASE)
    return Copied(n_files=len(digests) - 1, n_bytes=n_bytes)


def migrate(settings: Settings) -> Path | None:
    """Brings the tables up to date; an SQLite database is copied beside itself before.

    Returns:
        The copy; None where the tables were not changed, were made anew, or another server keeps them: that one has
        backups of its own.

    Raises:
        SQLAlchemyError: The database does not answer.
        TablesTooNew: A newer version of Darkroom has made the tables. Nothing was changed.
    """
    database = Database(settings.database_url)
    try:
        kept = None
        url = make_url(settings.database_url)
        if url.get_backend_name() == "sqlite" and database.schema_age() is SchemaAge.OLDER:
            folder = settings.home / "backups"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            kept = folder / f"before-upgrade-{now():%Y-%m-%d-%H%M%S}.sqlite3"
            with no_half_files([kept]) as (part,):
                _copy_database(url, part)
            for old in sorted(folder.glob("before-upgrade-*.sqlite3"))[:-KEPT_BEFORE_MIGRATIONS]:
                old.unlink()
        database.migrate()
        return kept
    finally:
        database.close()


def _require_nothing_there(settings: Settings, url: URL) -> None:
    if (settings.home / "address").exists():
        raise NotAllowedNow(operations_messages.STOP_DARKROOM_FIRST.format(home=settings.home))
    if settings.files_dir.exists() or _has_tables(settings, url):
        raise NotAllowedNow(operations_messages.SOMETHING_IS_THERE.format(home=settings.home))


def _has_tables(settings: Settings, url: URL) -> bool:
    if url.get_backend_name() == "sqlite":  # asking SQLite would make a file
        return Path(str(url.database)).exists()
    database = Database(settings.database_url)
    try:
        return database.schema_age() is not SchemaAge.NONE
    finally:
        database.close()


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _add(archive: tarfile.TarFile, path: Path, name: str) -> str:
    """Adds a file; returns its SHA-256, of the bytes that were added."""
    with path.open("rb") as stream:
        info = archive.gettarinfo(arcname=name, fileobj=stream)
        reader = _DigestingReader(stream)
        archive.addfile(info, reader)
    return reader.digest.hexdigest()


class _DigestingReader:
    """Passes bytes on, and adds them to a digest."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, n: int = -1) -> bytes:
        chunk = self._stream.read(n)
        self.digest.update(chunk)
        return chunk


def _unpacked(source: Path, folder: Path, on_file: OnFile) -> tuple["_Manifest", dict[str, str], int]:
    """Unpacks a backup into a folder: its manifest, the SHA-256 of each file, and their size together."""
    digests: dict[str, str] = {}
    manifest: _Manifest | None = None
    n_bytes = 0
    try:
        with tarfile.open(source, "r:") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is None or not _is_expected(member.name):
                    raise BadBackup(operations_messages.NO_BACKUP.format(name=source))
                if member.name == _MANIFEST:
                    manifest = _Manifest.model_validate_json(stream.read())
                    continue
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                reader = _DigestingReader(stream)
                with target.open("wb") as copy:
                    shutil.copyfileobj(reader, copy)
                digests[member.name] = reader.digest.hexdigest()
                n_bytes += member.size
                on_file(member.name)
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise BadBackup(operations_messages.NO_BACKUP.format(name=source)) from error
    if manifest is None:
        raise BadBackup(operations_messages.NO_BACKUP.format(name=source))
    return manifest, digests, n_bytes


def _is_expected(name: str) -> bool:
    """Whether a backup may have a file of this name: it never leads out of the folder."""
    parts = PurePosixPath(name).parts
    return name in (_DATABASE, _MANIFEST) or (parts[:1] == (_FILES,) and ".." not in parts and len(parts) > 1)


def _copy_database(url: URL, target: Path) -> None:
    """Copies the database as it is at one moment."""
    if url.get_backend_name() == "sqlite":
        if not Path(str(url.database)).exists():
            raise BackupFailed(operations_messages.NO_DATABASE_YET)
        try:
            with (
                closing(sqlite3.connect(str(url.database))) as source,
                closing(sqlite3.connect(target)) as copy,
            ):
                source.backup(copy)
        except sqlite3.Error as error:
            raise BackupFailed(operations_messages.DATABASE_NOT_COPIED.format(reason=error)) from error
        return
    _run_tool(url, ["pg_dump", "--format=custom", "--no-owner", f"--file={target}"])


def _put_database_back(url: URL, source: Path) -> None:
    if url.get_backend_name() == "sqlite":
        target = Path(str(url.database))
        target.parent.mkdir(parents=True, exist_ok=True)
        with no_half_files([target]) as (part,):
            shutil.copyfile(source, part)
        return
    _run_tool(url, ["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url.database}", str(source)])


def _run_tool(url: URL, command: Sequence[str]) -> None:
    """Runs a program of PostgreSQL. Who it logs in as stands in its environment, where others cannot read it."""
    tool, *arguments = command
    found = shutil.which(tool)
    if found is None:
        raise BackupFailed(operations_messages.NO_POSTGRES_TOOL.format(tool=tool))
    query = url.query.get("host")
    given = {
        "PGHOST": url.host or (query if isinstance(query, str) else None),
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    environment = {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}
    result = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BackupFailed(operations_messages.DATABASE_NOT_COPIED.format(reason=result.stderr.strip()))
