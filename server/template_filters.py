"""The filters of the templates: the functions of `automl.text`, and those that only pages need."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flask import Flask
from markupsafe import Markup

from automl.options import RUN_OPTIONS
from automl.records import DatasetState, RunState
from automl.store.retention import goes_into_bin_at
from automl.store.tables import Dataset, now
from automl.text import numbers
from automl.text.durations import duration_in_words
from automl.text.messages import pages as page_messages
from automl.text.moments import moment_in_words
from automl.text.names import backbones_in_words, params_in_words
from automl.text.numbers import latency_in_words, size_in_words
from automl.text.trial_names import STAGE_TITLES, training_in_words

_LONGEST_NAME = 100
_NO_BREAK = "\N{NO-BREAK SPACE}"

STATE_TITLES: Mapping[str, str] = {
    RunState.QUEUED: page_messages.WAITING,
    RunState.PREPARING: page_messages.PREPARING,
    RunState.SEARCHING: page_messages.SEARCHING,
    RunState.FINISHING: page_messages.FINISHING,
    RunState.DONE: page_messages.DONE,
    RunState.FAILED: page_messages.FAILED,
    RunState.CANCELLED: page_messages.CANCELLED,
    DatasetState.UPLOADING: page_messages.NOT_CHECKED_YET,
    DatasetState.CHECKING: page_messages.BEING_CHECKED,
    DatasetState.READY: page_messages.READY,
    DatasetState.INVALID: page_messages.NEEDS_ATTENTION,
}
"""Titles of the states of runs and data sets. No state of one has the name of a state of the other."""


def install(app: Flask) -> None:
    filters = (
        percent,
        size_in_words,
        duration_in_words,
        ago,
        time_left,
        days_in_words,
        moment_in_words,
        backbones_in_words,
        params_in_words,
        latency_in_words,
        soft_breaks,
        training_in_words,
        probability,
        goes_into_bin_at,
        seen,
    )
    titles: dict[str, Mapping[str, str]] = {
        "stage_title": STAGE_TITLES,
        "state_title": STATE_TITLES,
    }
    app.jinja_env.filters.update({function.__name__: function for function in filters})
    app.jinja_env.filters.update({name: _title_of(table) for name, table in titles.items()})
    app.jinja_env.filters["moment"] = moment_in_words
    app.jinja_env.filters["goal_title"] = RUN_OPTIONS["goal"].say


def ago(moment: datetime, at: datetime | None = None) -> str:
    """ "just now", "5 minutes ago", "3 days ago"."""
    seconds = ((at or now()) - moment).total_seconds()
    units = ((page_messages.DAYS_AGO, 86_400), (page_messages.HOURS_AGO, 3600), (page_messages.MINUTES_AGO, 60))
    for message, length_s in units:
        if seconds >= length_s:
            return message.format(n=int(seconds // length_s))
    return page_messages.JUST_NOW


def time_left(moment: datetime, at: datetime | None = None) -> str:
    """ "in 3 days", "in 5 hours", "in less than a minute"."""
    seconds = (moment - (at or now())).total_seconds()
    units = ((page_messages.IN_DAYS, 86_400), (page_messages.IN_HOURS, 3600), (page_messages.IN_MINUTES, 60))
    for message, length_s in units:
        if (n := round(seconds / length_s)) >= 1:
            return message.format(n=n)
    return page_messages.IN_A_MOMENT


def days_in_words(seconds: float) -> str:
    """ "14 days"; less than a day as hours and minutes."""
    return page_messages.DAYS.format(n=round(seconds / 86_400)) if seconds >= 86_400 else duration_in_words(seconds)


def _title_of(table: Mapping[str, str]) -> Callable[[str], str]:
    """A filter that looks up the title of a value; a value that is not in the table stays as it is."""
    return lambda value: table.get(value, str(value))


def soft_breaks(name: str) -> Markup:
    """Lets a browser break a long class name after an underscore, as it does after a hyphen, rather than anywhere."""
    return Markup("_<wbr>").join(name.split("_"))


def percent(share: float | None, n_digits: int = 1) -> str:
    """As `percent` of `automl.text`, with a no-break space before the sign."""
    return numbers.percent(share, n_digits).replace(" ", _NO_BREAK)


def probability(share: float) -> str:
    """ "99.9 %", "under 0.1 %": `percent` would say 0.1 % of the smallest, and all classes together exceed 100 %."""
    return page_messages.UNDER_A_TENTH.format(share=percent(0.001)) if 0 < share < 0.0005 else percent(share)


def seen(fields: Mapping[str, object], dataset: Dataset) -> dict[str, object]:
    """The fields of a form that changes a data set, with the revision that its page shows, see `edit_conflicts`."""
    return {**fields, "seen": dataset.revision}


def csv_line(cells: Sequence[str]) -> str:
    """One row of a CSV table, with its line break."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def clean_name(name: str, otherwise: str = page_messages.UNNAMED_DATA_SET) -> str:
    """`name` as one printable line of at most 100 characters; `otherwise` if nothing of it is left."""
    line = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return line[:_LONGEST_NAME].strip() or otherwise
