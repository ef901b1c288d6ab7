"""Pages find photos by their contents without reading all of a data set, and the verdict names those that they show."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_N_SAMPLES = 8
_MAX_CLASSES = 50

_DATASETS = sa.table("datasets", sa.column("id", sa.String()), sa.column("summary", sa.JSON()))
_FILES = sa.table(
    "dataset_files",
    sa.column("id", sa.Integer()),
    sa.column("dataset_id", sa.String()),
    sa.column("name", sa.String()),
    sa.column("label", sa.String()),
    sa.column("state", sa.String()),
)


def upgrade() -> None:
    op.create_index("ix_dataset_files_dataset_id_sha256", "dataset_files", ["dataset_id", "sha256"])
    connection = op.get_bind()
    for dataset_id, summary in connection.execute(sa.select(_DATASETS.c.id, _DATASETS.c.summary)).all():
        if 0 < len((summary or {}).get("classes", ())) <= _MAX_CLASSES:
            summary |= {"samples": _samples(connection, dataset_id)}
            connection.execute(sa.update(_DATASETS).where(_DATASETS.c.id == dataset_id).values(summary=summary))


def downgrade() -> None:
    op.drop_index("ix_dataset_files_dataset_id_sha256", "dataset_files")


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
