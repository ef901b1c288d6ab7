"""Rows first, then the queue: what starts a check or a run, for the pages and the API alike."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from automl.data.versions import latest_version
from automl.errors import BadDataset, NotAllowedNow
from automl.records import DatasetState, RunSettings
from automl.store.database import Dataset, DatasetFile, Run, find_dataset
from server.queue import CHECK_DATASET, TRAIN, QueueUnavailable
from server.services import Services


def start_check(services: Services, dataset_id: str, name: str = "") -> None:
    """Hands an uploaded data set to the check, under `name` if one is given.

    Raises:
        NotFound: no such data set.
        NotAllowedNow: it has no files.
        QueueUnavailable: nothing was started; the data set is as before.
    """
    with services.database.session() as session:
        dataset = find_dataset(session, dataset_id)
        before = dataset.state
        if before is DatasetState.CHECKING:
            return
        _refuse_empty(session, dataset)
        dataset.name = name or dataset.name
        dataset.state, dataset.message = DatasetState.CHECKING, ""
    try:
        services.enqueue(CHECK_DATASET, dataset_id)
    except QueueUnavailable:
        with services.database.session() as session:
            find_dataset(session, dataset_id).state = before
        raise


def start_run(services: Services, dataset_id: str, settings: RunSettings) -> str:
    """Queues a run and returns its id. A data set that is not checked yet is checked by the run.

    Raises:
        NotFound: no such data set.
        BadDataset: it cannot be trained from.
        NotAllowedNow: it has no files.
        QueueUnavailable: nothing was started.
    """
    with services.database.session() as session:
        dataset = find_dataset(session, dataset_id)
        if dataset.state is DatasetState.INVALID:
            raise BadDataset(dataset.message or "No model can be trained from these photos. Add more first.")
        _refuse_empty(session, dataset)
        run = Run(dataset_id=dataset_id, settings=settings.to_json(), budget_s=settings.budget_s)
        session.add(run)
        session.flush()  # from here on nobody else writes, so the version stays the one that the run is given
        if dataset.state is DatasetState.READY:
            run.version = latest_version(session, dataset_id)
    try:
        services.enqueue(TRAIN, run.id)
    except QueueUnavailable:
        with services.database.session() as session:
            session.execute(delete(Run).where(Run.id == run.id))
        raise
    return run.id


def _refuse_empty(session: Session, dataset: Dataset) -> None:
    n_files = session.scalar(select(func.count()).where(DatasetFile.dataset_id == dataset.id))
    if not n_files:
        raise NotAllowedNow("No files have arrived yet. Send the photos first.")
