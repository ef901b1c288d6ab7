"""What a user may want of a model: the three plain choices of the start form, and the limits that each sets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from automl.errors import BadSetting
from automl.text.messages import options as option_messages
from automl.text.messages import pages as page_messages
from automl.text.names import any_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One plain choice.

    Attributes:
        name: the value that the form sends.
        title: the choice in a word or two.
        help: what a run with this aim delivers.
        limits: numbers by the name of the option that they are the value of.
    """

    name: str
    title: str
    help: str
    limits: Mapping[str, float] = field(default_factory=dict)


# The networks are 9 to 14 MB each: 24 MB is room for two of them side by side, 12 MB for one. To how many pixels photos
# are shrunk follows from the milliseconds.
AIMS: tuple[Aim, ...] = (
    Aim(name="accurate", title=page_messages.MOST_ACCURATE, help=page_messages.MOST_ACCURATE_HELP),
    Aim(
        name="balanced",
        title=page_messages.BALANCED,
        help=page_messages.BALANCED_HELP,
        limits={"max_model_mb": 24.0, "max_latency_ms": 50.0},
    ),
    Aim(
        name="small",
        title=page_messages.SMALL_AND_FAST,
        help=page_messages.SMALL_AND_FAST_HELP,
        limits={"max_model_mb": 12.0, "max_latency_ms": 20.0},
    ),
)


def with_limits(values: Mapping[str, object]) -> dict[str, object]:
    """The values of a start form, with the limits of the chosen aim where none was written under Advanced.

    Raises:
        BadSetting: there is no such aim.
    """
    chosen = values.get("aim") or AIMS[0].name
    for aim in AIMS:
        if aim.name == chosen:
            return {**values, **{name: limit for name, limit in aim.limits.items() if not values.get(name)}}
    raise BadSetting(option_messages.NO_SUCH_AIM.format(choices=any_of([aim.name for aim in AIMS])))
