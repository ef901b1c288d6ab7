"""Refuses what no run can be made of. The web form, the API and the command line all keep to it."""

from automl.errors import BadSetting
from automl.option_kinds import Duration
from automl.options import RUN_OPTIONS
from automl.records import RunSettings
from automl.text import messages
from automl.text.durations import duration_in_words


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
            raise BadSetting(messages.BUDGET_MISSING)
        if settings.max_trials is None:
            raise BadSetting(messages.NEITHER_BUDGET_NOR_TRIAL_LIMIT)
    elif not budget.shortest_s <= settings.budget_s <= max_budget_s:
        shortest, longest = duration_in_words(budget.shortest_s), duration_in_words(max_budget_s)
        raise BadSetting(messages.BUDGET_OUT_OF_RANGE.format(shortest=shortest, longest=longest))
