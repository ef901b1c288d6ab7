"""Room on the disk of the home folder: a reserve that nothing new is begun on, and a ballast that can be thrown off.

Runs under way, downloads, deletion, the database and the logs go on while the reserve lasts. Where even that is used
up, by whatever, the ballast is let go, so that the database can write down what is to be deleted.
"""

import os
import shutil
from pathlib import Path

from automl.errors import DiskFull
from automl.settings import Settings
from automl.text.messages import store as store_messages
from automl.text.numbers import size_in_words

BALLAST_BYTES = 64 * 1024**2
_LEAST_FREE_BYTES = 16 * 1024**2


def free_bytes(folder: Path) -> int:
    """What is free on the disk of a folder, which may not be there yet."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free


def is_short(settings: Settings) -> bool:
    """Whether nothing new is begun until there is more room."""
    return free_bytes(settings.home) < settings.reserve_bytes


def refuse_short_disk(settings: Settings) -> None:
    """Raises DiskFull: less than the reserve is free."""
    if is_short(settings):
        raise DiskFull(store_messages.DISK_SHORT.format(reserve=size_in_words(settings.reserve_bytes)))


def hold_ballast(settings: Settings, *, free: int | None = None) -> None:
    """Lets the ballast go where hardly anything is free, and takes it up again where there is plenty.

    `free`: bytes that are free; None to look.
    """
    ballast = settings.home / "ballast"
    free = free_bytes(settings.home) if free is None else free
    if free < _LEAST_FREE_BYTES:
        ballast.unlink(missing_ok=True)
    elif free > settings.reserve_bytes + BALLAST_BYTES and not ballast.exists():
        try:
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
        except OSError:
            ballast.unlink(missing_ok=True)  # a disk that keeps nothing free for a file has none to throw off
