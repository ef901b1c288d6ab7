import logging
from collections.abc import Iterator

import pytest
import structlog

from automl.logs import StandardError


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
