"""The kinds of option that a run has: how the values of each are read, checked, said and documented.

`records.RunSettings` has one field for each option, and beside its type and its default one row: an `Option` of one of
these kinds. The web form, the API, the command line, the command that repeats a run, the limits and the documentation
are derived from these rows; nothing else lists the options.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from automl.errors import BadSetting
from automl.text.durations import duration_in_words, parse_duration
from automl.text.messages import options as option_messages
from automl.text.messages import pieces
from automl.text.names import BACKBONE_TITLES, any_of

_Value = TypeVar("_Value")

_SWITCH = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
_LONGEST_QUOTE = 40
"""So many characters of a value that cannot be read are repeated in a message."""


class Control(StrEnum):
    """What asks for an option on a form."""

    OWN = "own"  # the form has a part of its own for it
    CHOICE = "choice"
    GROUPED_CHOICE = "grouped choice"
    BOXES = "boxes"
    SWITCH = "switch"
    NUMBER = "number"
    TEXT = "text"


class Fieldset(StrEnum):
    """The parts of the form below "Advanced", in their order."""

    MODEL = "The model"
    NETWORKS = "The networks"
    SEARCH = "The search"
    TRAINING = "Each training"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(ABC, Generic[_Value]):
    """One row of the table of options.

    Attributes:
        title: the label of the option, in plain words.
        help: one sentence about what it does.
        subject: what messages about its values begin with.
        fieldset: the part of the form that has it; None where the form asks for it above "Advanced".
        is_last_of_fieldset: whether the form asks for it after the others of that part.
        is_simple: whether the command line and the documentation name it before the advanced ones.
        metavar: what stands for a value in the help of the command line; empty for the flag's own name.
        unset: what happens where nothing is chosen, as the command line and the documentation say it.
        unset_on_form: the same as the form says it; empty for the same words.
        unset_of_run: the same as it is said of a run that is over; empty for the same words.
        note: what the help of the command line says beside the default.
        field: the field of `RunSettings` that has the value. `options.RUN_OPTIONS` fills it in.
        default: the value of a run that says nothing of it. `options.RUN_OPTIONS` fills it in.
    """

    control: ClassVar[Control]

    title: str
    help: str
    subject: str
    fieldset: Fieldset | None
    is_last_of_fieldset: bool = False
    is_simple: bool = False
    metavar: str = ""
    unset: str = "no limit"
    unset_on_form: str = ""
    unset_of_run: str = ""
    note: str = ""
    field: str = ""
    default: _Value | None = None

    @property
    def name(self) -> str:
        """The field of forms and of the API."""
        return self.field

    @property
    def flag(self) -> str:
        """The same on the command line."""
        return "--" + self.name.removesuffix("_px").replace("_", "-")

    @property
    def heading(self) -> str:
        """The title as the head of a row that has a value."""
        return self.title.removesuffix("?")

    @property
    def sentences(self) -> str:
        """The title and the help, one after the other."""
        words = option_messages.QUESTION_AND_HELP if self.title.endswith("?") else option_messages.TITLE_AND_HELP
        return words.format(title=self.title, help=self.help)

    @property
    def placeholder(self) -> str:
        """What an empty field of the form shows; nothing where it means the default."""
        return (self.unset_on_form or self.unset) if self.is_unset(self.default) else ""

    @property
    def default_in_words(self) -> str:
        """What holds where nothing is chosen."""
        return self.unset if self.is_unset(self.default) else self.text(self.default)

    @property
    @abstractmethod
    def values_in_words(self) -> str:
        """What may be chosen, for the documentation, in Markdown."""

    def of(self, settings: object) -> _Value | None:
        """The value that `settings`, a `RunSettings`, has."""
        value: _Value | None = getattr(settings, self.field)
        return value

    def is_unset(self, value: _Value | None) -> bool:
        """Whether the choice is left to Darkroom."""
        return value is None

    def read(self, value: object) -> _Value | None:
        """The value that a form, a JSON body or a command line asks for; None where it says nothing.

        Raises:
            BadSetting: it is no value of this kind. Whether it is within its limits is for `check` to say.
        """
        return None if value is None or value == "" else self._read(value)

    def check(self, settings: object) -> None:
        """Raises BadSetting where the value of `settings`, a `RunSettings`, is outside of its limits."""
        value = self.of(settings)
        if value is not None:
            self._check(value)

    def in_words(self, settings: object) -> str:
        """What `settings`, a `RunSettings`, has chosen, for people."""
        value = self.of(settings)
        return self.unset_of_run or self.unset if value is None or self.is_unset(value) else self.say(value)

    def text(self, value: _Value | None) -> str:
        """The text that `read` reads as `value`; empty where it is unset."""
        return "" if value is None else str(value)

    def arguments(self, value: _Value | None) -> list[str]:
        """The words of a command line that ask for `value`; none where it is unset."""
        return [] if value is None else [self.flag, self.text(value)]

    def say(self, value: _Value) -> str:
        """A value for people."""
        return str(value).replace("_", " ")

    @abstractmethod
    def _read(self, value: object) -> _Value | None: ...

    def _check(self, value: _Value) -> None:
        """Raises BadSetting for a value outside of the limits. Kinds whose every value may be chosen have none."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The title and the help stand in the JSON Schema of `RunSettings` too."""
        return {**handler(schema), "title": self.title, "description": self.help}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Option[float]):
    """A length of time in seconds, whose field ends in `_s` and whose name does not.

    Attributes:
        shortest_s: the shortest one that is of use. The longest is a setting of the installation.
    """

    control = Control.OWN

    shortest_s: float

    @property
    def name(self) -> str:
        return self.field.removesuffix("_s")

    @property
    def default_in_words(self) -> str:
        return self.unset if self.default is None else self.say(self.default)

    @property
    def values_in_words(self) -> str:
        return option_messages.VALUES_DURATION.format(shortest=duration_in_words(self.shortest_s))

    def text(self, value: float | None) -> str:
        """ "90s"; fractions of a second only where there are some."""
        if value is None:
            return ""
        return f"{int(value)}s" if value == int(value) else f"{value}s"

    def arguments(self, value: float | None) -> list[str]:
        """A run without a time limit must say so, since the default is one with a limit."""
        return [self.flag, self.text(value) or "none"]

    def say(self, value: float) -> str:
        return duration_in_words(value)

    def _read(self, value: object) -> float:
        return parse_duration(str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(Option[str]):
    """One of several names.

    Attributes:
        choices: the titles on the form by the values that may be chosen.
        recommended: the value whose title says that it is recommended; empty for none.
        is_said_by_title: whether a list of settings has the title of a value rather than the value itself.
    """

    control = Control.CHOICE

    choices: Mapping[str, str]
    recommended: str = ""
    is_said_by_title: bool = False

    @property
    def titles(self) -> dict[str, str]:
        """What the form offers, by the value that it sends; an empty value leaves the choice to Darkroom."""
        titles = {str(value): title for value, title in self.choices.items()}
        if self.recommended:
            titles[self.recommended] = option_messages.RECOMMENDED.format(title=titles[self.recommended])
        return {"": self.placeholder, **titles} if self.is_unset(self.default) else titles

    @property
    def values_in_words(self) -> str:
        return any_of([f"`{value}`" for value in self.choices])

    def say(self, value: str) -> str:
        return self.choices.get(value, value) if self.is_said_by_title else value.replace("_", " ")

    def _read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise self._refusal()
        return value

    def _check(self, value: str) -> None:
        if value not in self.choices:
            raise self._refusal()

    def _refusal(self) -> BadSetting:
        return BadSetting(option_messages.NOT_A_CHOICE.format(subject=self.subject, choices=any_of(list(self.choices))))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedSelection(Selection):
    """One of several names, of which another option, the group, leaves some.

    Attributes:
        depends_on: the option, and the field of `RunSettings`, that has the group.
        groups: the values that each group leaves, its default first.
        group_titles: the groups for people.
    """

    control = Control.GROUPED_CHOICE

    depends_on: str
    groups: Mapping[str, tuple[str, ...]]
    group_titles: Mapping[str, str]

    @property
    def default_in_words(self) -> str:
        return "; ".join(
            option_messages.DEFAULT_OF_GROUP.format(default=values[0], group=group, choices=", ".join(values))
            for group, values in self.groups.items()
        )

    def titles_of(self, group: str) -> dict[str, str]:
        """What the form offers of one group."""
        return {str(value): self.choices[value] for value in self.groups[group]}

    def check(self, settings: object) -> None:
        value, group = self.of(settings), getattr(settings, self.depends_on)
        if value is not None and value not in self.groups[group]:
            allowed = any_of(self.groups[group])
            raise BadSetting(
                option_messages.NOT_A_CHOICE_OF_GROUP.format(
                    subject=self.subject, group=group, choices=allowed, value=value
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Option[bool]):
    """Yes or no."""

    control = Control.SWITCH

    @property
    def default_in_words(self) -> str:
        return "on" if self.default else "off"

    @property
    def values_in_words(self) -> str:
        return option_messages.VALUES_SWITCH

    def text(self, value: bool | None) -> str:
        return "" if value is None else self.say(value)

    def arguments(self, value: bool | None) -> list[str]:
        return [self.flag if value else f"--no-{self.flag.removeprefix('--')}"]

    def say(self, value: bool) -> str:
        return "yes" if value else "no"

    def _read(self, value: object) -> bool:
        try:
            return _SWITCH[str(value).strip().lower()]
        except KeyError:
            raise BadSetting(option_messages.NOT_A_SWITCH.format(subject=self.subject)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeNumber(Option[int]):
    """Whole numbers.

    Attributes:
        low: the smallest one that may be chosen.
        high: the largest one that may be chosen.
        step: only multiples of it may be chosen.
        unit: what is counted, for people; empty for a bare number.
    """

    control = Control.NUMBER

    low: int
    high: int
    step: int = 1
    unit: str = ""

    @property
    def values_in_words(self) -> str:
        words = option_messages.VALUES_WHOLE_NUMBER if self.step == 1 else option_messages.VALUES_WHOLE_NUMBER_OF_STEPS
        return words.format(low=self.low, high=self.high, step=self.step)

    def say(self, value: int) -> str:
        return f"{value} {self.unit}".rstrip()

    def _read(self, value: object) -> int:
        try:
            return int(str(value).strip())
        except ValueError:
            raise self._refusal() from None

    def _check(self, value: int) -> None:
        if not self.low <= value <= self.high or value % self.step:
            raise self._refusal()

    def _refusal(self) -> BadSetting:
        words = option_messages.NOT_A_WHOLE_NUMBER if self.step == 1 else option_messages.NOT_A_WHOLE_NUMBER_OF_STEPS
        return BadSetting(words.format(subject=self.subject, low=self.low, high=self.high, step=self.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSize(WholeNumber):
    """The width of a square picture. There are so few that the form lists them."""

    control = Control.CHOICE

    @property
    def titles(self) -> dict[str, str]:
        """What the form offers, by the value that it sends."""
        sizes = range(self.low, self.high + 1, self.step)
        titles = {str(n): pieces.SQUARE_PICTURE.format(n=n) for n in sizes}
        return {"": self.placeholder, **titles} if self.is_unset(self.default) else titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount(Option[float]):
    """Numbers with fractions.

    Attributes:
        low: the smallest one that may be chosen.
        high: the largest one that may be chosen.
        unit: what is measured, for people.
    """

    control = Control.NUMBER
    step: ClassVar[str] = "any"

    low: float
    high: float
    unit: str

    @property
    def values_in_words(self) -> str:
        return option_messages.VALUES_AMOUNT.format(low=self.low, high=self.high, unit=self.unit)

    def say(self, value: float) -> str:
        return f"{value:g} {self.unit}"

    def _read(self, value: object) -> float:
        try:
            return float(str(value).strip())
        except ValueError:
            raise self._refusal() from None

    def _check(self, value: float) -> None:
        if not self.low <= value <= self.high:
            raise self._refusal()

    def _refusal(self) -> BadSetting:
        words = option_messages.NOT_AN_AMOUNT
        return BadSetting(words.format(subject=self.subject, low=self.low, high=self.high, unit=self.unit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbones(Option[tuple[str, ...]]):
    """Names of pretrained networks; none leaves the choice to Darkroom."""

    control = Control.BOXES

    @property
    def titles(self) -> Mapping[str, str]:
        """All that may be chosen, by name."""
        return BACKBONE_TITLES

    @property
    def values_in_words(self) -> str:
        return option_messages.VALUES_BACKBONES.format(choices=", ".join(f"`{name}`" for name in BACKBONE_TITLES))

    def is_unset(self, value: tuple[str, ...] | None) -> bool:
        return not value

    def text(self, value: tuple[str, ...] | None) -> str:
        return ",".join(value or ())

    def arguments(self, value: tuple[str, ...] | None) -> list[str]:
        return [self.flag, *value] if value else []

    def say(self, value: tuple[str, ...]) -> str:
        return ", ".join(BACKBONE_TITLES.get(name, name) for name in value)

    def _read(self, value: object) -> tuple[str, ...]:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise BadSetting(option_messages.NOT_A_LIST_OF_BACKBONES)
        chosen = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
        if unknown := [name for name in chosen if name not in BACKBONE_TITLES]:
            words, known = option_messages.UNKNOWN_BACKBONE, ", ".join(BACKBONE_TITLES)
            raise BadSetting(words.format(name=unknown[0][:_LONGEST_QUOTE], known=known))
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLayers(Option[tuple[int, ...]]):
    """The numbers of units of hidden layers; an empty tuple is a head without any.

    Attributes:
        most: so many layers there may be.
        low: the smallest number of units.
        high: the largest number of units.
    """

    control = Control.TEXT

    most: int
    low: int
    high: int

    @property
    def values_in_words(self) -> str:
        return option_messages.VALUES_HEAD_LAYERS.format(most=self.most, low=self.low, high=self.high)

    def text(self, value: tuple[int, ...] | None) -> str:
        return "" if value is None else ",".join(map(str, value)) or "none"

    def say(self, value: tuple[int, ...]) -> str:
        return ", ".join(map(str, value)) or "none"

    def _read(self, value: object) -> tuple[int, ...] | None:
        """(256, 64) for "256,64" and for a JSON list of them; () for "none" and for an empty list."""
        text = ",".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)
        words = [word.strip() for word in text.split(",") if word.strip()]
        if [word.lower() for word in words] in (["none"], ["0"]):
            return ()
        try:
            return tuple(int(word) for word in words) or None
        except ValueError:
            raise BadSetting(option_messages.NOT_HEAD_LAYERS.format(text=text[:_LONGEST_QUOTE])) from None

    def _check(self, value: tuple[int, ...]) -> None:
        if len(value) > self.most:
            raise BadSetting(option_messages.TOO_MANY_HEAD_LAYERS.format(most=self.most, n=len(value)))
        if any(not self.low <= units <= self.high for units in value):
            words = option_messages.NOT_A_WHOLE_NUMBER
            raise BadSetting(words.format(subject=self.subject, low=self.low, high=self.high))
