"""Keeps a change of a data set from undoing one that its author has not seen: somebody else's, or from another window.

Every change raises `Dataset.revision`. Forms send the revision that their page shows as `seen`. What contradicts a
change that came after it is not done; the answer says what came, and offers to do it all the same. Programs send the
revision as `If-Match` where they want to change nothing that they have not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import request
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from automl.datasets.edit_conflicts import contradict
from automl.datasets.edits import Edit, read_edit
from automl.errors import NotAllowedNow, UserError
from automl.store.tables import Account, Dataset, DatasetEdit
from automl.text.messages import server as server_messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody did to a data set.

    Attributes:
        words: What it was.
        is_undone: Whether he took it back.
        who: His name; empty where nobody needs an account, or his is closed.
        at: When he did it.
    """

    words: str
    is_undone: bool
    who: str
    at: datetime


class EditConflict(UserError):
    """What a form asks for contradicts what was changed since its page was shown; nothing was done.

    Attributes:
        wanted: What it asks for, in words.
        changes: What was changed, in order.
        revision: Of the data set now.
    """

    code = "edit_conflict"

    def __init__(self, wanted: str, changes: Sequence[Change], revision: int) -> None:
        super().__init__(server_messages.CHANGED_MEANWHILE)
        self.wanted, self.changes, self.revision = wanted, tuple(changes), revision


class Outdated(UserError):
    """A program has not read the data set as it is now, and said that this matters; nothing was done."""

    code = "outdated"


def refuse_outdated(dataset: Dataset) -> None:
    """Raises Outdated where the request's `If-Match` names another revision."""
    if request.if_match and not request.if_match.contains(str(dataset.revision)):
        raise Outdated(server_messages.OUTDATED)


def refuse_conflict(session: Session, dataset: Dataset, edit: Edit, *, undoes: bool = False) -> None:
    """Compares an edit with what was changed after the revision that the request's form has seen.

    Args:
        session: Its transaction makes the edit, so nothing else can come between.
        dataset: The data set.
        edit: What is to be done.
        undoes: Whether it is to be undone instead.

    Raises:
        EditConflict: Some of it contradicts the edit.
    """
    seen = request.form.get("seen", type=int)
    if seen is None or seen >= dataset.revision:
        return
    since = or_(DatasetEdit.revision > seen, DatasetEdit.undone_revision > seen)
    rows = session.scalars(select(DatasetEdit).where(DatasetEdit.dataset_id == dataset.id, since)).all()
    found = []
    for row in rows:
        if row.undone_at is not None and row.revision > seen:
            continue  # it came and went meanwhile
        theirs = read_edit(row.kind, row.values, row.title)
        is_undone = row.undone_at is not None
        if contradict(edit, theirs, is_undone=undoes or is_undone):
            found.append((row.undone_revision or row.revision, _change(session, row)))
    if found:
        changes = [change for _, change in sorted(found, key=lambda one: one[0])]
        wanted = server_messages.UNDOING.format(title=edit.title) if undoes else edit.title
        raise EditConflict(wanted, changes, dataset.revision)


def refuse_other_name(wanted: str, name: str) -> None:
    """Compares a new name of something with the one that it has, where the request's form says which that `was`.

    Raises:
        NotAllowedNow: Somebody has given it another one meanwhile.
    """
    was = request.form.get("was")
    if was is not None and name not in (was, wanted):
        raise NotAllowedNow(server_messages.NAMED_MEANWHILE.format(name=name))


def _change(session: Session, row: DatasetEdit) -> Change:
    is_undone = row.undone_at is not None
    account_id = row.undone_by if is_undone else row.account_id
    account = session.get(Account, account_id) if account_id else None
    return Change(
        words=row.title,
        is_undone=is_undone,
        who="" if account is None else account.shown_name,
        at=row.undone_at or row.created_at,
    )
