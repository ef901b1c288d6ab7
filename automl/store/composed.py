"""Downloads that were put together of the chosen formats: a folder for each run, all of which can be made again."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

KEPT_S = 24 * 3600.0
"""One that nobody has asked for in this time goes."""

KEPT_OF_A_RUN = 4
"""There are dozens of choices, each a copy of the models; the latest ones stay."""


def remove_of_run(folder: Path, run_id: str) -> None:
    """All of a run that is deleted. `folder`: `Settings.composed_dir`. Raises OSError where something stays."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder / run_id)


def remove_old(folder: Path) -> None:
    """Of every run what is old, with what a killed server has left half-written."""
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # somebody else was quicker
            if path.stat().st_mtime < time.time() - KEPT_S:
                path.unlink()
    for run in folder.glob("*/"):
        with suppress(OSError):  # it is not empty
            run.rmdir()


def make_room(of_run: Path) -> None:
    """Before one more is put into the folder of a run. Who is in the middle of an older one still gets all of it."""
    found = []
    for path in of_run.glob("*.zip"):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime, path))
    for _, path in sorted(found, reverse=True)[KEPT_OF_A_RUN - 1 :]:
        path.unlink(missing_ok=True)
