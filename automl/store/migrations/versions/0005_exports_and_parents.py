"""A delivered model in several formats, and runs that follow another one."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column(
            "state", sa.Enum("PREPARING", "READY", "FAILED", name="exportstate", native_enum=False), nullable=False
        ),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "format", name="uq_exports_run_id_format"),
    )
    op.create_index("ix_exports_run_id", "exports", ["run_id"])
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parent_id", sa.String(), nullable=True))
        batch_op.create_foreign_key("fk_runs_parent_id", "runs", ["parent_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_constraint("fk_runs_parent_id", type_="foreignkey")
        batch_op.drop_column("parent_id")
    op.drop_index("ix_exports_run_id", "exports")
    op.drop_table("exports")
