"""What one look at a picture tells, small enough to be kept for every file of a data set."""

from dataclasses import dataclass

LOOK_PX = 32


@dataclass(frozen=True, slots=True)
class Traits:
    """Of one picture that decodes.

    `width`, `height`: pixels, upright. `format`: by its bytes, such as "JPEG". `look`: LOOK_PX x LOOK_PX gray values,
    uint8, row by row, of the whole picture squeezed into the square. `spread`: standard deviation of the gray values,
    0 for a blank picture. `is_gray`: nothing in it has colour.
    """

    width: int
    height: int
    format: str
    look: bytes
    spread: float
    is_gray: bool
