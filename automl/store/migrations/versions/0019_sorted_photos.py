"""Photos that a model has sorted, and where the photos of a data set come from."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0019"
down_revision = "0016"
branch_labels = None
depends_on = None

_ORIGINS = sa.Enum("UPLOADED", "CONFIRMED", "UNSEEN", name="origin", native_enum=False)
_DECISIONS = sa.Enum("OPEN", "CLASS", "UNSURE", "NONE", name="decision", native_enum=False)


def upgrade() -> None:
    op.create_table(
        "sortings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sortings_run_id", "sortings", ["run_id"])
    op.create_index("ix_sortings_changed_at", "sortings", ["changed_at"])
    op.create_table(
        "sorted_photos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sorting_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("thumbnail", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("probabilities", sa.LargeBinary(), nullable=False),
        sa.Column("is_foreign", sa.Boolean(), nullable=True),
        sa.Column("decision", _DECISIONS, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["sorting_id"], ["sortings.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sorted_photos_sorting_id_confidence", "sorted_photos", ["sorting_id", "confidence"])
    op.create_index("ix_sorted_photos_sorting_id_name", "sorted_photos", ["sorting_id", "name"])
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", _ORIGINS, nullable=False, server_default="UPLOADED"))
    with op.batch_alter_table("dataset_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("n_confirmed", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("n_unseen", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("dataset_versions", schema=None) as batch_op:
        batch_op.drop_column("n_unseen")
        batch_op.drop_column("n_confirmed")
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.drop_column("origin")
    op.drop_index("ix_sorted_photos_sorting_id_name", table_name="sorted_photos")
    op.drop_index("ix_sorted_photos_sorting_id_confidence", table_name="sorted_photos")
    op.drop_table("sorted_photos")
    op.drop_index("ix_sortings_changed_at", table_name="sortings")
    op.drop_index("ix_sortings_run_id", table_name="sortings")
    op.drop_table("sortings")
