"""The trials that an ensemble averages are a column of their own: they were written among the parameters that a tuner
chose."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MEMBERS = "members"
_TRIALS = sa.table(
    "trial_summaries",
    sa.column("id", sa.Integer()),
    sa.column("stage", sa.String()),
    sa.column("params", sa.JSON()),
    sa.column("parts", sa.JSON()),
)


def upgrade() -> None:
    with op.batch_alter_table("trial_summaries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parts", sa.JSON(), nullable=False, server_default="[]"))
    for trial_id, params, _parts in _ensembles():
        if _MEMBERS in params:
            parts = [int(number) for number in str(params.pop(_MEMBERS)).split("+")]
            _write(trial_id, params=params, parts=parts)


def downgrade() -> None:
    for trial_id, params, parts in _ensembles():
        if parts:
            _write(trial_id, params={**params, _MEMBERS: "+".join(str(number) for number in parts)})
    with op.batch_alter_table("trial_summaries", schema=None) as batch_op:
        batch_op.drop_column("parts")


def _ensembles() -> list[tuple[int, dict[str, object], list[int]]]:
    columns = sa.select(_TRIALS.c.id, _TRIALS.c.params, _TRIALS.c.parts).where(_TRIALS.c.stage == "blend")
    return [(row.id, dict(row.params), list(row.parts)) for row in op.get_bind().execute(columns)]


def _write(trial_id: int, **values: object) -> None:
    op.get_bind().execute(sa.update(_TRIALS).where(_TRIALS.c.id == trial_id).values(**values))
