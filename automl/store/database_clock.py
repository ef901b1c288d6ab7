"""The clock of the database, by which every lease is given and ends: those of several machines may differ."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from automl.store.column_types import UtcDateTime


class from_now(FunctionElement[datetime]):
    """The moment that is so many seconds from now, which may be 0 or negative, for use in a statement."""

    name = "from_now"
    inherit_cache = True
    type = UtcDateTime()


@compiles(from_now, "sqlite")
def _in_sqlite(element: from_now, compiler: SQLCompiler, **options: Any) -> str:
    # Written as SQLAlchemy writes a moment: SQLite compares them as text.
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"


@compiles(from_now, "postgresql")
def _in_postgresql(element: from_now, compiler: SQLCompiler, **options: Any) -> str:
    # Its now() is when the transaction began, which may have waited for a lock since.
    return f"clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)})"
