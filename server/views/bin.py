"""What the pages say of things that were deleted."""

from flask import request
from sqlalchemy.orm import Session

from automl.errors import NotFound
from automl.store.bin import BinEntry, BinKind, bin_entry
from automl.store.shares import Right
from server.access import require
from server.visitor import NotPermitted


def just_deleted(session: Session) -> BinEntry | None:
    """What the request before this one has put into the bin, so that the page can offer to undo it."""
    kind, _, thing_id = request.args.get("deleted", "").partition(" ")
    if kind not in list(BinKind):
        return None
    try:
        entry = bin_entry(session, BinKind(kind), thing_id)
        require(Right.OWN, session, entry.dataset.id)
    except (NotFound, NotPermitted):
        return None
    return entry if entry.deleted_at is not None else None
