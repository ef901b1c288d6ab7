"""Removes a deleted data set with everything that was made from it."""

from contextlib import suppress

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.composed import remove_of_run
from automl.store.database import Database
from automl.store.tables import (
    Artifact,
    Dataset,
    DatasetEdit,
    DatasetFile,
    DatasetSides,
    DatasetVersion,
    Export,
    LogEntry,
    Run,
    TrialSummary,
)

_log = structlog.stdlib.get_logger(__name__)


def deleted_datasets(session: Session) -> list[str]:
    """Ids of the data sets that users have deleted and whose rows and files are still there."""
    return list(session.scalars(select(Dataset.id).where(Dataset.deleted_at.is_not(None))))


def remove_dataset(database: Database, store: ArtifactStore, settings: Settings, *, dataset_id: str) -> None:
    """Removes a data set that was marked as deleted, with its runs and all files. Does nothing for any other.

    Files go first and rows last, so that a removal that was interrupted can be repeated. A download may be composed at
    the same time; the request that composes it removes it again when it finds the run gone. The composed downloads are
    removed a second time at the end, in case that request was killed.
    """
    with database.session() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.deleted_at is None:
            return
        run_ids = list(session.scalars(select(Run.id).where(Run.dataset_id == dataset_id)))
    for run_id in run_ids:
        store.delete_prefix(f"runs/{run_id}")
        remove_of_run(settings.composed_dir, run_id)
        for name in ("run", "export"):
            (settings.home / "logs" / f"{name}-{run_id}.log").unlink(missing_ok=True)
        _remove_study(database.url, run_id)
    store.delete_prefix(f"datasets/{dataset_id}")
    with database.session() as session:
        session.execute(delete(TrialSummary).where(TrialSummary.run_id.in_(run_ids)))
        session.execute(delete(LogEntry).where(LogEntry.run_id.in_(run_ids)))
        session.execute(delete(Export).where(Export.run_id.in_(run_ids)))
        session.execute(delete(Artifact).where(Artifact.run_id.in_(run_ids)))
        session.execute(delete(Run).where(Run.dataset_id == dataset_id))
        session.execute(delete(DatasetSides).where(DatasetSides.dataset_id == dataset_id))
        session.execute(delete(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id))
        session.execute(delete(DatasetEdit).where(DatasetEdit.dataset_id == dataset_id))
        session.execute(delete(DatasetFile).where(DatasetFile.dataset_id == dataset_id))
        session.execute(delete(Dataset).where(Dataset.id == dataset_id))
    for run_id in run_ids:
        remove_of_run(settings.composed_dir, run_id)
    _log.info("data set removed", dataset_id=dataset_id, n_runs=len(run_ids))


def _remove_study(database_url: str, run_id: str) -> None:
    import optuna

    with suppress(KeyError):  # a run that was cancelled early has no study
        optuna.delete_study(study_name=f"run-{run_id}", storage=database_url)
