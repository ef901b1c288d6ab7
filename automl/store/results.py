"""The results of finished runs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from automl.records import RunState
from automl.store.tables import Run


def latest_result(session: Session, dataset_id: str) -> Mapping[str, Any]:
    """The `metrics.json` of the latest finished run; empty where there is none."""
    query = select(Run.result).where(Run.dataset_id == dataset_id, Run.state == RunState.DONE)
    return session.scalars(query.order_by(Run.finished_at.desc()).limit(1)).first() or {}
