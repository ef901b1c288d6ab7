"""What near copies are found by has the name that it has everywhere else."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.alter_column("look", new_column_name="fingerprint")


def downgrade() -> None:
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.alter_column("fingerprint", new_column_name="look")
