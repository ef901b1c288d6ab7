"""Whose things are, in lists where those of several people stand."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.store.tables import Account, Dataset
from server.visitor import visitor


def owners_of(session: Session, datasets: Iterable[Dataset]) -> Mapping[str, str]:
    """The names of the owners of data sets, by the id of the data set.

    What is the visitor's own is left out, and so is what was made while nobody needed an account.
    """
    own_id = visitor().account_id
    owner_ids = {dataset.id: dataset.owner_id for dataset in datasets if dataset.owner_id not in (None, own_id)}
    found = session.scalars(select(Account).where(Account.id.in_(set(owner_ids.values()))))
    names = {account.id: account.shown_name for account in found if not account.is_closed}
    return {dataset_id: names[owner_id] for dataset_id, owner_id in owner_ids.items() if owner_id in names}
