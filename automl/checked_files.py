"""Files of a cache with their checksum beside them: what a disk has changed is noticed, removed and made again.

The checksum of `x.npy` is in `x.npy.sha256`.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

import structlog

from automl.atomic_files import no_half_files

SUFFIX = ".sha256"

_log = structlog.stdlib.get_logger(__name__)

_Seen = tuple[int, int, int, int]
_sound: dict[Path, _Seen] = {}
"""What this process has found to be sound, as it was then: a file is read once only."""


def sha256_of(path: Path) -> str:
    """The checksum of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def add_checksum(path: Path) -> None:
    """Writes the checksum of a file that was just made beside it."""
    with no_half_files([_beside(path)]) as (part,):
        part.write_text(sha256_of(path), encoding="ascii")
    _sound[path] = _seen(path)


def is_sound(path: Path) -> bool:
    """Whether the file is there as it was written. One that is not, or that has no checksum, is removed with a line in
    the log."""
    try:
        seen = _seen(path)
    except FileNotFoundError:
        return False
    if _sound.get(path) == seen:
        return True
    if is_unchanged(path):
        _sound[path] = seen
        return True
    _log.warning("a damaged file of the cache is removed; it is made again", file=str(path))
    remove(path)
    return False


def is_unchanged(path: Path) -> bool:
    """Whether a file has the checksum that is beside it."""
    try:
        return _beside(path).read_text(encoding="ascii", errors="replace") == sha256_of(path)
    except FileNotFoundError:
        return False


def remove(path: Path) -> None:
    """Removes a file and its checksum."""
    _sound.pop(path, None)
    for one in (path, _beside(path)):
        with suppress(FileNotFoundError):
            one.unlink()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def _seen(path: Path) -> _Seen:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
