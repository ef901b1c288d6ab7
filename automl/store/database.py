"""The database: its engine, its sessions, and the two rows from which all others are reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session, joinedload, sessionmaker

from automl.errors import NotFound
from automl.store.tables import Dataset, Run
from automl.text.messages import store as store_messages


class Database:
    """An engine and its sessions. No connection is opened before the first session.

    Args:
        url: Address of the database, as SQLAlchemy writes it. The folder of an SQLite file is made.
    """

    def __init__(self, url: str) -> None:
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        self.url = url
        self.engine: Engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _tune_sqlite)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def migrate(self) -> None:
        """Creates or upgrades the tables. Safe to call from several processes, one after the other."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._schema_connection() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _schema_connection(self) -> Iterator[Connection]:
        """A transaction in which SQLite lets a table be replaced although rows of other tables refer to it."""
        with self.engine.connect() as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            for switch in ("OFF", "ON"):
                if is_sqlite:
                    connection.exec_driver_sql(f"PRAGMA foreign_keys={switch}")
                    connection.commit()  # the switch does nothing within a transaction
                if switch == "OFF":
                    with connection.begin():
                        yield connection

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on an exception."""
        with self._sessions.begin() as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # WAL: pages read while the worker writes. The time-out covers Optuna's longer transactions in the same file.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=15000")
    connection.execute("PRAGMA foreign_keys=ON")


def find_run(session: Session, run_id: str) -> Run:
    """A run with its data set.

    Raises:
        NotFound: There is no such run, or its data set is deleted.
    """
    run = session.get(Run, run_id, options=[joinedload(Run.dataset)])
    if run is None or run.dataset.deleted_at is not None:
        raise NotFound(store_messages.NO_RUN)
    return run


def find_dataset(session: Session, dataset_id: str) -> Dataset:
    """A data set.

    Raises:
        NotFound: There is no such data set, or it is deleted.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.deleted_at is not None:
        raise NotFound(store_messages.NO_DATA_SET)
    return dataset
