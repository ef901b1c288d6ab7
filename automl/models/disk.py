"""A full disk, told apart from every other error, whichever library met it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.errors import DiskFull


def is_disk_full(error: Exception) -> bool:
    """True also for h5py and TensorFlow, which put the system's message into an error of their own."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return "No space left on device" in str(error) or "Disk quota exceeded" in str(error)


@contextmanager
def disk_full_told(folder: Path) -> Iterator[None]:
    """Raises DiskFull, naming `folder`, in place of an error that says there is no room."""
    try:
        yield
    except Exception as error:
        if is_disk_full(error):
            raise DiskFull(f"The disk that holds {folder} is full. Free some space there, then try again.") from error
        raise
