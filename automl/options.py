"""The table of options: the rows of `records.RunSettings`, each with the name and the default of its field."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic.fields import FieldInfo

from automl.errors import BadSetting
from automl.option_kinds import Duration, Fieldset, Option
from automl.records import RunSettings
from automl.text.durations import duration_in_words
from automl.text.messages import options as option_messages


def _row(field: str, info: FieldInfo) -> Option[Any]:
    (row,) = (item for item in info.metadata if isinstance(item, Option))
    return replace(row, field=field, default=info.default)


_OPTIONS: tuple[Option[Any], ...] = tuple(_row(field, info) for field, info in RunSettings.model_fields.items())

RUN_OPTIONS: Mapping[str, Option[Any]] = {
    option.name: option for option in sorted(_OPTIONS, key=lambda option: not option.is_simple)
}
"""By name, the simple ones first."""

FIELDSETS: Mapping[Fieldset, tuple[Option[Any], ...]] = {
    part: tuple(
        sorted(
            (option for option in _OPTIONS if option.fieldset is part), key=lambda option: option.is_last_of_fieldset
        )
    )
    for part in Fieldset
}
"""The options of each part of the form, in the order in which it asks for them."""


def read_settings(given: Mapping[str, object]) -> RunSettings:
    """The settings that a form, a JSON body or a command line asks for.

    Args:
        given: by name of the option, as text or as JSON has it; what is missing, empty or None takes its default.

    Raises:
        BadSetting: a value that is none of its option. `check_limits` says whether it is within its limits.
    """
    read = {option.field: option.read(given.get(name)) for name, option in RUN_OPTIONS.items()}
    return RunSettings.model_validate({field: value for field, value in read.items() if value is not None})


def check_limits(settings: RunSettings, max_budget_s: float, may_be_timeless: bool = False) -> None:
    """Refuses settings that no run can be made of.

    Args:
        settings: what a run was asked for.
        max_budget_s: the longest budget that this installation allows.
        may_be_timeless: whether a run may have a trial limit in place of a budget.

    Raises:
        BadSetting: a value is outside of its limits; the message says what is allowed.
    """
    _check_budget(settings, max_budget_s, may_be_timeless)
    for option in RUN_OPTIONS.values():
        option.check(settings)


def _check_budget(settings: RunSettings, max_budget_s: float, may_be_timeless: bool) -> None:
    """The one limit that no row of the table of options has, since each installation sets it."""
    budget = RUN_OPTIONS["budget"]
    assert isinstance(budget, Duration)
    if settings.budget_s is None:
        if not may_be_timeless:
            raise BadSetting(option_messages.BUDGET_MISSING)
        if settings.max_trials is None:
            raise BadSetting(option_messages.NEITHER_BUDGET_NOR_TRIAL_LIMIT)
    elif not budget.shortest_s <= settings.budget_s <= max_budget_s:
        shortest, longest = duration_in_words(budget.shortest_s), duration_in_words(max_budget_s)
        raise BadSetting(option_messages.BUDGET_OUT_OF_RANGE.format(shortest=shortest, longest=longest))
