"""What a page, or the API, asks of a run that is not over: more time, and to be told at its end."""

import math

from sqlalchemy.orm import Session

from automl.errors import BadSetting
from automl.settings import Settings
from automl.store.accounts import find_account
from automl.store.database import find_run
from automl.store.events import EventsAway
from automl.store.quotas import refuse_time
from automl.store.run_clock import run_clock
from automl.store.runs import request_more_time
from automl.text.messages import server as server_messages
from server.services import Services

MORE_TIME_S = 300.0
"""What the button on the page gives."""

_LEAST_MORE_S = 1.0


def give_more_time(services: Services, run_id: str, seconds: float) -> None:
    """Makes a run's budget longer.

    Raises:
        NotFound: no such run.
        BadSetting: not a length of time, or more than a run may have.
        NotAllowedNow: the search is over, or was told to end, or whoever has started it would have asked for more time
            than he may.
    """
    if not math.isfinite(seconds) or seconds < _LEAST_MORE_S:
        raise BadSetting(server_messages.NO_MINUTES)
    settings = services.settings
    with services.database.session() as session:
        run = find_run(session, run_id)
        refuse_time(session, settings, run.started_by_id, seconds)
        clock = run_clock(run, settings.lease_s)
        request_more_time(
            run, seconds, max_budget_s=settings.max_budget_s, used_s=clock.used_s, progress=clock.progress
        )
    services.events.publish(run_id, "asked")


def email_of(session: Session, settings: Settings, account_id: str | None) -> str:
    """Where an e-mail goes that somebody asks for: to his account's address, or the one of the settings where nobody
    signs in. So nobody can have this server write to others. Empty where it sends none.
    """
    if not settings.smtp_url:
        return ""
    return find_account(session, account_id).email if account_id else settings.mail_to.strip()


def remember_email(services: Services, run_id: str, account_id: str | None, *, is_wanted: bool) -> None:
    """Notes that somebody wants an e-mail at the end of a run, or does not want it any more.

    Raises:
        NotFound: no such run.
        BadSetting: this server sends no e-mail.
    """
    with services.database.session() as session:
        run = find_run(session, run_id)
        address = email_of(session, services.settings, account_id)
        if not address:
            raise BadSetting(server_messages.NO_EMAIL_HERE)
        if not run.state.is_finished():
            run.notify_email = address if is_wanted else ""
    services.events.publish(run_id, "asked")


def stream_position(services: Services, run_id: str) -> str:
    """The id of a run's latest event, to be asked for before its row is read; empty where Redis does not answer."""
    try:
        return services.events.last_id(run_id)
    except EventsAway:
        return ""
