"""The Celery tasks. Each takes ids, finds its work in the database, returns nothing, and may safely run twice.

What ends because the database was away, or because another process has the work by now, is nobody's fault: it is left
as it is, and the reaper sends it again where that is needed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from typing import ParamSpec

import structlog
from celery import Task
from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError as BrokerAway

from automl.errors import AttemptOver, DarkroomError, NotFound
from automl.records import DatasetState, RunState
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.check_lease import has_checker, leased_check
from automl.store.checks import check_dataset as check
from automl.store.database import Database, find_dataset, known_run
from automl.store.events import RunEvents
from automl.store.exports import has_exports_to_make
from automl.store.patience import patiently
from automl.store.runs import fail_run
from automl.store.turns import take_turn
from automl.task_names import CHECK_DATASET, EXPORT, MAKE_SAMPLES, TRAIN
from automl.text.messages import worker as worker_messages
from worker.celery_app import app
from worker.export_supervisor import ExportSupervisor
from worker.messages import Messages
from worker.sample_dataset import store_samples
from worker.stop_flag import StopFlag
from worker.supervisor import Supervisor

MAX_CHECKS = 3

_P = ParamSpec("_P")

_stopping = StopFlag()  # the `light` node runs its tasks in a fork

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What all tasks work with."""

    settings: Settings
    database: Database
    store: ArtifactStore
    events: RunEvents


@cache
def parts() -> Parts:
    """One set for each process, made by its first task, so that no connection is shared across a fork."""
    settings = load_settings()
    database, store = Database(settings.database_url), ArtifactStore(settings.files_dir)
    return Parts(settings=settings, database=database, store=store, events=RunEvents(settings.broker_url))


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _hand_work_back(**_: object) -> None:
    _stopping.set()


def _until_over(work: Callable[_P, None]) -> Callable[_P, None]:
    @wraps(work)
    def task(*arguments: _P.args, **options: _P.kwargs) -> None:
        try:
            work(*arguments, **options)
        except AttemptOver as over:
            _log.warning("left to another attempt", reason=type(over).__name__)

    return task


@app.task(name=TRAIN)  # type: ignore[untyped-decorator]
@_until_over
def train(run_id: str) -> None:
    """Supervises the pipeline process of one run until it ends.

    run_id: The run that the message was sent for. Which run is served is decided now, by whose turn it is (see
        `automl.store.run_queue`). As many messages as runs wait, so each run gets its turn.
    """
    served = Supervisor(parts().database, parts().settings, _stopping, events=parts().events).supervise_next()
    if served is None:
        _log.info("nobody waits", sent_for=run_id)
    elif _is_delivered(served):
        _send(Messages(app).export, served)


@app.task(name=EXPORT)  # type: ignore[untyped-decorator]
@_until_over
def export(run_id: str) -> None:
    """Makes one format of a finished run, and puts the next one at the end of the queue."""
    if ExportSupervisor(parts().database, parts().settings, _stopping).make_next(run_id):
        _send(Messages(app).export, run_id)


@app.task(name=CHECK_DATASET, bind=True)  # type: ignore[untyped-decorator]
@_until_over
def check_dataset(self: Task, dataset_id: str, attempt: int = 1) -> None:
    """Checks one uploaded data set. After three checks that killed their process, the data set is marked as invalid."""
    redelivered = (self.request.delivery_info or {}).get("redelivered")
    if not _is_unchecked(dataset_id):
        return  # a second copy of the message; another process has the data set, or a run uses it already
    if redelivered and attempt >= MAX_CHECKS:
        _mark_invalid(dataset_id, worker_messages.CHECK_KEEPS_DYING)
    elif redelivered:
        _send(Messages(app).check_dataset, dataset_id, attempt + 1)
    else:
        _check(dataset_id)


@app.task(name=MAKE_SAMPLES)  # type: ignore[untyped-decorator]
@_until_over
def make_samples(dataset_id: str, run_id: str) -> None:
    """Fills a data set with the sample images and starts the run that waits for it."""
    try:
        with _explained(dataset_id), leased_check(parts().database, dataset_id, parts().settings.lease_s) as database:
            store_samples(database, parts().store, dataset_id)
        if _is_unchecked(dataset_id):
            _check(dataset_id)
    except Exception:
        with parts().database.session() as session:
            run = known_run(session, run_id)
            if run.state is RunState.QUEUED:
                fail_run(run, "internal", worker_messages.SAMPLES_NOT_MADE)
        raise
    _send(Messages(app).train, run_id)


def _send(send: Callable[_P, None], *ids: _P.args, **options: _P.kwargs) -> None:
    try:
        send(*ids, **options)
    except (BrokerAway, OSError) as error:
        _log.warning("Redis does not answer; the reaper sends this message later", reason=type(error).__name__)


@patiently
def _is_delivered(run_id: str) -> bool:
    with parts().database.session() as session:
        return has_exports_to_make(session, run_id)


@patiently
def _is_unchecked(dataset_id: str) -> bool:
    with parts().database.session() as session:
        is_checking = find_dataset(session, dataset_id).state is DatasetState.CHECKING
        return is_checking and not has_checker(session, dataset_id)


def _check(dataset_id: str) -> None:
    with _explained(dataset_id):
        check(parts().database, parts().store, dataset_id, settings=parts().settings, is_for_asked=True)


@contextmanager
def _explained(dataset_id: str) -> Iterator[None]:
    """Marks the data set as invalid, with a message, if the block fails, so that it does not stay in state CHECKING."""
    try:
        yield
    except NotFound:
        raise  # the data set was deleted meanwhile
    except DarkroomError as error:
        _mark_invalid(dataset_id, error.message)
        raise
    except Exception:
        _mark_invalid(dataset_id, worker_messages.CHECK_BROKE)
        raise


@patiently
def _mark_invalid(dataset_id: str, message: str) -> None:
    with parts().database.session() as session:
        dataset = take_turn(session, dataset_id)
        is_asked_for = dataset.state is DatasetState.CHECKING  # else it was cancelled meanwhile
        if is_asked_for and not has_checker(session, dataset_id):  # else another process has begun meanwhile
            dataset.state, dataset.message = DatasetState.INVALID, message
