"""The files below a folder of this machine, as they are checked or sent."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from automl.records import RefusedFile
from automl.text.messages import ingest as ingest_messages


def walk_folder(folder: Path, on_unreadable: Callable[[OSError], None]) -> Iterator[tuple[Path, str]]:
    """Every file below `folder`, as its path and its printable name relative to the folder, with / between the parts.

    Links are followed, but each folder is entered once only, so that a link to a folder further up ends the walk there.

    Args:
        folder: Where to begin.
        on_unreadable: Called with the error of each folder that cannot be opened. It may raise to end the walk.
    """
    seen: set[tuple[int, int]] = set()
    for here, folders, files in os.walk(folder, followlinks=True, onerror=on_unreadable):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        # Of two ways to a folder the same one is always taken, whatever order the file system has.
        folders.sort()
        for file in files:
            path = Path(here) / file
            yield path, printable(path.relative_to(folder).as_posix())


def status_of_file(path: Path, name: str) -> os.stat_result | RefusedFile:
    """The status of an ordinary file, or, under the name that it is given, why it is not one that can be read."""
    try:
        status = path.stat()
    except OSError as error:
        return RefusedFile(name, ingest_messages.FILE_NOT_READ.format(reason=error.strerror))
    if not stat.S_ISREG(status.st_mode):
        return RefusedFile(name, ingest_messages.NOT_AN_ORDINARY_FILE)
    return status


def printable(name: str) -> str:
    """The name with replacement characters for bytes that are no UTF-8: such a file can be opened, but not named."""
    return os.fsencode(name).decode("utf-8", "replace")
