"""Downloads that were put together from chosen formats: one folder for each run. All of them can be made again."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from automl.checked_files import remove

KEPT_S = 24 * 3600.0
"""A download that was not asked for in this time is removed."""

KEPT_OF_A_RUN = 4
"""There are dozens of choices, each with a copy of the models, so only the latest downloads of a run stay."""


def remove_of_run(folder: Path, run_id: str) -> None:
    """Removes the downloads of a run that is deleted.

    `folder`: `Settings.composed_dir`.

    Raises:
        OSError: Something could not be removed.
    """
    with suppress(FileNotFoundError):
        shutil.rmtree(folder / run_id)


def remove_old(folder: Path) -> None:
    """Removes old downloads of every run, also those that a killed server has left half-written."""
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # another process was quicker
            if path.stat().st_mtime < time.time() - KEPT_S:
                path.unlink()
    for run in folder.glob("*/"):
        with suppress(OSError):  # it is not empty
            run.rmdir()


def make_room(of_run: Path) -> None:
    """Removes the oldest downloads of a run, before one more is put into its folder.

    A client that is receiving one of them still gets all of it.
    """
    found = []
    for path in of_run.glob("*.zip"):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime, path))
    for _, path in sorted(found, reverse=True)[KEPT_OF_A_RUN - 1 :]:
        remove(path)
