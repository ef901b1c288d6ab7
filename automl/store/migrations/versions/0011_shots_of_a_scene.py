"""What tells shots of one scene apart, and which photos are the same shot."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("detail", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("original", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("shot", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.drop_column("shot")
        batch_op.drop_column("original")
        batch_op.drop_column("detail")
