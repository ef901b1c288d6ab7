"""Each lease has a number, a check has one too, and a run has each trial once."""

import sqlalchemy as sa
from alembic import op

from automl.store.column_types import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_UNIQUE = "uq_trial_summaries_run_id_number"


def upgrade() -> None:
    for name in ("runs", "datasets", "exports"):
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.add_column(sa.Column("lease_number", sa.Integer(), nullable=False, server_default="0"))
            if name == "datasets":
                batch_op.add_column(sa.Column("lease_owner", sa.String(), nullable=False, server_default=""))
                batch_op.add_column(sa.Column("lease_until", UtcDateTime(), nullable=True))
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.alter_column("lease_number", server_default=None)
            if name == "datasets":
                batch_op.alter_column("lease_owner", server_default=None)
    trials = sa.table("trial_summaries", sa.column("id"), sa.column("run_id"), sa.column("number"))
    first = sa.select(sa.func.min(trials.c.id)).group_by(trials.c.run_id, trials.c.number)
    # Two workers that had one run at once have told some of its trials twice; what came first was shown first.
    op.execute(sa.delete(trials).where(trials.c.id.not_in(first)))
    with op.batch_alter_table("trial_summaries", schema=None) as batch_op:
        batch_op.create_unique_constraint(_UNIQUE, ["run_id", "number"])


def downgrade() -> None:
    with op.batch_alter_table("trial_summaries", schema=None) as batch_op:
        batch_op.drop_constraint(_UNIQUE, type_="unique")
    for name in ("exports", "datasets", "runs"):
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.drop_column("lease_number")
            if name == "datasets":
                batch_op.drop_column("lease_until")
                batch_op.drop_column("lease_owner")
