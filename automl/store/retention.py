"""Data sets that nobody uses any more: a warning first, then the bin, from which they can still be put back.

A data set is used when photos come, when it is changed, when a run of it begins or ends, when its models sort photos,
and when somebody says that it is to be kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from automl.records import DatasetState, RunState
from automl.settings import Settings
from automl.store.bin import BinKind, put_into_bin
from automl.store.tables import Dataset, DatasetEdit, DatasetVersion, Run, Sorting, now

WARNING_DAYS = 14
"""How long a warning stands before anything happens, also where the time was set, or shortened, only now."""

_LEAST_IN_BIN_S = 86_400.0
"""Nobody has asked for it to be gone, so it can be put back for a day also where the bin keeps nothing."""

_Since: TypeAlias = datetime | InstrumentedAttribute[datetime | None]

_UNFINISHED = [state for state in RunState if not state.is_finished()]


def warn_of_unused(session: Session, settings: Settings) -> Sequence[Dataset]:
    """Marks the data sets that go into the bin in `WARNING_DAYS` unless somebody uses them, and returns these.

    What has been used since it was marked loses its mark.
    """
    used_again = select(Dataset.id).where(Dataset.warned_at.is_not(None), ~_is_unused_since(Dataset.warned_at))
    unmark = update(Dataset).values(warned_at=None)
    if not settings.retention_days:
        session.execute(unmark.where(Dataset.warned_at.is_not(None)))
        return []
    session.execute(unmark.where(Dataset.id.in_(used_again)), execution_options={"synchronize_session": False})
    since = now() - timedelta(days=max(0, settings.retention_days - WARNING_DAYS))
    due = session.scalars(select(Dataset).where(_is_unused_since(since), Dataset.warned_at.is_(None))).all()
    for dataset in due:
        dataset.warned_at = now()
    return due


def bin_unused(session: Session, settings: Settings) -> Sequence[Dataset]:
    """Puts data sets into the bin that nobody has used for `retention_days` although there was a warning, and returns
    these."""
    if not settings.retention_days:
        return []
    since, warned_before = (now() - timedelta(days=days) for days in (settings.retention_days, WARNING_DAYS))
    due = session.scalars(select(Dataset).where(_is_unused_since(since), Dataset.warned_at <= warned_before)).all()
    for dataset in due:
        put_into_bin(session, BinKind.DATASET, dataset.id, keep_s=max(settings.bin_s, _LEAST_IN_BIN_S))
        dataset.warned_at = None
    return due


def keep_dataset(dataset: Dataset) -> None:
    """Counts as a use."""
    dataset.kept_at, dataset.warned_at = now(), None


def goes_into_bin_at(dataset: Dataset) -> datetime | None:
    """When a data set goes into the bin unless somebody uses it; None where there was no warning."""
    return None if dataset.warned_at is None else dataset.warned_at + timedelta(days=WARNING_DAYS)


def _is_unused_since(since: _Since) -> ColumnElement[bool]:
    """Whether a data set that is not in the bin was last used before `since`, and nothing works on it."""
    run_at = func.coalesce(Run.finished_at, Run.created_at)
    of_it = Run.dataset_id == Dataset.id
    used = [
        Dataset.deleted_at.is_not(None),
        Dataset.state == DatasetState.CHECKING,
        Dataset.created_at >= since,
        Dataset.kept_at >= since,
        exists().where(DatasetVersion.dataset_id == Dataset.id, DatasetVersion.created_at >= since),
        exists().where(DatasetEdit.dataset_id == Dataset.id, DatasetEdit.created_at >= since),
        exists().where(of_it, or_(run_at >= since, Run.state.in_(_UNFINISHED))),
        exists().where(Sorting.run_id == Run.id, of_it, Sorting.changed_at >= since),
    ]
    return ~func.coalesce(or_(*used), False)
