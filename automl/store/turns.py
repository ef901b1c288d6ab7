"""Those who change a data set, or start something on it, take turns."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from automl.store.database import find_dataset
from automl.store.tables import Dataset


def take_turn(session: Session, dataset_id: str) -> Dataset:
    """The data set, which nobody else changes until this transaction ends. Must come before any other statement.

    It begins with a write that changes nothing: for a read SQLite's driver opens no transaction, so what was read could
    be out of date before the first real write. PostgreSQL locks the row.

    Raises:
        NotFound: no such data set, or it is deleted.
    """
    session.execute(update(Dataset).where(Dataset.id == dataset_id).values(name=Dataset.name))
    return find_dataset(session, dataset_id)
