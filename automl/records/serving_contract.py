"""The serving contract: how the pixels of a file become those that a model sees, wherever it is trained or used.

A delivered model also carries how its answers are to be taken, see `DeliveredContract`.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Background = Literal["white", "gray", "black"]
"""What can be behind transparent photos."""


Aspect = Literal["squeeze", "whole", "crop"]
"""How a photo becomes the square that a model takes."""


class GrayRange(BaseModel):
    """Which values become black and white. What lies between is scaled evenly."""

    model_config = ConfigDict(frozen=True)

    black: float
    """It and all below become 0."""

    white: float
    """It and all above become 255."""


class GrayRules(BaseModel):
    """How photos are scaled whose values are not those of 8 bits."""

    model_config = ConfigDict(frozen=True)

    integers: GrayRange | None = None
    """For integers of more than 8 bits, from version 2 on in colours, too; None where each photo goes by its own
    values, since no photo was such a one."""

    floats: GrayRange | None = None
    """The same for floating-point numbers."""

    darker_integers: tuple[GrayRange, ...] = ()
    """Smaller ranges where files of several depths are mixed, the smallest first: a photo is scaled by the first that
    holds all of its values, and by `integers` where none does."""

    darker_floats: tuple[GrayRange, ...] = ()
    """The same for floating-point numbers."""


class ServingContract(BaseModel):
    """What training and every runtime have to know of the photos of a data set.

    A model without it is older than the record; `automl.serving.predict` knows what such models were trained with.
    """

    model_config = ConfigDict(frozen=True)

    version: Literal[1, 2] = 2
    """Of this record. A program that does not know it must refuse the model. In version 1 there were no darker ranges,
    and only the upper 8 bits of colours with more of them counted."""

    orientation: Literal["exif"] = "exif"
    """Photos are turned as the orientation in their EXIF says; nothing else beside their pixels counts."""

    aspect: Aspect = "squeeze"
    """How a photo becomes the square that the model takes: "squeeze" presses its long side together; "whole" keeps its
    shape, in the middle of a square of `background`; "crop" takes the largest square from its middle. A data set has
    "squeeze"; a run may choose another one for its model."""

    background: Background = "white"
    """What is behind transparent photos, and around those whose shape is kept. Transparency that hides a whole photo is
    ignored."""

    gray: GrayRules = GrayRules()
    """How photos of more than 8 bits are scaled."""

    def json_text(self) -> str:
        """The record as it is delivered, every field in it."""
        return self.model_dump_json(indent=2) + "\n"


class DeliveredContract(ServingContract):
    """What every runtime has to know beside the network itself. It is `serving.json` in a download, and in each model.

    A download may say another `sure` than the models in it, where its user has chosen one: the file beside a model
    counts.
    """

    sure: float | None = None
    """The confidence, 0-1, from which on an answer counts as sure; below it, programs say "not sure". None where that
    is not known, as of a model whose confidence was not calibrated."""

    foreign: float | None = None
    """The distance beyond which a photo looks like nothing that was learned, which programs then say. The model gives
    the distance of a photo itself, or carries `distance.npz` to work it out; None for a model that cannot tell."""
