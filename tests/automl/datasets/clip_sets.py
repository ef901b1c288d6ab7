"""Data sets of clips, as files with fingerprints and as records; pictures are coloured patches that move."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from automl.datasets.data_file import DataFile
from automl.images.fingerprint import traits_of
from automl.records import FileState, ImageRecord, Split
from tests.automl.images.faults import photo


def frame_of(scene: int, frame: int = 0) -> Image.Image:
    """A frame of a clip: the camera moves on over the scene."""
    still = photo(np.random.default_rng(scene), (400, 300))
    cut = still.crop((10 + 4 * frame, 10 + 2 * frame, 250 + 4 * frame, 190 + 2 * frame))
    return cut.resize((96, 72), Image.Resampling.BILINEAR)


@cache
def print_of(scene: int, frame: int = 0) -> bytes:
    return traits_of(frame_of(scene, frame), width=96, height=72, format="JPEG").fingerprint


def shot(number: int, name: str, label: str, taken_at: float | None = None) -> DataFile:
    return DataFile(
        id=number,
        name=name,
        key="x",
        sha256=f"sha{number:04d}",
        state=FileState.ACCEPTED,
        label=label,
        format="JPEG",
        taken_at=taken_at,
    )


def frames(label: str, clip: str, n: int, split: Split | None = None, *, ordered: bool = True) -> list[ImageRecord]:
    """The photos of a clip that was found (`ordered`), or of a group that the user has named."""
    return [
        ImageRecord(
            path=Path("x"),
            name=f"{label}/{clip}-{i}",
            label=label,
            sha256=f"{label}-{clip}-{split}-{i}",
            width=9,
            height=9,
            split=split,
            clip=clip,
            frame=i if ordered else 0,
        )
        for i in range(n)
    ]


def clips(label: str, sizes: Sequence[int]) -> list[ImageRecord]:
    return [one for number, n in enumerate(sizes) for one in frames(label, f"{label}{number}", n)]
