"""The results of finished runs."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, select, type_coerce
from sqlalchemy.orm import Session

from automl.errors import NotFound
from automl.records import RunState
from automl.records.report import RunReport
from automl.store.tables import Run
from automl.text.messages import store as store_messages


def report_of(run: Run) -> RunReport:
    """The report of a finished run.

    Raises:
        NotFound: the run has no result.
    """
    if run.report is None:
        raise NotFound(store_messages.NO_RESULT)
    return run.report


def latest_report(session: Session, dataset_id: str) -> RunReport | None:
    """That of the latest finished run; None where there is none."""
    query = select(Run).where(Run.dataset_id == dataset_id, Run.state == RunState.DONE, Run.deleted_at.is_(None))
    latest = session.scalars(query.order_by(Run.finished_at.desc()).limit(1)).first()
    return latest.report if latest else None


def part_of_report(*path: str) -> ColumnElement[Any]:
    """One part of a report as JSON, taken out by the database: the whole may be long, and many rows are asked for.

    path: keys that mean the same in every version of the report.
    """
    return type_coerce(Run.result, JSON)[path]
