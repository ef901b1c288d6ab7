"""Data sets are edited and versioned, and each photo keeps what one look at it told."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_edits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dataset_edits_dataset_id", "dataset_edits", ["dataset_id"])
    op.create_table(
        "dataset_versions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("n_images", sa.Integer(), nullable=False),
        sa.Column("n_classes", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dataset_versions_dataset_id", "dataset_versions", ["dataset_id"])
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("given_label", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("format", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("look", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("spread", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("is_gray", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("thumbnail", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("near", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("fault", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deleted_at", UtcDateTime(), nullable=True))
    # What is known of these photos is not enough any more: they must be looked at once more.
    datasets = sa.table("datasets", sa.column("state", sa.String()), sa.column("message", sa.String()))
    again = "Darkroom was updated. Its new check wants to look at these photos once more."
    op.execute(
        sa.update(datasets)
        .where(datasets.c.state.in_(("READY", "INVALID", "CHECKING")))
        .values(state="UPLOADING", message=again)
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version_id", sa.String(), nullable=True))
        batch_op.create_foreign_key("fk_runs_version_id", "dataset_versions", ["version_id"], ["id"])
        batch_op.create_index("ix_runs_version_id", ["version_id"])


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index("ix_runs_version_id")
        batch_op.drop_constraint("fk_runs_version_id", type_="foreignkey")
        batch_op.drop_column("version_id")
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        for name in ("fault", "near", "thumbnail", "is_gray", "spread", "look", "format", "given_label"):
            batch_op.drop_column(name)
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_column("deleted_at")
    op.drop_index("ix_dataset_versions_dataset_id", "dataset_versions")
    op.drop_table("dataset_versions")
    op.drop_index("ix_dataset_edits_dataset_id", "dataset_edits")
    op.drop_table("dataset_edits")
