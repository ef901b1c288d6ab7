"""For all tests of the search."""

import pytest
from structlog import testing


@pytest.fixture(autouse=True)
def log():
    """What is logged, as records: to draw the trace of each failed trial on a terminal takes longer than the trials."""
    with testing.capture_logs() as entries:
        yield entries
