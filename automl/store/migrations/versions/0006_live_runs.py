"""What the page of a live run shows and must not forget: its device, the trial in progress, its log, who is told."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("device", sa.String(), nullable=False, server_default=""),
        sa.Column("trying", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("progress_from", sa.Double(), nullable=False, server_default="0"),
        sa.Column("progress_from_s", sa.Double(), nullable=False, server_default="0"),
        sa.Column("notify_email", sa.String(), nullable=False, server_default=""),
        sa.Column("notified_at", UtcDateTime(), nullable=True),
    )


def upgrade() -> None:
    op.create_table(
        "run_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("used_s", sa.Double(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_run_log_run_id", "run_log", ["run_id"])
    with op.batch_alter_table("runs", schema=None) as batch_op:
        for column in _columns():
            batch_op.add_column(column)
    # Nobody wants to be told today of what ended long ago.
    op.execute("UPDATE runs SET notified_at = finished_at WHERE finished_at IS NOT NULL")


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        for column in reversed(_columns()):
            batch_op.drop_column(column.name)
    op.drop_index("ix_run_log_run_id", "run_log")
    op.drop_table("run_log")
