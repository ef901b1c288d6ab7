"""The formats of a delivered model, row by row: which are still to be made, which process makes one, and the outcome.

One format of a run is made at a time, under a lease. A claim is known by the number of its lease: a process that has
lost the row to another claim cannot write to it any more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.orm.util import AliasedClass

from automl.errors import LeaseLost
from automl.formats import FORMATS, find_format
from automl.records import ExportState, Proof, RunState
from automl.records.report import FormatReport
from automl.store.database_clock import from_now
from automl.store.tables import Dataset, Export, Run, now
from automl.text.messages import store as store_messages

MAX_ATTEMPTS = 3
"""A format whose process dies so often is not tried again; the next attempt only says so."""


@dataclass(frozen=True, slots=True)
class ExportClaim:
    """The right to make one format.

    Attributes:
        run_id: The run whose model it is.
        format: Name of the format.
        attempt: Counts from 1.
        number: Of the lease; a later claim has a greater one.
    """

    run_id: str
    format: str
    attempt: int
    number: int

    def hold(self, connection: Connection) -> None:
        """The fence of whoever makes it, see `database.Fence`. Raises LeaseLost."""
        row = (Export.run_id == self.run_id, Export.format == self.format, Export.lease_number == self.number)
        if not connection.execute(update(Export).where(*row).values(lease_number=self.number)).rowcount:
            raise LeaseLost


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOutcome:
    """What came of one format.

    Attributes:
        state: Ready or failed.
        key: Where its file is in the artifact store; empty where the bundle holds it anyway.
        n_bytes: Size of that file.
        proof: How it did when it was loaded again and tested; None where there is nothing to prove.
        message: Why it failed, for the user.
    """

    state: ExportState
    key: str = ""
    n_bytes: int = 0
    proof: Proof | None = None
    message: str = ""

    @classmethod
    def failed(cls, message: str) -> "ExportOutcome":
        return cls(state=ExportState.FAILED, message=message)


def add_exports(session: Session, run_id: str) -> list[str]:
    """Adds a row for each format that has none, and returns their names."""
    there = set(session.scalars(select(Export.format).where(Export.run_id == run_id)))
    missing = [one.name for one in FORMATS if one.name not in there]
    session.add_all([Export(run_id=run_id, format=name) for name in missing])
    session.flush()
    return missing


def remove_exports(session: Session, run_id: str, names: Iterable[str]) -> None:
    """Removes rows that no process has begun with."""
    unbegun = and_(Export.state == ExportState.PREPARING, Export.attempts == 0)
    session.execute(delete(Export).where(Export.run_id == run_id, Export.format.in_(list(names)), unbegun))


def retry_exports(session: Session, run_id: str) -> dict[str, str]:
    """Puts the failed formats back among those that are to be made; their messages by name."""
    failed = list(session.scalars(select(Export).where(Export.run_id == run_id, Export.state == ExportState.FAILED)))
    messages = {row.format: row.message for row in failed}
    for row in failed:
        row.state, row.message, row.attempts, row.lease_until = ExportState.PREPARING, "", 0, None
    session.flush()
    return messages


def make_again(export: Export) -> None:
    """Puts a format whose file is gone or damaged back among those that are to be made; the reaper has it made."""
    export.state, export.key, export.n_bytes, export.proof = ExportState.PREPARING, "", 0, None
    export.attempts, export.lease_until = 0, None


def fail_exports_again(session: Session, run_id: str, messages: Mapping[str, str]) -> None:
    """Undoes `retry_exports` for those formats that no process has begun with since."""
    unbegun = and_(Export.state == ExportState.PREPARING, Export.attempts == 0)
    for name, message in messages.items():
        again = update(Export).where(Export.run_id == run_id, Export.format == name, unbegun)
        session.execute(again.values(state=ExportState.FAILED, message=message), execution_options=_SQL)


def claim_export(session: Session, run_id: str, lease_s: float) -> ExportClaim | None:
    """The next format of a finished run, in one atomic statement; None where there is nothing to do.

    There is also nothing to do while another process makes a format of this run, and once its data set is deleted.
    """
    waiting = (Export.run_id == run_id, Export.state == ExportState.PREPARING, _is_free(Export))
    hopeless = update(Export).where(*waiting, Export.attempts > MAX_ATTEMPTS)
    session.execute(
        hopeless.values(state=ExportState.FAILED, message=store_messages.EXPORT_GIVEN_UP, lease_until=None),
        execution_options=_SQL,
    )
    other = aliased(Export)
    first = select(func.min(other.id)).where(
        other.run_id == run_id, other.state == ExportState.PREPARING, _is_free(other)
    )
    claimed = session.execute(
        update(Export)
        .where(*waiting, Export.id == first.scalar_subquery(), ~is_being_made(run_id), _is_wanted(run_id))
        .values(
            attempts=Export.attempts + 1,
            lease_until=from_now(lease_s),
            lease_number=Export.lease_number + 1,
        )
        .returning(Export.format, Export.attempts, Export.lease_number),
        execution_options=_SQL,
    ).one_or_none()
    return ExportClaim(run_id, *claimed) if claimed else None


def find_claim(session: Session, run_id: str, name: str, number: int) -> ExportClaim | None:
    """The claim of this number, if the format is still being made under it."""
    attempt = session.scalar(
        select(Export.attempts).where(
            Export.run_id == run_id,
            Export.format == name,
            Export.state == ExportState.PREPARING,
            Export.lease_number == number,
            ~_is_free(Export),
        )
    )
    return None if attempt is None else ExportClaim(run_id, name, attempt, number)


def renew_export(session: Session, claim: ExportClaim, lease_s: float) -> bool:
    """False if the row is not this claim's any more: settled, lost, or deleted with its data set."""
    return _change(session, claim, {Export.lease_until: from_now(lease_s)}, _is_wanted(claim.run_id))


def hand_back_export(session: Session, claim: ExportClaim, counts: bool) -> bool:
    """Frees the row for the next attempt.

    `counts`: whether this one counts as an attempt; it does not where it was broken off on purpose.
    """
    return _change(session, claim, {Export.lease_until: None, Export.attempts: claim.attempt - (0 if counts else 1)})


def settle_export(session: Session, claim: ExportClaim, outcome: ExportOutcome) -> bool:
    """Writes the outcome. False if the row is not this claim's any more; then nothing is written."""
    values = {
        Export.state: outcome.state,
        Export.key: outcome.key,
        Export.n_bytes: outcome.n_bytes,
        Export.proof: outcome.proof,
        Export.message: outcome.message,
        Export.lease_until: None,
    }
    return _change(session, claim, values, _is_wanted(claim.run_id))


def was_settled(session: Session, claim: ExportClaim) -> bool:
    """True once something has come of this very claim."""
    row = exists().where(
        Export.run_id == claim.run_id,
        Export.format == claim.format,
        Export.lease_number == claim.number,
        Export.state != ExportState.PREPARING,
    )
    return bool(session.scalar(select(row)))


def is_settled(session: Session, claim: ExportClaim) -> bool:
    """True once something has come of this attempt, or of a later one."""
    of_claim = exists().where(Export.run_id == claim.run_id, Export.format == claim.format)
    return bool(
        session.scalar(select(and_(of_claim.where(Export.state != ExportState.PREPARING), _is_wanted(claim.run_id))))
    )


def has_exports_to_make(session: Session, run_id: str) -> bool:
    """True while formats of a finished run are not done yet, whether a process works on them or not."""
    waiting = exists().where(Export.run_id == run_id, Export.state == ExportState.PREPARING)
    return bool(session.scalar(select(and_(waiting, _is_wanted(run_id)))))


def runs_with_idle_exports(session: Session, settle_s: float) -> list[str]:
    """Finished runs with formats to make that no process makes; the longest finished first.

    `settle_s`: a run that ended more recently may still be on its way into the queue.
    """
    waiting = exists().where(Export.run_id == Run.id, Export.state == ExportState.PREPARING)
    query = select(Run.id).where(
        Run.finished_at < now() - timedelta(seconds=settle_s), waiting, ~is_being_made(Run.id), _is_wanted(Run.id)
    )
    return list(session.scalars(query.order_by(Run.finished_at)))


def export_rows(exports: Iterable[Export]) -> list[FormatReport]:
    """What the report of a run says of the formats that are done, in the order of the rows."""
    return [export_row(one.format, one) for one in exports if one.state is not ExportState.PREPARING]


def export_row(name: str, found: Export | ExportOutcome) -> FormatReport:
    """What the report of a run says of one format. Figures that could not be measured are None."""
    proof = found.proof
    return FormatReport(
        format=name,
        title=find_format(name).title,
        n_bytes=proof.n_bytes if proof else None,
        accuracy=proof.accuracy if proof else None,
        agreement=proof.agreement if proof else None,
        largest_difference=proof.largest_difference if proof else None,
        latency_s=proof.latency_s if proof else None,
        is_true=proof is not None and proof.is_true,
        words=found.message or (proof.words if proof else ""),
    )


_SQL = {"synchronize_session": False}  # no row of these is loaded in the session


def _change(
    session: Session,
    claim: ExportClaim,
    values: Mapping[InstrumentedAttribute[Any], object],
    *conditions: ColumnElement[bool],
) -> bool:
    """Changes the row of a claim; False if it is not this claim's any more, or a condition does not hold."""
    changed = session.execute(
        update(Export)
        .where(
            Export.run_id == claim.run_id,
            Export.format == claim.format,
            Export.lease_number == claim.number,
            Export.state == ExportState.PREPARING,
            *conditions,
        )
        .values(values)
        .returning(Export.id),
        execution_options=_SQL,
    ).all()
    return bool(changed)


def _is_free(row: type[Export] | AliasedClass[Export]) -> ColumnElement[bool]:
    """No process makes it now."""
    return or_(row.lease_until.is_(None), row.lease_until < from_now(0.0))


def is_being_made(run_id: str | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Some format of the run is made now. `run_id`: an id, or the column of the statement that has it."""
    other = aliased(Export)
    return exists().where(other.run_id == run_id, other.state == ExportState.PREPARING, ~_is_free(other))


def _is_wanted(run_id: str | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The run has its model, and neither it nor its data set has been deleted. `run_id`: as for `is_being_made`."""
    run = aliased(Run)
    alive = and_(run.dataset_id == Dataset.id, Dataset.deleted_at.is_(None))
    return exists().where(run.id == run_id, run.state == RunState.DONE, run.deleted_at.is_(None), alive)
