from collections.abc import Iterator

import pytest

from automl.settings import Settings
from automl.store.database import Database


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database that the settings name: these tests start processes, which find it by their settings."""
    database = Database(settings.database_url)
    database.migrate()
    yield database
    database.close()
