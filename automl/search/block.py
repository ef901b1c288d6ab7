"""What is computed at once: the features of one backbone at one input size."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """`mirrored`: of the photos with left and right exchanged."""

    backbone: str
    image_size_px: int
    mirrored: bool = False
