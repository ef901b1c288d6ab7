"""The table of options: the rows of `records.RunSettings`, each with the name and the default of its field."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic.fields import FieldInfo

from automl.option_kinds import Fieldset, Option
from automl.records import RunSettings


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
        BadSetting: a value that is none of its option. `limits.check_limits` says whether it is within its limits.
    """
    read = {option.field: option.read(given.get(name)) for name, option in RUN_OPTIONS.items()}
    return RunSettings.model_validate({field: value for field, value in read.items() if value is not None})
