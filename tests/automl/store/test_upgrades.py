"""A database of every version so far, with rows in it, is brought up to date and read; a newer one is left alone."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Column, DateTime, Enum, LargeBinary, MetaData, Numeric, String, Table, insert, select, text

from automl import store
from automl.store.database import Database, SchemaAge, TablesTooNew
from automl.store.tables import Base, Dataset, DatasetFile, Run, TrialSummary
from automl.text.messages import operations as operations_messages
from tests.automl.store.test_migrations import differences

MIGRATIONS = Path(store.__file__).parent / "migrations"
REVISIONS = [script.revision for script in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    yield database
    database.close()


def make_tables_of(database: Database, revision: str) -> None:
    """As the version of that time has made them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database._schema_connection() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def value_of(column: Column[Any]) -> Any:
    """Something that a column of an older version may have held."""
    today = Base.metadata.tables[column.table.name].c.get(column.name)
    if isinstance(column.type, JSON):
        return [] if today is not None and today.default is not None and today.default.arg(None) == [] else {}
    if isinstance(today, Column) and isinstance(today.type, Enum):
        return today.type.enums[0]
    for kind, value in ((DateTime, datetime(2026, 1, 2)), (LargeBinary, b"x"), (String, "x"), (Numeric, 1)):
        if isinstance(column.type, kind):
            return value
    return 1


def add_a_row_to(database: Database, table: Table, keys: dict[str, Any]) -> Any:
    """Fills in what must have a value, and what refers to rows of other tables; returns its primary key."""
    row = {}
    for column in table.columns:
        (reference,) = column.foreign_keys or (None,)
        if reference is not None and reference.column.table.name in keys:
            row[column.name] = keys[reference.column.table.name]
        elif not column.nullable:
            row[column.name] = value_of(column)
    with database.engine.begin() as connection:
        return connection.execute(insert(table).values(row)).inserted_primary_key[0]


def add_rows(database: Database) -> list[str]:
    """One to each table; returns the names of the tables."""
    tables = MetaData()
    tables.reflect(database.engine)
    keys: dict[str, Any] = {}
    for table in tables.sorted_tables:
        if table.name in Base.metadata.tables:
            keys[table.name] = add_a_row_to(database, table, keys)
    return list(keys)


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_version_are_read_after_the_upgrade(empty: Database, revision: str) -> None:
    make_tables_of(empty, revision)
    filled = add_rows(empty)
    assert {"datasets", "dataset_files", "runs", "trial_summaries", "artifacts"} <= set(filled)
    empty.migrate()
    assert differences(empty.engine) == []
    with empty.session() as session:
        for mapper in Base.registry.mappers:
            rows = session.scalars(select(mapper.class_)).all()
            assert len(rows) >= (mapper.local_table.name in filled), mapper.local_table.name
            for row in rows:
                for name in mapper.column_attrs.keys():  # noqa: SIM118 - no dict
                    getattr(row, name)
        (dataset,), (file,) = session.scalars(select(Dataset)).all(), session.scalars(select(DatasetFile)).all()
        (run,), (trial,) = session.scalars(select(Run)).all(), session.scalars(select(TrialSummary)).all()
        assert (run.dataset, file.dataset_id, trial.run) == (dataset, dataset.id, run)
        assert dataset.name == file.name == "x"


def test_tables_of_a_newer_version_are_left_alone_and_the_reason_is_told(empty: Database) -> None:
    empty.migrate()
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE darkroom_version SET version_num = '9999'"))
    assert empty.schema_age() is SchemaAge.NEWER
    with pytest.raises(TablesTooNew, match="newer version of Darkroom") as caught:
        empty.migrate()
    assert str(caught.value) == operations_messages.DATABASE_NEWER
    assert empty.schema_age() is SchemaAge.NEWER
