"""Alembic's entry: runs the migrations on the connection that `Database.migrate` opened."""

from alembic import context

from automl.store.tables import Base

# Optuna keeps its own revision in `alembic_version` of the same database.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table="darkroom_version",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
