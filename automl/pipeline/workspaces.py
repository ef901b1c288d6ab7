"""Folders for scratch files, one for each attempt: one that was lost, but still lives, touches no file of the next."""

import shutil
from pathlib import Path


def make_workspace(folder: Path) -> None:
    """Makes the folder, whose name ends with the number of a lease, and removes those of earlier leases."""
    name, _, number = folder.name.rpartition("-")
    for other in folder.parent.glob(f"{name}-*"):
        last = other.name.removeprefix(f"{name}-")
        if last.isdigit() and int(last) < int(number):
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
