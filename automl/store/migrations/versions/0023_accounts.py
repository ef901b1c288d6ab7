"""Accounts, and whose data sets and runs are."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_COLUMNS = {"datasets": "owner_id", "runs": "started_by_id"}


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.Enum("ADMINISTRATOR", "MEMBER", "VIEWER", name="role", native_enum=False), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email", name="uq_accounts_email"),
    )
    for table, column in _COLUMNS.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column(column, sa.String(), nullable=True))
            batch_op.create_index(f"ix_{table}_{column}", [column])
            batch_op.create_foreign_key(f"fk_{table}_{column}_accounts", "accounts", [column], ["id"])


def downgrade() -> None:
    for table, column in _COLUMNS.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(f"fk_{table}_{column}_accounts", type_="foreignkey")
            batch_op.drop_index(f"ix_{table}_{column}")
            batch_op.drop_column(column)
    op.drop_table("accounts")
