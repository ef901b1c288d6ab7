"""Data sets and single runs go into a bin, from which they can be put back until they are removed."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("removal_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deleted_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("removal_at", UtcDateTime(), nullable=True))
    # Without a bin, whatever was deleted was to be removed at once.
    op.execute("UPDATE datasets SET removal_at = deleted_at WHERE deleted_at IS NOT NULL")


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_column("removal_at")
        batch_op.drop_column("deleted_at")
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_column("removal_at")
