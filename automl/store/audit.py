"""What was done that has to do with who may do what: for administrators, who may have to find out later."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from automl.records import AuditAction
from automl.store.tables import Account, AuditEvent, now

PAGE = 50
"""Events on one page."""

KEPT_DAYS = 366
_MAX_CHARS = 200


def record_event(
    session: Session,
    action: AuditAction,
    *,
    account_id: str | None,
    sender: str = "",
    object_kind: str = "",
    object_id: str = "",
    detail: str = "",
) -> None:
    """Writes down that something was done, in the transaction that does it, so that neither is there alone.

    What is older than `KEPT_DAYS` is removed.

    Args:
        session: The transaction.
        action: What.
        account_id: By whom; None where nobody needs an account, and where nobody knows.
        sender: The address on the network that it came from; empty where it was done at this machine.
        object_kind: What kind of thing it was done to, such as `account`.
        object_id: Its id.
        detail: More of it, such as an address or a role; never a password or another secret.
    """
    session.execute(delete(AuditEvent).where(AuditEvent.at < now() - timedelta(days=KEPT_DAYS)))
    account = session.get(Account, account_id) if account_id else None
    event = AuditEvent(
        action=action,
        account_id=account_id,
        who=account.email if account else "",
        sender=sender[:_MAX_CHARS],
        object_kind=object_kind,
        object_id=object_id[:_MAX_CHARS],
        detail=detail[:_MAX_CHARS],
    )
    session.add(event)


def events_before(session: Session, event_id: int | None = None) -> Sequence[AuditEvent]:
    """Up to `PAGE` events, the newest first, older than the one with this id."""
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(PAGE)
    return session.scalars(query if event_id is None else query.where(AuditEvent.id < event_id)).all()
