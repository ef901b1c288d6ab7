"""Starts checks, runs and exports, for the pages and the API alike: the rows are written first, then the queue.

Where the queue does not answer, the rows are as before.
"""

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from automl.errors import BadDataset, NotAllowedNow, NotFound
from automl.records import DatasetState, RunSettings, RunState
from automl.store.check_lease import end_check
from automl.store.database import find_run
from automl.store.exports import (
    add_exports,
    fail_exports_again,
    has_exports_to_make,
    remove_exports,
    retry_exports,
)
from automl.store.quotas import refuse_run
from automl.store.room import refuse_short_disk
from automl.store.tables import Dataset, DatasetFile, DatasetVersion, Run
from automl.store.turns import take_turn
from automl.store.versions import latest_version, problem_of_version
from automl.task_names import CHECK_DATASET, EXPORT, TRAIN
from automl.text.messages import server as server_messages
from server.services import Services
from server.task_queue import QueueUnavailable
from server.uploads.receive import has_unfinished_run


def start_check(services: Services, dataset_id: str, name: str = "") -> None:
    """Has an uploaded data set checked.

    Args:
        services: Those of the application.
        dataset_id: The data set.
        name: What to call it from now on; empty to leave its name.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: It has no files.
        DiskFull: The disk is short.
        QueueUnavailable: Nothing was started; the data set is as before.
    """
    refuse_short_disk(services.settings)
    with services.database.session() as session:
        dataset = take_turn(session, dataset_id)
        if dataset.state is DatasetState.CHECKING:
            return
        _refuse_empty(session, dataset)
        before = {"name": dataset.name, "state": dataset.state, "message": dataset.message}
        dataset.name = name or dataset.name
        dataset.state, dataset.message = DatasetState.CHECKING, ""
    try:
        services.enqueue(CHECK_DATASET, dataset_id)
    except QueueUnavailable:
        with services.database.session() as session:
            session.execute(update(Dataset).where(Dataset.id == dataset_id).values(before))
        raise


def cancel_check(services: Services, dataset_id: str) -> None:
    """Ends the check of a data set at once. Its photos are kept, and what is known of them.

    Does nothing where no check is under way.

    Raises:
        NotFound: There is no such data set.
        NotAllowedNow: A run checks it, which can be cancelled instead.
    """
    with services.database.session() as session:
        dataset = take_turn(session, dataset_id)
        if dataset.state is not DatasetState.CHECKING:
            return
        if has_unfinished_run(session, dataset_id):
            raise NotAllowedNow(server_messages.CHECKED_BY_RUN)
        end_check(session, dataset_id)
        dataset.state, dataset.message = DatasetState.UPLOADING, server_messages.CHECK_CANCELLED


def start_run(
    services: Services,
    dataset_id: str,
    settings: RunSettings,
    *,
    account_id: str | None = None,
    parent_id: str | None = None,
    name: str = "",
) -> str:
    """Queues a run and returns its id. A data set that is not checked yet is checked by the run.

    Args:
        services: Those of the application.
        dataset_id: The data set to learn from.
        settings: What is asked for.
        account_id: Who asks; None where nobody needs an account.
        parent_id: The run of the same data set that this one follows with a change, if any.
        name: What its user calls it, may be empty.

    Raises:
        NotFound: There is no such data set, or no such run of it to follow.
        BadDataset: No model can be trained from it.
        NotAllowedNow: It has no files, or as many runs wait as may.
        DiskFull: The disk is short.
        QueueUnavailable: Nothing was started.
    """
    refuse_short_disk(services.settings)
    with services.database.session() as session:
        dataset = take_turn(session, dataset_id)
        if dataset.state is DatasetState.INVALID:
            raise BadDataset(dataset.message or server_messages.NOTHING_TO_TRAIN_FROM)
        _refuse_empty(session, dataset)
        refuse_run(session, services.settings, account_id, settings.budget_s)
        run = Run(
            dataset_id=dataset_id, started_by_id=account_id, name=name, settings=settings, budget_s=settings.budget_s
        )
        run.parent_id = find_run_of(session, dataset_id, parent_id).id if parent_id else None
        session.add(run)
        if dataset.state is DatasetState.READY:
            run.version = _trainable_version(services, session, dataset_id)
    try:
        services.enqueue(TRAIN, run.id)
    except QueueUnavailable:
        with services.database.session() as session:
            session.execute(delete(Run).where(Run.id == run.id))
        raise
    return run.id


def start_exports(services: Services, run_id: str) -> None:
    """Has the formats of a finished model made that failed, or that its run, of an older version, does not have.

    Raises:
        NotFound: There is no such run.
        NotAllowedNow: It has no finished model.
        QueueUnavailable: Nothing was started; the formats are as before.
    """
    with services.database.session() as session:
        if find_run(session, run_id).state is not RunState.DONE:
            raise NotAllowedNow(server_messages.NO_FINISHED_MODEL)
        added = add_exports(session, run_id)
        failed = retry_exports(session, run_id)
        if not has_exports_to_make(session, run_id):
            return
    try:
        services.enqueue(EXPORT, run_id)
    except QueueUnavailable:
        with services.database.session() as session:
            remove_exports(session, run_id, added)
            fail_exports_again(session, run_id, failed)
        raise


def find_run_of(session: Session, dataset_id: str, run_id: str) -> Run:
    """A run of a data set.

    Raises:
        NotFound: There is no such run, or it is one of another data set.
        InBin: It is in the bin.
    """
    run = session.get(Run, run_id)
    if run is None or run.dataset_id != dataset_id:
        raise NotFound(server_messages.OTHER_RUN_TO_START_FROM)
    return find_run(session, run_id)


def _trainable_version(services: Services, session: Session, dataset_id: str) -> DatasetVersion | None:
    """The latest version. Raises BadDataset where nothing could be tested with it, so that no time is spent."""
    version = latest_version(session, dataset_id)
    if version is not None and (problem := problem_of_version(services.store, version)):
        raise BadDataset(problem)
    return version


def _refuse_empty(session: Session, dataset: Dataset) -> None:
    n_files = session.scalar(select(func.count()).where(DatasetFile.dataset_id == dataset.id))
    if not n_files:
        raise NotAllowedNow(server_messages.NO_FILES_ARRIVED)
