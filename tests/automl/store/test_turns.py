"""One changes a data set, the others wait: in either kind of database."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from automl.errors import NotFound
from automl.store.database import Database, find_dataset
from automl.store.tables import Dataset, now
from automl.store.turns import take_turn

WAIT_FOR_NOBODY = {"sqlite": "PRAGMA busy_timeout=0", "postgresql": "SET LOCAL lock_timeout = '1ms'"}


@pytest.fixture
def dataset_id(database: Database) -> str:
    with database.session() as session:
        dataset = Dataset(name="pets")
        session.add(dataset)
        session.flush()
        return dataset.id


def test_nobody_else_begins_before_a_turn_has_ended(database: Database, dataset_id: str) -> None:
    with database.session() as first:
        take_turn(first, dataset_id).name = "dogs"
        with pytest.raises(OperationalError, match="lock"), database.session() as second:
            second.execute(text(WAIT_FOR_NOBODY[database.engine.dialect.name]))
            take_turn(second, dataset_id)
    with database.session() as third:
        assert take_turn(third, dataset_id).name == "dogs"


def test_there_is_no_turn_on_what_is_deleted(database: Database, dataset_id: str) -> None:
    with database.session() as session:
        find_dataset(session, dataset_id).deleted_at = now()
    for missing in (dataset_id, "nobody"):
        with pytest.raises(NotFound), database.session() as session:
            take_turn(session, missing)
