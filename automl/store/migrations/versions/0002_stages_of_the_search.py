"""Trials say which stage of the search they belong to, and how large and how fast their model is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("trial_summaries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stage", sa.String(), nullable=False, server_default="heads"))
        batch_op.add_column(sa.Column("n_bytes", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("latency_s", sa.Double(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("epochs", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("trial_summaries", schema=None) as batch_op:
        for column in ("epochs", "latency_s", "n_bytes", "stage"):
            batch_op.drop_column(column)
