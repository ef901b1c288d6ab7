"""The formats of a delivered model, row by row: which are still to be made, who makes one, and what came of it.

One format of a run is made at a time, under a lease. A claim is known by its attempt: whoever lost the row to another
attempt cannot write to it any more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from automl.formats import FORMATS, find_format
from automl.records import ExportState, RunState
from automl.records.report import FormatReport
from automl.store.tables import Dataset, Export, Run, now

MAX_ATTEMPTS = 3
"""A format whose process dies so often is not tried again; the next attempt only says so."""

GIVEN_UP = (
    "The program that makes this format was stopped three times, most often because the computer ran out of memory. "
    "Close other programs and try again."
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one format. `attempt` counts from 1."""

    run_id: str
    format: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one format: the fields of its row. `proof`: {} where there is nothing to prove."""

    state: ExportState
    key: str = ""
    n_bytes: int = 0
    proof: Mapping[str, Any] | None = None
    message: str = ""

    @classmethod
    def failed(cls, message: str) -> "Outcome":
        return cls(ExportState.FAILED, message=message)

    def values(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "key": self.key,
            "n_bytes": self.n_bytes,
            "proof": dict(self.proof or {}),
            "message": self.message,
        }


def add_exports(session: Session, run_id: str) -> list[str]:
    """Adds a row for each format that has none, and returns their names."""
    there = set(session.scalars(select(Export.format).where(Export.run_id == run_id)))
    missing = [one.name for one in FORMATS if one.name not in there]
    session.add_all([Export(run_id=run_id, format=name) for name in missing])
    session.flush()
    return missing


def remove_exports(session: Session, run_id: str, names: Iterable[str]) -> None:
    """Takes rows back that nobody has begun."""
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


def fail_exports_again(session: Session, run_id: str, messages: Mapping[str, str]) -> None:
    """Takes `retry_exports` back for those that nobody has begun since."""
    unbegun = and_(Export.state == ExportState.PREPARING, Export.attempts == 0)
    for name, message in messages.items():
        again = update(Export).where(Export.run_id == run_id, Export.format == name, unbegun)
        session.execute(again.values(state=ExportState.FAILED, message=message), execution_options=_SQL)


def claim_export(session: Session, run_id: str, lease_s: float) -> Claim | None:
    """The next format of a finished run, in one atomic statement; None where there is nothing to do.

    Nothing to do is also: somebody makes another format of this run, or its data set was deleted.
    """
    waiting = (Export.run_id == run_id, Export.state == ExportState.PREPARING, _is_free(Export))
    hopeless = update(Export).where(*waiting, Export.attempts > MAX_ATTEMPTS)
    session.execute(
        hopeless.values(state=ExportState.FAILED, message=GIVEN_UP, lease_until=None), execution_options=_SQL
    )
    other = aliased(Export)
    first = select(func.min(other.id)).where(
        other.run_id == run_id, other.state == ExportState.PREPARING, _is_free(other)
    )
    claimed = session.execute(
        update(Export)
        .where(*waiting, Export.id == first.scalar_subquery(), ~_is_being_made(run_id), _is_wanted(run_id))
        .values(attempts=Export.attempts + 1, lease_until=now() + timedelta(seconds=lease_s))
        .returning(Export.format, Export.attempts),
        execution_options=_SQL,
    ).one_or_none()
    return Claim(run_id, *claimed) if claimed else None


def current_claim(session: Session, run_id: str, name: str) -> Claim | None:
    """The claim under which this format is being made right now."""
    attempt = session.scalar(
        select(Export.attempts).where(
            Export.run_id == run_id, Export.format == name, Export.state == ExportState.PREPARING, ~_is_free(Export)
        )
    )
    return None if attempt is None else Claim(run_id, name, attempt)


def renew_export(session: Session, claim: Claim, lease_s: float) -> bool:
    """False if the row is not this claim's any more: settled, lost, or deleted with its data set."""
    until = now() + timedelta(seconds=lease_s)
    return _change(session, claim, {"lease_until": until}, _is_wanted(claim.run_id))


def hand_back_export(session: Session, claim: Claim, counts: bool) -> bool:
    """Frees the row for the next attempt. `counts`: False for an attempt that was broken off on purpose."""
    return _change(session, claim, {"lease_until": None, "attempts": claim.attempt - (0 if counts else 1)})


def settle_export(session: Session, claim: Claim, outcome: Outcome) -> bool:
    """Writes what came of it, unless the row is not this claim's any more."""
    return _change(session, claim, {**outcome.values(), "lease_until": None}, _is_wanted(claim.run_id))


def is_settled(session: Session, claim: Claim) -> bool:
    """True once something has come of this attempt, or of a later one."""
    of_claim = exists().where(Export.run_id == claim.run_id, Export.format == claim.format)
    return bool(
        session.scalar(select(and_(of_claim.where(Export.state != ExportState.PREPARING), _is_wanted(claim.run_id))))
    )


def has_exports_to_make(session: Session, run_id: str) -> bool:
    """True while formats of a finished run are not done yet, whoever works on them."""
    waiting = exists().where(Export.run_id == run_id, Export.state == ExportState.PREPARING)
    return bool(session.scalar(select(and_(waiting, _is_wanted(run_id)))))


def runs_with_idle_exports(session: Session, settle_s: float) -> list[str]:
    """Finished runs with formats to make that nobody makes; the longest finished first.

    `settle_s`: a run that ended more recently may still be on its way into the queue.
    """
    waiting = exists().where(Export.run_id == Run.id, Export.state == ExportState.PREPARING)
    query = select(Run.id).where(
        Run.finished_at < now() - timedelta(seconds=settle_s), waiting, ~_is_being_made(Run.id), _is_wanted(Run.id)
    )
    return list(session.scalars(query.order_by(Run.finished_at)))


def export_rows(exports: Iterable[Export]) -> list[FormatReport]:
    """What the report of a run says of the formats that are done, in the order of the rows."""
    return [export_row(one.format, one) for one in exports if one.state is not ExportState.PREPARING]


def export_row(name: str, found: Export | Outcome) -> FormatReport:
    """What the report of a run says of one format. Figures that could not be measured are None."""
    proof = dict(found.proof or {})
    return FormatReport(
        format=name,
        title=find_format(name).title,
        n_bytes=proof.get("n_bytes"),
        accuracy=proof.get("accuracy"),
        largest_difference=proof.get("largest_difference"),
        latency_s=proof.get("latency_s"),
        is_true=bool(proof.get("is_true")),
        words=found.message or proof.get("words", ""),
    )


_SQL = {"synchronize_session": False}  # no row of these is loaded in the session


def _change(session: Session, claim: Claim, values: dict[str, Any], *conditions: ColumnElement[bool]) -> bool:
    changed = session.execute(
        update(Export)
        .where(
            Export.run_id == claim.run_id,
            Export.format == claim.format,
            Export.attempts == claim.attempt,
            Export.state == ExportState.PREPARING,
            *conditions,
        )
        .values(**values)
        .returning(Export.id),
        execution_options=_SQL,
    ).all()
    return bool(changed)


def _is_free(row: Any) -> ColumnElement[bool]:
    return or_(row.lease_until.is_(None), row.lease_until < now())


def _is_being_made(run_id: Any) -> ColumnElement[bool]:
    other = aliased(Export)
    return exists().where(other.run_id == run_id, other.state == ExportState.PREPARING, ~_is_free(other))


def _is_wanted(run_id: Any) -> ColumnElement[bool]:
    """The run has its model, and its data set has not been deleted."""
    run = aliased(Run)
    alive = and_(run.dataset_id == Dataset.id, Dataset.deleted_at.is_(None))
    return exists().where(run.id == run_id, run.state == RunState.DONE, alive)
