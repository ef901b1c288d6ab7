"""A database that is away for a while, and what is told of that."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from automl.errors import DatabaseAway
from automl.store import patience
from automl.store.database import Database
from automl.store.patience import is_away, patiently
from automl.store.tables import Dataset


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A database that waits for nobody by itself."""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    database.migrate()
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=1"))
    database.engine.dispose()
    yield database
    database.close()


@contextmanager
def locked(database: Database, seconds: float) -> Iterator[None]:
    """Somebody else writes to the database for so long."""
    connection = sqlite3.connect(database.engine.url.database, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    release = threading.Timer(seconds, connection.rollback)
    release.start()
    try:
        yield
    finally:
        release.join()
        connection.close()


def add_dataset(database: Database, name: str = "pets") -> None:
    with database.session() as session:
        session.add(Dataset(name=name))


def names(database: Database) -> list[str]:
    with database.session() as session:
        return [dataset.name for dataset in session.query(Dataset)]


def test_work_waits_for_a_database_that_is_locked_and_is_done_once(sqlite: Database) -> None:
    with locked(sqlite, 0.6):
        with pytest.raises(OperationalError):
            add_dataset(sqlite)
        patiently(add_dataset)(sqlite)
    assert names(sqlite) == ["pets"]


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


def away() -> OperationalError:
    return OperationalError("SELECT secret", {"name": "secret"}, Exception("server closed the connection"))


def test_a_connection_that_is_lost_again_and_again_is_made_again() -> None:
    began_s = time.monotonic()
    assert patiently(failing(away(), away()))() == "done"
    assert time.monotonic() - began_s >= 0.3  # the pauses grow


def test_what_was_asked_wrongly_is_not_asked_again(sqlite: Database) -> None:
    wrong = IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))
    with pytest.raises(IntegrityError):
        patiently(failing(wrong))()
    with pytest.raises(OperationalError) as caught, sqlite.session() as session:
        session.execute(text("SELECT * FROM nowhere"))
    assert not is_away(caught.value)


def test_nobody_waits_for_ever_and_no_exception_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.2)
    with pytest.raises(DatabaseAway) as caught:
        patiently(failing(*(away() for _ in range(50))))()
    assert not isinstance(caught.value, Exception)  # so that a trial that it ends does not count as failed


def test_an_error_tells_neither_statement_nor_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.session() as session:
        session.execute(text("SELECT :word FROM nowhere"), {"word": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "[SQL" not in str(caught.value)
    with pytest.raises(IntegrityError) as caught_too, database.session() as session:
        session.execute(text("INSERT INTO datasets (id, name) VALUES (:id, :name)"), {"id": "1", "name": "hunter2"})
    assert "hunter2" not in str(caught_too.value).partition("DETAIL")[0]
    assert "[SQL" not in str(caught_too.value)
