"""Removes data sets and runs whose time in the bin is up, with everything that was made from them."""

from collections.abc import Sequence
from contextlib import suppress

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.bin import due_datasets, due_runs, hasten_oldest
from automl.store.composed import remove_of_run
from automl.store.database import Database
from automl.store.room import free_bytes as free_on_disk
from automl.store.room import hold_ballast
from automl.store.sortings import due_sortings, remove_sorting
from automl.store.tables import (
    Artifact,
    Dataset,
    DatasetEdit,
    DatasetFile,
    DatasetShare,
    DatasetSides,
    DatasetVersion,
    Export,
    LogEntry,
    Run,
    SharedLink,
    Sorting,
    TrialSummary,
    now,
)

_log = structlog.stdlib.get_logger(__name__)


def empty_bin(database: Database, store: ArtifactStore, settings: Settings) -> None:
    """Removes all data sets and runs whose time in the bin is up."""
    with database.session() as session:
        dataset_ids, run_ids = due_datasets(session), due_runs(session)
    for dataset_id in dataset_ids:
        remove_dataset(database, store, settings, dataset_id=dataset_id)
    for run_id in run_ids:
        remove_run(database, store, settings, run_id=run_id)


def make_room(database: Database, settings: Settings, *, free_bytes: int | None = None) -> None:
    """Where the disk is short, the time of what has been in the bin for longest is up now. One thing for each call.

    `free_bytes`: what is free on the disk; None to look.
    """
    free = free_on_disk(settings.home) if free_bytes is None else free_bytes
    hold_ballast(settings, free=free)
    if free >= max(settings.bin_free_bytes, settings.reserve_bytes):
        return
    with database.session() as session:
        is_hastened = hasten_oldest(session)
    if is_hastened:
        _log.warning("the disk is short, so the bin is emptied early", free_bytes=free)


def remove_dataset(database: Database, store: ArtifactStore, settings: Settings, *, dataset_id: str) -> None:
    """Removes a data set whose time in the bin is up, with its runs and all files. Does nothing for any other.

    Files go first and rows last, so that a removal that was interrupted can be repeated. A download may be composed at
    the same time; the request that composes it removes it again when it finds the run gone. The composed downloads are
    removed a second time at the end, in case that request was killed.
    """
    with database.session() as session:
        if not _is_due(session.get(Dataset, dataset_id)):
            return
        run_ids = list(session.scalars(select(Run.id).where(Run.dataset_id == dataset_id)))
    _remove_files_of_runs(database, store, settings, run_ids)
    store.delete_prefix(f"datasets/{dataset_id}")
    with database.session() as session:
        _remove_rows_of_runs(session, run_ids)
        for table in (DatasetShare, DatasetSides, DatasetVersion, DatasetEdit, DatasetFile):
            session.execute(delete(table).where(table.dataset_id == dataset_id))
        session.execute(delete(Dataset).where(Dataset.id == dataset_id))
    for run_id in run_ids:
        remove_of_run(settings.composed_dir, run_id)
    _log.info("data set removed", dataset_id=dataset_id, n_runs=len(run_ids))


def remove_run(database: Database, store: ArtifactStore, settings: Settings, *, run_id: str) -> None:
    """Removes a run whose time in the bin is up, as `remove_dataset` does. Runs that followed it stay."""
    with database.session() as session:
        if not _is_due(session.get(Run, run_id)):
            return
    _remove_files_of_runs(database, store, settings, [run_id])
    with database.session() as session:
        session.execute(update(Run).where(Run.parent_id == run_id).values(parent_id=None))
        _remove_rows_of_runs(session, [run_id])
    remove_of_run(settings.composed_dir, run_id)
    _log.info("run removed", run_id=run_id)


def remove_old_sortings(database: Database, store: ArtifactStore, settings: Settings) -> None:
    """Removes what nobody has gone on with for as long as the settings say."""
    with database.session() as session:
        due = due_sortings(session, settings.sorting_s)
    for sorting_id in due:
        remove_sorting(database, store, sorting_id)
        _log.info("sorted photos removed", sorting_id=sorting_id)


def _is_due(thing: Dataset | Run | None) -> bool:
    return thing is not None and thing.removal_at is not None and thing.removal_at <= now()


def _remove_files_of_runs(database: Database, store: ArtifactStore, settings: Settings, run_ids: Sequence[str]) -> None:
    """Also what was sorted by their models, with its rows."""
    with database.session() as session:
        sorting_ids = session.scalars(select(Sorting.id).where(Sorting.run_id.in_(run_ids))).all()
    for sorting_id in sorting_ids:
        remove_sorting(database, store, sorting_id)
    for run_id in run_ids:
        store.delete_prefix(f"runs/{run_id}")
        remove_of_run(settings.composed_dir, run_id)
        for name in ("run", "export"):
            (settings.home / "logs" / f"{name}-{run_id}.log").unlink(missing_ok=True)
        _remove_study(database.url, run_id)


def _remove_rows_of_runs(session: Session, run_ids: Sequence[str]) -> None:
    for table in (TrialSummary, LogEntry, Export, Artifact, SharedLink):
        session.execute(delete(table).where(table.run_id.in_(run_ids)))
    session.execute(delete(Run).where(Run.id.in_(run_ids)))


def _remove_study(database_url: str, run_id: str) -> None:
    import optuna

    with suppress(KeyError):  # a run that was cancelled early has no study
        optuna.delete_study(study_name=f"run-{run_id}", storage=database_url)
