"""Writes down for administrators what the sender of the current request does."""

from flask import request
from sqlalchemy.orm import Session

from automl.records import AuditAction
from automl.store.audit import record_event
from server.visitor import known_visitor


def record(
    session: Session,
    action: AuditAction,
    *,
    account_id: str | None = None,
    object_kind: str = "",
    object_id: str = "",
    detail: str = "",
) -> None:
    """See `automl.store.audit.record_event`. `account_id`: who did it, where the request does not tell yet."""
    who = known_visitor()
    record_event(
        session,
        action,
        account_id=account_id or (who.account_id if who else None),
        sender=request.remote_addr or "",
        object_kind=object_kind,
        object_id=object_id,
        detail=detail,
    )
