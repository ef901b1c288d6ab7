"""What a case is, and small generated pictures to fill it with."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

PICTURE_PX = 48
_N_PHOTOS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCase:
    """A folder, and how it should be understood.

    Attributes:
        name: What is special about it, in a few words.
        make: Writes the files into an empty folder.
        classes: The number of photos in use of each class; empty where the folder should be refused.
        tested: The number of photos that the folders or tables themselves put into the test part.
        refused: Words that the message must have, where the folder should be refused.
        may_ask: Whether it is enough that the right reading is offered among the others, since nobody could be sure.
    """

    name: str
    make: Callable[[Path], None]
    classes: Mapping[str, int] = field(default_factory=dict)
    tested: int = 0
    refused: tuple[str, ...] = ()
    may_ask: bool = False


@lru_cache(maxsize=4096)
def picture(seed: int) -> bytes:
    """A JPEG of coloured patches that resembles no picture of another seed."""
    rng = np.random.default_rng(seed)
    patches = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    out = io.BytesIO()
    patches.resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


def put(folder: Path, name: str, data: bytes | str) -> None:
    """Writes one file below `folder`, text as UTF-8."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data.encode() if isinstance(data, str) else data)


def fill(folder: Path, inside: str, n: int, *, first_seed: int, name: str = "{i:04d}.jpg") -> None:
    """Writes `n` different pictures into a folder below `folder`."""
    for i in range(n):
        put(folder, f"{inside}/{name.format(i=i)}", picture(first_seed + i))


def folders(*names: str) -> Callable[[Path], None]:
    """Writes three different pictures into each of the folders; `cat=10` stands for ten of them."""

    def make(root: Path) -> None:
        first_seed = 0
        for folder in names:
            name, _, count = folder.partition("=")
            n = int(count or _N_PHOTOS)
            fill(root, name, n, first_seed=first_seed)
            first_seed += n

    return make


def files(*names: str) -> Callable[[Path], None]:
    """Writes a picture under each of the names; `{i}` stands for three numbers, one after the other."""

    def make(root: Path) -> None:
        numbered = [name.replace("{i}", f"{i:03d}") for name in names for i in range(_N_PHOTOS if "{i}" in name else 1)]
        for seed, name in enumerate(numbered):
            put(root, name, picture(seed))

    return make


def in_parts(parts: str, classes: str) -> tuple[str, ...]:
    """Every class folder in every part: `train test` and `cat dog` give four folders."""
    return tuple(f"{part}/{label}" for part in parts.split() for label in classes.split())
