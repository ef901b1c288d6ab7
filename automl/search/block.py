"""The unit in which frozen features are computed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """The features of all photos by one backbone at one input size.

    Attributes:
        backbone: its name in the table of backbones.
        image_size_px: side of the square picture that it takes.
        mirrored: whether left and right of the photos are exchanged.
    """

    backbone: str
    image_size_px: int
    mirrored: bool = False
