"""Waiting for a database that is away for a while: restarted, replaced by another one, or locked by somebody."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from automl.errors import DatabaseAway

PATIENCE_S = 90.0
"""How long work in the background waits for the database before its attempt ends."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_SQLITE_IS_AWAY = frozenset({5, 6, 10, 14, 15})  # busy, locked, reading failed, cannot be opened, lock protocol

_P = ParamSpec("_P")
_T = TypeVar("_T")

_log = structlog.stdlib.get_logger(__name__)


def is_away(error: DBAPIError) -> bool:
    """Whether this says that the database does not answer now, and not that something was asked wrongly."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    return isinstance(error, OperationalError | InterfaceError) and (code is None or code & 0xFF in _SQLITE_IS_AWAY)


def patiently(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Has `work` begin anew while the database is away, for up to `PATIENCE_S`, with growing pauses.

    `work` must be one transaction and what leads to it. The connection may have been lost in the moment of a commit, so
    work that is done already must do no harm if it is done again.

    Raises:
        DatabaseAway: it was away for longer.
    """

    @wraps(work)
    def patient(*arguments: _P.args, **options: _P.kwargs) -> _T:
        deadline_s, pause_s = time.monotonic() + PATIENCE_S, _FIRST_PAUSE_S
        while True:
            try:
                return work(*arguments, **options)
            except DBAPIError as error:
                if not is_away(error):
                    raise
                if time.monotonic() > deadline_s:
                    raise DatabaseAway from error
                _log.warning("the database does not answer", reason=type(error.orig).__name__)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    return patient
