"""Which tests may run at the same time where two processes share them (`pytest -n 2 --dist loadgroup`)."""

from collections.abc import Sequence

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """A file stays in one process, for its fixtures. What starts servers or a browser goes one by one."""
    for item in items:
        is_large = item.get_closest_marker("stack") or item.get_closest_marker("browser")
        item.add_marker(pytest.mark.xdist_group("large" if is_large else str(item.path)))
