"""Files that are either whole or not there, also after the power has failed."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from automl.errors import DiskFull
from automl.text.messages import store as store_messages


@contextmanager
def full_disk_explained(what: str) -> Iterator[None]:
    """Inside, the system's error of a full disk becomes one for people. what: is on the disk, for the message.

    Raises:
        DiskFull: the block ran out of room.
    """
    try:
        yield
    except Exception as error:
        if is_disk_full(error):
            raise DiskFull(store_messages.DISK_FULL.format(what=what)) from error
        raise


def is_disk_full(error: Exception) -> bool:
    """Whether `error` means a full disk; h5py and TensorFlow put the system's message into an error of their own."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return "No space left on device" in str(error) or "Disk quota exceeded" in str(error)


@contextmanager
def no_half_files(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Yields one temporary path for each target and moves them into place at the end, or removes them.

    Raises:
        DiskFull: the block ran out of room.
    """
    parts = [target.with_name(f".{target.name}.{uuid4().hex[:8]}.part") for target in targets]
    try:
        with full_disk_explained(str(targets[0].parent)):
            yield parts
            for part, target in zip(parts, targets, strict=True):
                for path in (*part.rglob("*"), part):
                    sync(path)
                part.rename(target)
            for folder in {target.parent for target in targets}:
                sync(folder)
    finally:
        for part in parts:
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Returns once the disk has a file, or the names in a folder: without its name a file is lost, too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
