"""Requests that change a data set, or start something on it, take turns."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from automl.store.database import find_dataset
from automl.store.tables import Dataset


def take_turn(session: Session, dataset_id: str) -> Dataset:
    """The data set, which no other transaction changes until this one ends. Must come before any other statement.

    Raises:
        NotFound: There is no such data set, or it is deleted.
    """
    lock_dataset(session, dataset_id)
    return find_dataset(session, dataset_id)


def lock_dataset(session: Session, dataset_id: str) -> None:
    """From here on no other transaction changes the data set, which may be in the bin, until this one ends."""
    # A write that changes nothing comes first: for a read SQLite's driver opens no transaction, so what was read could
    # be out of date before the first real write. PostgreSQL locks the row.
    session.execute(update(Dataset).where(Dataset.id == dataset_id).values(name=Dataset.name))
