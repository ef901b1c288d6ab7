from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from automl.store.database import Base, Database


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        options = {"compare_type": True, "version_table": "darkroom_version"}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def test_the_migrations_make_exactly_the_tables_that_the_code_has(database: Database) -> None:
    assert differences(database.engine) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    database.migrate()
    assert differences(database.engine) == []


def test_optunas_version_table_is_left_alone(database: Database) -> None:
    tables = inspect(database.engine).get_table_names()
    assert "darkroom_version" in tables
    assert "alembic_version" not in tables
