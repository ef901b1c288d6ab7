"""A run says which trial its best score belongs to: scores of different stages do not compare."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("best_trial", sa.Integer(), nullable=True))
    runs = sa.table("runs", sa.column("id"), sa.column("result", sa.JSON()), sa.column("best_trial"))
    connection = op.get_bind()
    for run_id, result in connection.execute(sa.select(runs.c.id, runs.c.result)).all():
        if winner := (result or {}).get("winner"):
            connection.execute(sa.update(runs).where(runs.c.id == run_id).values(best_trial=winner["trial"]))


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_column("best_trial")
