import logging
from collections.abc import Iterator

import pytest
import structlog
from xdist.scheduler import LoadFileScheduling

from automl.logs import StandardError

_STACK_TESTS = "tests/end_to_end/"


@pytest.fixture(autouse=True)
def logging_of_its_own() -> Iterator[None]:
    """A test that sets up logging, as the command line and the processes do, leaves nothing of it to the next one."""
    yield
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, StandardError)]:
        root.removeHandler(handler)
        root.setLevel(logging.WARNING)
        structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class _ByFixtures(LoadFileScheduling):
    """Gives the tests of one file to one process, and all that need the whole stack to the same one.

    They share the stack and a finished run, which would otherwise be started and trained in each process.
    """

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return _STACK_TESTS if scope.startswith(_STACK_TESTS) else scope


@pytest.hookimpl(optionalhook=True)  # pytest-xdist calls it
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    return _ByFixtures(config, log)
