"""What a user wants of the model beside the time: the three plain choices of the start form, and what they limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Aim:
    """`name`: the value that the form sends. `limits`: numbers by the name of the option, as in `RunSettings`."""

    name: str
    title: str
    help: str
    limits: Mapping[str, float] = field(default_factory=dict)


# The networks are 9 to 14 MB each: 24 MB is room for two of them side by side, 12 MB for one. To how many pixels photos
# are shrunk follows from the milliseconds.
AIMS: tuple[Aim, ...] = (
    Aim("accurate", "Most accurate", "As many right as possible, whatever its size."),
    Aim(
        "balanced",
        "Balanced",
        "A good score in a model of up to 24 MB that takes up to 50 ms for a photo here.",
        {"max_model_mb": 24.0, "max_latency_ms": 50.0},
    ),
    Aim(
        "small",
        "Small and fast",
        "Up to 12 MB, and up to 20 ms for a photo here. For phones and small computers.",
        {"max_model_mb": 12.0, "max_latency_ms": 20.0},
    ),
)


def with_limits(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a start form, with the limits of the chosen aim where none was written under Advanced.

    Raises:
        BadSetting: there is no such aim.
    """
    chosen = values.get("aim") or AIMS[0].name
    for aim in AIMS:
        if aim.name == chosen:
            return {**values, **{name: limit for name, limit in aim.limits.items() if not values.get(name)}}
    raise BadSetting(f"The aim must be {', '.join(aim.name for aim in AIMS[:-1])} or {AIMS[-1].name}.")
