"""How a process that works under a lease ends when it may not, or cannot, go on."""

import os
import signal
from typing import NoReturn

import structlog

from automl.errors import AttemptOver, DatabaseAway

AWAY_CODE = 5
"""The exit code of a process that has waited for the database for too long. Nothing is to blame for that."""

_OVER_CODE = 3

_log = structlog.stdlib.get_logger(__name__)


def end_process(reason: AttemptOver | None) -> NoReturn:
    """Ends this process at once, with all that it started.

    Args:
        reason: Why; None where the worker that started it is gone.
    """
    if isinstance(reason, DatabaseAway):
        _log.error("this attempt ends: the database was away for too long")
        os._exit(AWAY_CODE)  # the worker, which waits for the code, then ends the children
    if reason is not None:
        _log.warning("this attempt ends: another one has the lease")
    if os.getpgrp() == os.getpid():  # as in every process that a worker starts
        os.killpg(0, signal.SIGKILL)
    os._exit(_OVER_CODE)
