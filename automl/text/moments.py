"""Moments as people read them."""

import calendar
from datetime import UTC, datetime

from automl.text.messages import pieces


def moment_in_words(moment: datetime) -> str:
    """ "14 December 2026, 10:30 UTC"."""
    at = moment.astimezone(UTC)
    return pieces.MOMENT.format(day=at.day, month=calendar.month_name[at.month], year=at.year, time=f"{at:%H:%M}")
