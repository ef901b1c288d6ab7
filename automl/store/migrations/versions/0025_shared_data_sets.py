"""Who else may see a data set."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_shares",
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("may_change", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"]),
        sa.PrimaryKeyConstraint("dataset_id", "account_id"),
    )
    op.create_index("ix_dataset_shares_account_id", "dataset_shares", ["account_id"])


def downgrade() -> None:
    op.drop_index("ix_dataset_shares_account_id", table_name="dataset_shares")
    op.drop_table("dataset_shares")
