"""What a case is, and small generated pictures to fill it with."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

PICTURE_PX = 48


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
