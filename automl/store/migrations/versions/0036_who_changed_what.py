"""Who changed a data set, and in which order with taking changes back: for changes that contradict each other."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("dataset_edits") as table:
        table.add_column(sa.Column("account_id", sa.String(), nullable=True))
        table.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("undone_by", sa.String(), nullable=True))
        table.add_column(sa.Column("undone_revision", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("dataset_edits") as table:
        table.drop_column("undone_revision")
        table.drop_column("undone_by")
        table.drop_column("revision")
        table.drop_column("account_id")
    op.drop_column("datasets", "revision")
