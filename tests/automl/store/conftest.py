from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.records import RunState
from automl.store.database import Database, Dataset, Run


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    database.migrate()
    yield database
    database.close()


def add_run(database: Database, state: RunState = RunState.QUEUED) -> str:
    with database.session() as session:
        run = Run(dataset=Dataset(name="pets"), state=state, budget_s=60.0)
        session.add(run)
        session.flush()
        return run.id


@pytest.fixture
def run_id(database: Database) -> str:
    return add_run(database)
