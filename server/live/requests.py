"""What a page, or the API, asks of a run that is not over: more time, and to be told at its end."""

import math
import re

from automl.errors import BadSetting
from automl.store.database import find_run
from automl.store.events import EventsAway
from automl.store.run_clock import run_clock
from automl.store.runs import request_more_time
from automl.text.messages import server as server_messages
from server.services import Services

MORE_TIME_S = 300.0
"""What the button on the page gives."""

_LEAST_MORE_S = 1.0
_LONGEST_ADDRESS = 254
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")


def give_more_time(services: Services, run_id: str, seconds: float) -> None:
    """Makes a run's budget longer.

    Raises:
        NotFound: no such run.
        BadSetting: not a length of time, or more than a run may have.
        NotAllowedNow: the search is over, or was told to end.
    """
    if not math.isfinite(seconds) or seconds < _LEAST_MORE_S:
        raise BadSetting(server_messages.NO_MINUTES)
    settings = services.settings
    with services.database.session() as session:
        run = find_run(session, run_id)
        clock = run_clock(run, settings.lease_s)
        request_more_time(
            run, seconds, max_budget_s=settings.max_budget_s, used_s=clock.used_s, progress=clock.progress
        )
    services.events.publish(run_id, "asked")


def remember_email(services: Services, run_id: str, address: str) -> None:
    """Notes who wants a letter at the end of a run; an empty address takes it back.

    Raises:
        NotFound: no such run.
        BadSetting: not an address, or this server sends no e-mail.
    """
    address = address.strip()
    if not services.settings.smtp_url:
        raise BadSetting(server_messages.NO_EMAIL_HERE)
    if address and (len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address) or not address.isprintable()):
        raise BadSetting(server_messages.NO_EMAIL_ADDRESS)
    with services.database.session() as session:
        run = find_run(session, run_id)
        if not run.state.is_finished():
            run.notify_email = address
    services.events.publish(run_id, "asked")


def stream_position(services: Services, run_id: str) -> str:
    """The id of a run's latest event, to be asked for before its row is read; empty where Redis does not answer."""
    try:
        return services.events.last_id(run_id)
    except EventsAway:
        return ""
