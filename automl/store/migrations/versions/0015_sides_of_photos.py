"""Photos keep their side of the split in all versions of a data set."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_sides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("sides", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["dataset_versions.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("version_id", "seed", name="uq_dataset_sides_version_id_seed"),
    )
    op.create_index("ix_dataset_sides_dataset_id_seed", "dataset_sides", ["dataset_id", "seed"])


def downgrade() -> None:
    op.drop_index("ix_dataset_sides_dataset_id_seed", table_name="dataset_sides")
    op.drop_table("dataset_sides")
