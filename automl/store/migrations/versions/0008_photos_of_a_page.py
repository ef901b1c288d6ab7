"""Pages find photos by their contents without reading all of a data set, the verdict names those that they show, and
lists tell the score of a run without reading its whole result."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_N_SAMPLES = 8
_MAX_CLASSES = 50

_DATASETS = sa.table("datasets", sa.column("id", sa.String()), sa.column("summary", sa.JSON()), sa.column("deleted_at"))
_RUNS = sa.table("runs", sa.column("result", sa.JSON()), sa.column("test_accuracy"))
_FILES = sa.table(
    "dataset_files",
    sa.column("id", sa.Integer()),
    sa.column("dataset_id", sa.String()),
    sa.column("name", sa.String()),
    sa.column("label", sa.String()),
    sa.column("state", sa.String()),
)


def upgrade() -> None:
    # Not the other way round: SQLite would take it for each question about all photos of a data set, and read them in
    # the order of their contents.
    op.create_index("ix_dataset_files_sha256_dataset_id", "dataset_files", ["sha256", "dataset_id"])
    of_class = ["dataset_id", "state", "label", "name"]
    op.create_index("ix_dataset_files_dataset_id_state_label_name", "dataset_files", of_class)
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("test_accuracy", sa.Double(), nullable=True))
    op.execute(sa.update(_RUNS).values(test_accuracy=_RUNS.c.result[("test", "accuracy")].as_float()))
    connection = op.get_bind()
    for dataset_id in connection.scalars(sa.select(_DATASETS.c.id).where(_DATASETS.c.deleted_at.is_(None))).all():
        of_dataset = _DATASETS.c.id == dataset_id
        summary = connection.scalar(sa.select(_DATASETS.c.summary).where(of_dataset)) or {}
        if 0 < len(summary.get("classes", ())) <= _MAX_CLASSES:
            summary |= {"samples": _samples(connection, dataset_id)}
            connection.execute(sa.update(_DATASETS).where(of_dataset).values(summary=summary))


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_column("test_accuracy")
    op.drop_index("ix_dataset_files_dataset_id_state_label_name", "dataset_files")
    op.drop_index("ix_dataset_files_sha256_dataset_id", "dataset_files")


def _samples(connection: sa.Connection, dataset_id: str) -> dict[str, list[int]]:
    """As the check of this version chooses them: evenly spread over the names of each class."""
    of_dataset = sa.and_(_FILES.c.dataset_id == dataset_id, _FILES.c.state == "ACCEPTED")
    ids: dict[str, list[int]] = {}
    files = sa.select(_FILES.c.label, _FILES.c.id).where(of_dataset).order_by(_FILES.c.name, _FILES.c.id)
    for label, number in connection.execute(files):
        ids.setdefault(label, []).append(number)
    return {label: _spread(numbers) for label, numbers in ids.items()}


def _spread(ids: list[int]) -> list[int]:
    n = min(_N_SAMPLES, len(ids))
    return [ids[-(-i * len(ids) // n)] for i in range(n)]
