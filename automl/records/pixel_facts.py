"""What is kept of a photo whose pixels are not ordinary ones: a deep gray or a transparent one."""

from pydantic import BaseModel, ConfigDict


class GrayFacts(BaseModel):
    """The values of a photo of more than 8 bits, or of floating-point numbers, as its file holds them."""

    model_config = ConfigDict(frozen=True)

    is_float: bool
    """Whether they are floating-point numbers."""

    lowest: float
    """The smallest value."""

    highest: float
    """The largest value."""

    dark: float
    """One in a hundred values is darker."""

    bright: float
    """One in a hundred values is brighter."""

    deviation: float
    """The standard deviation of the values; 0 for a blank photo."""


class TransparencyFacts(BaseModel):
    """How much is to be seen of a photo with transparent parts, as the standard deviation of its gray values, 0-128."""

    model_config = ConfigDict(frozen=True)

    on_white: float
    """Before a white background."""

    on_gray: float
    """Before a gray background."""

    on_black: float
    """Before a black background."""


class PixelFacts(BaseModel):
    """What has to be known of such photos to choose one rule for all photos of a data set."""

    model_config = ConfigDict(frozen=True)

    gray: GrayFacts | None = None
    """Of colours, too; None for a photo of 8 bits a channel."""

    transparency: TransparencyFacts | None = None
    """None for a photo without transparent parts."""
