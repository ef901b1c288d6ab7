"""Alembic's entry: runs the migrations on the connection that `Database.migrate` opened."""

from alembic import context

from automl.store.database import VERSION_TABLE
from automl.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
