"""The database: its engine, its sessions, and the two rows from which all others are reached."""

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.orm import Session, SessionTransaction, joinedload, scoped_session, sessionmaker

from automl.errors import DarkroomError, InBin, NotFound
from automl.store.tables import Dataset, Run, now
from automl.text.messages import operations as operations_messages
from automl.text.messages import store as store_messages
from automl.text.moments import moment_in_words

Fence = Callable[[Connection], None]
"""Makes sure, at the beginning of a transaction, that the lease which is written under is still the writer's, and that
nobody takes it before the transaction has ended.

Raises:
    LeaseLost: It is not.
"""

_CONNECT_S = 5
_NO_ANSWER_MS = 10_000
_NOBODY_HOLDS_UP = "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=15000"
"""A process that was frozen within a transaction keeps its rows from the others for a minute at most (PostgreSQL)."""

VERSION_TABLE = "darkroom_version"
"""Where the version of the tables stands: Optuna keeps its own in `alembic_version` of the same database."""

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaAge(enum.Enum):
    """What the tables are, as this version of Darkroom sees them."""

    NONE = "none"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


class TablesTooNew(DarkroomError):
    """The tables were made by a newer version of Darkroom, which this one would damage."""


class Database:
    """An engine and its sessions. No connection is opened before the first session.

    Args:
        url: Address of the database, as SQLAlchemy writes it. The folder of an SQLite file is made.
    """

    def __init__(self, url: str) -> None:
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        self.url = url
        self.engine: Engine = create_engine(url, **engine_options(url))
        quieten(self.engine)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _tune_sqlite)
        self._fences: tuple[Fence, ...] = ()
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def fenced(self, fence: Fence) -> "Database":
        """The same database for whoever writes under a lease: no transaction begins without `fence`.

        What is fenced already is fenced twice. The engine is shared.
        """
        twin = object.__new__(Database)
        twin.url, twin.engine, twin._fences = self.url, self.engine, (*self._fences, fence)
        twin._sessions = sessionmaker(self.engine, expire_on_commit=False)
        twin.fence_others(twin._sessions)
        return twin

    def fence_others(self, sessions: sessionmaker[Session] | scoped_session[Session]) -> None:
        """Has the fences of this database hold for the sessions of a library, too."""
        for fence in self._fences:
            event.listen(sessions, "after_begin", _beginning_with(fence))

    def migrate(self) -> None:
        """Creates or upgrades the tables. Safe to call from several processes, one after the other.

        Raises:
            TablesTooNew: A newer version of Darkroom has made them. Nothing was changed.
        """
        if self.schema_age() is SchemaAge.NEWER:
            raise TablesTooNew(operations_messages.DATABASE_NEWER)
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self._schema_connection() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def schema_age(self) -> "SchemaAge":
        """Whether the tables are those of this version of Darkroom.

        Raises:
            SQLAlchemyError: The database does not answer.
        """
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        with self.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
            revision = context.get_current_revision()
        scripts = ScriptDirectory(str(_MIGRATIONS))
        if revision is None:
            return SchemaAge.NONE
        if revision == scripts.get_current_head():
            return SchemaAge.CURRENT
        known = {script.revision for script in scripts.walk_revisions()}
        return SchemaAge.OLDER if revision in known else SchemaAge.NEWER

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


def engine_options(url: str) -> dict[str, Any]:
    """How an engine is made that may find the database restarted, and that tells nobody what was asked of it."""
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        patience = {"connect_timeout": _CONNECT_S, "tcp_user_timeout": _NO_ANSWER_MS, "options": _NOBODY_HOLDS_UP}
        options["connect_args"] = {name: value for name, value in patience.items() if name not in address.query}
    return options


def quieten(engine: Engine) -> None:
    """What an error of this engine says goes into logs: from now on it holds neither statements nor their values."""

    def forget_statement(context: ExceptionContext) -> None:
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.statement = None
            context.sqlalchemy_exception.params = None

    event.listen(engine, "handle_error", forget_statement)


def _beginning_with(fence: Fence) -> Callable[[Session, SessionTransaction, Connection], None]:
    return lambda _session, _transaction, connection: fence(connection)


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # WAL: pages read while the worker writes. The time-out covers Optuna's longer transactions in the same file.
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL: what somebody was told is on the disk, also after the power has failed.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=15000")
    connection.execute("PRAGMA foreign_keys=ON")


def find_run(session: Session, run_id: str) -> Run:
    """A run with its data set, for all that users see and do.

    Raises:
        NotFound: There is no such run.
        InBin: It is in the bin, or its data set is.
    """
    run = known_run(session, run_id)
    for thing in (run, run.dataset):
        if thing.deleted_at is not None:
            raise _deleted(thing)
    return run


def known_run(session: Session, run_id: str) -> Run:
    """A run with its data set, also from the bin: the worker ends a run that was deleted while it was under way.

    Raises:
        NotFound: There is no such run.
    """
    run = session.get(Run, run_id, options=[joinedload(Run.dataset)])
    if run is None:
        raise NotFound(store_messages.NO_RUN)
    return run


def find_dataset(session: Session, dataset_id: str) -> Dataset:
    """A data set.

    Raises:
        NotFound: There is no such data set.
        InBin: It is in the bin.
    """
    dataset = known_dataset(session, dataset_id)
    if dataset.deleted_at is not None:
        raise _deleted(dataset)
    return dataset


def known_dataset(session: Session, dataset_id: str) -> Dataset:
    """A data set, also from the bin.

    Raises:
        NotFound: There is no such data set.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFound(store_messages.NO_DATA_SET)
    return dataset


def _deleted(thing: Dataset | Run) -> NotFound:
    """What is said of a deleted data set or run: that it can be put back, as long as it can."""
    is_run = isinstance(thing, Run)
    if thing.removal_at is None or thing.removal_at <= now():
        return NotFound(store_messages.NO_RUN if is_run else store_messages.NO_DATA_SET)
    message = store_messages.RUN_IN_BIN if is_run else store_messages.DATA_SET_IN_BIN
    return InBin(message.format(until=moment_in_words(thing.removal_at)))
