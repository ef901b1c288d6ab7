"""Where a model will be used, which decides the formats that are ticked in the download."""

from collections.abc import Mapping
from enum import StrEnum


class ModelUse(StrEnum):
    """A place that a model can be used at, as the address of the result's page names it."""

    PAGE = "page"
    COMPUTER = "computer"
    PHONE = "phone"
    BOARD = "board"
    PROGRAM = "program"


FORMATS_FOR: Mapping[ModelUse, tuple[str, ...]] = {
    ModelUse.PAGE: (),
    ModelUse.COMPUTER: ("onnx",),
    ModelUse.PHONE: ("litert_float16",),
    ModelUse.BOARD: ("litert_int8",),
    ModelUse.PROGRAM: ("onnx", "keras"),
}
"""Names of formats, in the order of the table of formats."""


def use_named(name: str | None) -> ModelUse | None:
    """None for what is no such place."""
    return next((use for use in ModelUse if use == name), None)
