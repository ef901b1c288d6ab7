"""Browsers in which somebody has signed in, and links that work once."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0024"
down_revision = "0026"
branch_labels = None
depends_on = None

_ROLE = sa.Enum("ADMINISTRATOR", "MEMBER", "VIEWER", name="role", native_enum=False)
_PURPOSE = sa.Enum("SETUP", "INVITATION", "PASSWORD", name="linkpurpose", native_enum=False)


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash", name="uq_sign_ins_token_hash"),
    )
    op.create_index("ix_sign_ins_account_id", "sign_ins", ["account_id"])
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("purpose", _PURPOSE, nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("role", _ROLE, nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash", name="uq_one_time_links_token_hash"),
    )
    op.create_index("ix_one_time_links_account_id", "one_time_links", ["account_id"])


def downgrade() -> None:
    op.drop_index("ix_one_time_links_account_id", table_name="one_time_links")
    op.drop_table("one_time_links")
    op.drop_index("ix_sign_ins_account_id", table_name="sign_ins")
    op.drop_table("sign_ins")
