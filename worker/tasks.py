"""The Celery tasks. Each takes ids, finds its work in the database, returns nothing, and may safely run twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from celery import Task
from celery.signals import worker_shutting_down

from automl.errors import DarkroomError, NotFound
from automl.records import DatasetState, RunState
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.checks import check_dataset as check
from automl.store.composed import remove_old
from automl.store.database import Database, find_dataset, known_run
from automl.store.events import RunEvents
from automl.store.exports import has_exports_to_make
from automl.store.runs import fail_run
from automl.task_names import CHECK_DATASET, EMPTY_BIN, EXPORT, MAKE_SAMPLES, NOTIFY, REAP, SWEEP, TRAIN
from automl.text.messages import worker as worker_messages
from worker.celery_app import app
from worker.export_supervisor import ExportSupervisor
from worker.messages import Messages
from worker.notices import runs_without_notices, send_notices
from worker.reaper import send_lost_messages, take_back_lost_runs
from worker.removal import empty_bin, make_room, remove_old_sortings
from worker.sample_dataset import store_samples
from worker.stop_flag import StopFlag
from worker.supervisor import Supervisor
from worker.sweeper import sweep_orphans

MAX_CHECKS = 3

_stopping = StopFlag()  # the `light` node runs its tasks in a fork


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


@app.task(name=TRAIN)  # type: ignore[untyped-decorator]
def train(run_id: str) -> None:
    """Supervises the pipeline process of one run until it ends."""
    Supervisor(parts().database, parts().settings, _stopping, events=parts().events).supervise(run_id)
    Messages(app).notify(run_id)
    with parts().database.session() as session:
        is_delivered = has_exports_to_make(session, run_id)
    if is_delivered:
        Messages(app).export(run_id)


@app.task(name=EXPORT)  # type: ignore[untyped-decorator]
def export(run_id: str) -> None:
    """Makes one format of a finished run, and puts the next one at the end of the queue."""
    if ExportSupervisor(parts().database, parts().settings, _stopping).make_next(run_id):
        Messages(app).export(run_id)


@app.task(name=CHECK_DATASET, bind=True)  # type: ignore[untyped-decorator]
def check_dataset(self: Task, dataset_id: str, attempt: int = 1) -> None:
    """Checks one uploaded data set. After three checks that killed their process, the data set is marked as invalid."""
    redelivered = (self.request.delivery_info or {}).get("redelivered")
    if not _is_unchecked(dataset_id):
        return  # a second copy of the message; a run may already be using the data set
    if redelivered and attempt >= MAX_CHECKS:
        _mark_invalid(dataset_id, worker_messages.CHECK_KEEPS_DYING)
    elif redelivered:
        Messages(app).check_dataset(dataset_id, attempt + 1)
    else:
        _check(dataset_id)


@app.task(name=MAKE_SAMPLES)  # type: ignore[untyped-decorator]
def make_samples(dataset_id: str, run_id: str) -> None:
    """Fills a data set with the sample images and starts the run that waits for it."""
    try:
        with _explained(dataset_id):
            store_samples(parts().database, parts().store, dataset_id)
        if _is_unchecked(dataset_id):
            _check(dataset_id)
    except Exception:
        with parts().database.session() as session:
            run = known_run(session, run_id)
            if run.state is RunState.QUEUED:
                fail_run(run, "internal", worker_messages.SAMPLES_NOT_MADE)
        raise
    Messages(app).train(run_id)


@app.task(name=NOTIFY)  # type: ignore[untyped-decorator]
def notify(run_id: str) -> None:
    """Sends the notices of a run that has ended; does nothing for one that has not."""
    send_notices(parts().database, parts().settings, run_id)


@app.task(name=REAP)  # type: ignore[untyped-decorator]
def reap() -> None:
    """Recovers runs of dead workers and lost messages, sends overdue notices, and removes what is due in the bin."""
    take_back_lost_runs(parts().database, lease_s=parts().settings.lease_s, events=parts().events)
    send_lost_messages(parts().database, Messages(app))
    for run_id in runs_without_notices(parts().database, parts().settings):
        Messages(app).notify(run_id)  # last, since a mail server may be slow and people wait for the rest
    make_room(parts().database, parts().settings)
    empty_bin(parts().database, parts().store, parts().settings)


@app.task(name=EMPTY_BIN)  # type: ignore[untyped-decorator]
def empty_bin_now() -> None:
    """Removes what a user has deleted for good. A running check of it ends first, since both run on this node."""
    empty_bin(parts().database, parts().store, parts().settings)


@app.task(name=SWEEP)  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Removes sorted photos whose time is up, files of killed uploads, and composed downloads that nobody uses."""
    remove_old_sortings(parts().database, parts().store, parts().settings)
    sweep_orphans(parts().database, parts().store)
    remove_old(parts().settings.composed_dir)


def _is_unchecked(dataset_id: str) -> bool:
    with parts().database.session() as session:
        return find_dataset(session, dataset_id).state is DatasetState.CHECKING


def _check(dataset_id: str) -> None:
    with _explained(dataset_id):
        check(parts().database, parts().store, dataset_id, settings=parts().settings)


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


def _mark_invalid(dataset_id: str, message: str) -> None:
    with parts().database.session() as session:
        dataset = find_dataset(session, dataset_id)
        dataset.state, dataset.message = DatasetState.INVALID, message
