"""Whose a data set is, and who else may see it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from automl.store.shares import shares_of
from automl.store.tables import Account, Dataset, DatasetShare


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesView:
    """What the page of a data set says of that.

    Attributes:
        owner: Whose it is; None where it was made while nobody needed an account.
        shares: Who else may see it.
    """

    owner: Account | None
    shares: tuple[DatasetShare, ...]


def view_shares(session: Session, dataset: Dataset) -> SharesView:
    owner = session.get(Account, dataset.owner_id) if dataset.owner_id else None
    return SharesView(owner=owner, shares=tuple(shares_of(session, dataset.id)))
