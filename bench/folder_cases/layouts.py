"""Folders in folders and telling names of files, as people have them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.folder_cases.case import FolderCase, fill


def _folders(counts: Mapping[str, int], name: str = "{i:04d}.jpg") -> Callable[[Path], None]:
    """Writes so many different pictures into each of the folders."""

    def make(root: Path) -> None:
        first_seed = 0
        for folder, n in counts.items():
            fill(root, folder, n, first_seed=first_seed, name=name)
            first_seed += n

    return make


CASES = (
    FolderCase(
        name="class folders",
        make=_folders({"cat": 6, "dog": 6}),
        classes={"cat": 6, "dog": 6},
    ),
    FolderCase(
        name="class folders in train and test",
        make=_folders({"pets/train/cat": 6, "pets/train/dog": 6, "pets/test/cat": 3, "pets/test/dog": 3}),
        classes={"cat": 9, "dog": 9},
        tested=6,
    ),
)
