"""From what a form or a JSON body says to `RunSettings`, or to a sentence about what is wrong with it; and back."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from automl.errors import BadSetting
from automl.options import RUN_OPTIONS, check_limits, read_settings
from automl.records import RunSettings
from automl.text.messages import administration as administration_messages
from automl.text.messages import options as option_messages

MAX_ROW_ID = 2**62
"""Larger numbers in an address name no row, and a database could not even ask."""

_LAST_PAGE = 1_000_000

_Choice = TypeVar("_Choice", bound=StrEnum)


def row_id(number: int) -> int:
    """`number` of an address or a form as a row's, or 0, which no row has."""
    return number if 0 < number < MAX_ROW_ID else 0


def page_number(values: Mapping[str, str]) -> int:
    """`page` of a query, from 1; 1 where it is missing or no number."""
    text = values.get("page", "1")
    return min(max(1, int(text)), _LAST_PAGE) if text.isdecimal() and len(text) < 20 else 1


def chosen(choices: type[_Choice], text: str) -> _Choice:
    """The one of some choices that a form names. Raises BadSetting where it names none."""
    try:
        return choices(text)
    except ValueError:
        raise BadSetting(administration_messages.NO_SUCH_CHOICE) from None


def run_settings(values: Mapping[str, object], max_budget_s: int) -> RunSettings:
    """Reads the fields of `RUN_OPTIONS`, each of which may be empty or missing, as text or as JSON has it.

    `budget` may also be "other", where `minutes`, the free entry of the web form, says the time.

    Raises:
        BadSetting: a value that cannot be used, with what is allowed.
    """
    settings = read_settings({**values, "budget": _budget(values)})
    check_limits(settings, max_budget_s)
    return settings


def form_values(settings: RunSettings) -> dict[str, str]:
    """The fields of a form that `run_settings` reads as these settings."""
    return {name: option.text(option.of(settings)) for name, option in RUN_OPTIONS.items()}


def _budget(values: Mapping[str, object]) -> object:
    """The time that a form asks for: one that it offers, or minutes that its user wrote."""
    chosen, minutes = values.get("budget"), values.get("minutes")
    if chosen == "other" and not minutes:
        raise BadSetting(option_messages.OWN_TIME_MISSING)
    if minutes and chosen not in (None, "", "other"):
        raise BadSetting(option_messages.TWO_TIMES)
    return minutes or chosen
