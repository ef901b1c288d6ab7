"""When data sets were last said to be kept, and when their owner was warned that they go into the bin."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0026"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kept_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("warned_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_column("warned_at")
        batch_op.drop_column("kept_at")
