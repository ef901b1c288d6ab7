from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.records import RunState
from automl.store.database import Database
from automl.store.tables import Dataset, Run
from tests.postgresql_server import empty_database, running_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with running_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.sqlite3'}"
    else:
        with empty_database(request.getfixturevalue("postgresql")) as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
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
