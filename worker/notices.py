"""Notices at the end of a run: an e-mail to the person who asked for one, and a call of the webhook."""

import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage
from typing import Literal
from urllib.parse import unquote, urlsplit

import httpx
import structlog
from pydantic import BaseModel
from sqlalchemy import or_, select, update

from automl.records import RunState
from automl.settings import Settings
from automl.store.database import Database, known_run
from automl.store.tables import Run, now
from automl.text.messages import worker as worker_messages
from automl.text.numbers import percent

N_TRIES = 3
PAUSE_S = 2.0
_TIMEOUT_S = 5.0
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_SETTLE_S = 15.0
_LATEST_S = 3600.0
_SUBJECTS = {
    RunState.DONE: worker_messages.SUBJECT_DONE,
    RunState.FAILED: worker_messages.SUBJECT_FAILED,
    RunState.CANCELLED: worker_messages.SUBJECT_CANCELLED,
}
_ENDS = {
    RunState.DONE: worker_messages.RUN_DONE,
    RunState.FAILED: worker_messages.RUN_FAILED,
    RunState.CANCELLED: worker_messages.RUN_CANCELLED,
}
_SCORES = {"test": worker_messages.RIGHT_WHEN_TESTED, "validation": worker_messages.RIGHT_ON_PHOTOS_NOT_LEARNED_FROM}

_log = structlog.stdlib.get_logger(__name__)


class RunNotice(BaseModel, frozen=True):
    """What is said of a run at its end. This is the JSON that the webhook gets."""

    id: str
    name: str
    """Name of the data set."""
    state: RunState
    score: float | None
    """0-1; None if there was no model."""
    measured_on: Literal["test", "validation"]
    """The photos that the score was measured on."""
    sentence: str
    """The result in a sentence, or why the run failed."""
    link: str | None
    """Address of the run's page; None if the server does not know its public address."""


def send_notices(database: Database, settings: Settings, run_id: str, *, pause_s: float = PAUSE_S) -> None:
    """Sends the notices of an ended run, once. Does nothing where they were sent before, or the run goes on or is gone.

    If the mail server or the webhook does not answer, it is tried three times, `pause_s` seconds apart; after that a
    note on the run says that the notice could not be sent.
    """
    with database.session() as session:
        due = (Run.id == run_id, Run.notified_at.is_(None), Run.finished_at.is_not(None), Run.deleted_at.is_(None))
        claim = update(Run).where(*due)
        if not session.execute(claim.values(notified_at=now()).returning(Run.id)).all():
            return
        run = known_run(session, run_id)
        notice, address = _notice(run, settings.public_url), run.notify_email
    failed = []
    if address and settings.smtp_url and not _tried(lambda: _send_email(settings, address, notice), pause_s, run_id):
        failed.append(worker_messages.EMAIL_NOT_SENT)
    if settings.webhook_url and not _tried(lambda: _call(settings.webhook_url, notice), pause_s, run_id):
        failed.append(worker_messages.WEBHOOK_NOT_CALLED)
    if failed:
        with database.session() as session:
            run = known_run(session, run_id)
            run.notes = [*run.notes, *failed]


def runs_without_notices(database: Database, settings: Settings, settle_s: float = _SETTLE_S) -> list[str]:
    """Runs that ended between an hour and `settle_s` seconds ago and whose notices have not been sent."""
    latest, earliest = now() - timedelta(seconds=settle_s), now() - timedelta(seconds=_LATEST_S)
    is_due = Run.notified_at.is_(None) & Run.deleted_at.is_(None)
    query = select(Run.id).where(is_due, Run.finished_at.between(earliest, latest))
    wanted = []
    if settings.smtp_url:
        wanted.append(Run.notify_email != "")
    if settings.webhook_url:
        wanted.append(Run.id.is_not(None))
    if not wanted:
        return []
    with database.session() as session:
        return list(session.scalars(query.where(or_(*wanted))))


def try_to_email(settings: Settings, address: str, subject: str, text: str, *, pause_s: float = PAUSE_S) -> bool:
    """Sends an e-mail, in three tries. False where there is no mail server, or it has not taken the e-mail."""
    return bool(settings.smtp_url) and _tried(lambda: _send(settings, address, subject, text), pause_s)


def _notice(run: Run, public_url: str) -> RunNotice:
    """What both notices say. `score` is 0-1: that of the test if the run is done, else the best on validation."""
    report = run.report if run.state is RunState.DONE else None
    return RunNotice(
        id=run.id,
        name=run.dataset.name,
        state=run.state,
        score=report.score.accuracy if report else run.best_score,
        measured_on="test" if report else "validation",
        sentence=report.sentence if report else run.error_message,
        link=f"{public_url.rstrip('/')}/runs/{run.id}" if public_url else None,
    )


def _tried(send: Callable[[], None], pause_s: float, run_id: str = "") -> bool:
    for attempt in range(N_TRIES):
        if attempt:
            time.sleep(pause_s)
        try:
            send()
        except (OSError, smtplib.SMTPException, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # Neither the address nor the URL is logged: the URL may contain a password.
            _log.warning("notice not sent", run_id=run_id, reason=type(error).__name__, attempt=attempt + 1)
        else:
            return True
    return False


def _send_email(settings: Settings, address: str, notice: RunNotice) -> None:
    lines = [_ENDS[notice.state].format(name=notice.name), notice.sentence]
    if notice.score is not None:
        lines.append(_SCORES[notice.measured_on].format(share=percent(notice.score)))
    lines.append(notice.link or "")
    subject = _SUBJECTS[notice.state].format(name=notice.name)
    _send(settings, address, subject, "\n\n".join(line for line in lines if line))


def _send(settings: Settings, address: str, subject: str, text: str) -> None:
    email = EmailMessage()
    email["Subject"] = subject
    email["From"] = settings.mail_from or f"darkroom@{socket.getfqdn()}"
    email["To"] = address
    email.set_content(text)
    with _mail_server(settings.smtp_url) as server:
        server.send_message(email)


def _mail_server(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=_TIMEOUT_S, context=context)
    elif parts.scheme == "smtp":
        server = smtplib.SMTP(host, parts.port or 25, timeout=_TIMEOUT_S)
    else:
        raise ValueError("the URL of the mail server must begin with smtp:// or smtps://")
    try:
        server.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
        elif parts.scheme == "smtp" and parts.username and host not in _THIS_MACHINE:
            raise ValueError("the mail server offers no TLS, so the password is not sent to it")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        with suppress(OSError, smtplib.SMTPException):
            server.close()
        raise
    return server


def _call(url: str, notice: RunNotice) -> None:
    answer = httpx.post(url, json=notice.model_dump(mode="json"), timeout=_TIMEOUT_S)
    answer.raise_for_status()  # a redirect counts as a failure, too: the notice was not delivered
