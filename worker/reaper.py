"""Recovers what a dead worker or an emptied broker left behind. The database says what should be under way."""

import time
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import and_, exists, select, update
from sqlalchemy.orm import Session

from automl.records import DatasetState, RunState
from automl.store.database import Database, find_run
from automl.store.events import Publishes
from automl.store.exports import runs_with_idle_exports
from automl.store.runs import change_run_state, fail_run, runs_with_lost_lease
from automl.store.tables import Dataset, Run, now
from worker.lease_owner import LeaseOwner
from worker.supervisor import hand_back

MAX_ATTEMPTS = 3
"""A run whose worker dies is put back twice; a third death is taken to be the run's own doing."""

GRACE_S = 3.0
"""What a living worker needs at most to renew its leases."""

SETTLE_S = 15.0
"""A run this young may still be on its way into the queue."""

_GIVEN_UP = (
    "The worker stopped three times while it worked on this run, so the run was given up. Most often the computer ran "
    "out of memory: close other programs or choose a smaller largest picture size, and start the run again."
)
_UNFINISHED = [state for state in RunState if not state.is_finished()]

_log = structlog.stdlib.get_logger(__name__)


class Queues(Protocol):
    """What the reaper needs of `messages.Messages`."""

    def train(self, run_id: str) -> None: ...

    def check_dataset(self, dataset_id: str) -> None: ...

    def make_samples(self, dataset_id: str, run_id: str) -> None: ...

    def export(self, run_id: str) -> None: ...

    def n_waiting(self, queue: str) -> int: ...


def take_back_lost_runs(
    database: Database, *, grace_s: float = GRACE_S, lease_s: float = 30.0, events: Publishes | None = None
) -> None:
    """Puts every run back into the queue whose worker is gone, or ends it if that happened too often.

    A worker of this machine that still lives gets `grace_s` to renew its lease: after the machine was asleep, all
    leases are old. `lease_s`: of the leases; `events`: told of every run that is put back or ended.
    """
    with database.session() as session:
        suspects = _suspects(session)
    if any(_lives_here(owner) for _, owner, _ in suspects):
        time.sleep(grace_s)
    for run_id, owner, lease_until in suspects:
        with database.session() as session:
            if not _take_over(session, run_id, owner=owner, lease_until=lease_until):
                continue
            run = find_run(session, run_id)
            _put_back(run, lease_s)
        if events is not None:
            events.publish(run_id, "end" if run.state.is_finished() else "state", state=run.state)


def send_lost_messages(database: Database, queues: Queues, settle_s: float = SETTLE_S) -> None:
    """Sends again what waits in the database but not in the broker.

    Only where fewer messages wait than there should: so at most one copy of each is added however long a queue
    stands, and a copy that was not needed finds nothing to do. Call it from the node that serves `light` itself: what
    that node has taken is then finished, so that every unchecked data set is either in the queue or lost.
    """
    with database.session() as session:
        runs = _waiting_runs(session, settle_s)
        datasets = _unchecked_datasets(session)
        samples = _samples_to_make(session, settle_s)
        exports = runs_with_idle_exports(session, settle_s)
    if len(runs) > queues.n_waiting("train"):
        _log.info("waiting runs sent again", n_runs=len(runs))
        for run_id in runs:
            queues.train(run_id)
    n_light = len(datasets) + len(samples) + len(exports)
    if n_light > queues.n_waiting("light"):
        _log.info("waiting checks and exports sent again", n_tasks=n_light)
        for dataset_id in datasets:
            queues.check_dataset(dataset_id)
        for dataset_id, run_id in samples:
            queues.make_samples(dataset_id, run_id)
        for run_id in exports:
            queues.export(run_id)


def is_check_waiting(session: Session) -> bool:
    """True while somebody waits for photos to be checked, or for the sample images."""
    return bool(_unchecked_datasets(session) or _samples_to_make(session, settle_s=0.0))


def _suspects(session: Session) -> list[tuple[str, str, datetime | None]]:
    """Runs under way whose lease has run out, or whose worker has died on this machine: id, owner, lease."""
    found = {run.id: run for run in runs_with_lost_lease(session)}
    running = [state for state in RunState if state.is_running()]
    for run in session.scalars(select(Run).where(Run.state.in_(running))):
        owner = LeaseOwner.parse(run.lease_owner)
        if owner is not None and owner.is_here() and not owner.is_alive():
            found[run.id] = run
    return [(run.id, run.lease_owner, run.lease_until) for run in found.values()]


def _lives_here(text: str) -> bool:
    owner = LeaseOwner.parse(text)
    return owner is not None and owner.is_here() and owner.is_alive()


def _take_over(session: Session, run_id: str, *, owner: str, lease_until: datetime | None) -> bool:
    """In one atomic statement, so that a lease which was renewed meanwhile, or a second reaper, is never overrun."""
    taken = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.lease_owner == owner, Run.lease_until == lease_until)
        .values(lease_owner=str(LeaseOwner.mine()))
        .returning(Run.id)
    ).all()
    return bool(taken)


def _put_back(run: Run, lease_s: float) -> None:
    _log.warning("the worker of a run is gone", run_id=run.id, attempt=run.attempts)
    if run.cancel_requested:
        change_run_state(run, RunState.CANCELLED)
    elif run.attempts >= MAX_ATTEMPTS:
        fail_run(run, "worker_lost", _GIVEN_UP)
    else:
        hand_back(run, "Waiting to go on: the worker was lost", lease_s)


def _waiting_runs(session: Session, settle_s: float) -> list[str]:
    being_made = Run.dataset.has(and_(Dataset.state == DatasetState.CHECKING, ~Dataset.files.any()))
    query = select(Run.id).where(
        Run.state == RunState.QUEUED, Run.created_at < now() - timedelta(seconds=settle_s), ~being_made
    )
    return list(session.scalars(query.order_by(Run.created_at)))


def _unchecked_datasets(session: Session) -> list[str]:
    """Those that no run is about to check, or checking, by itself; one that has its version does not."""
    in_use = exists().where(Run.dataset_id == Dataset.id, Run.state.in_(_UNFINISHED), Run.version_id.is_(None))
    return list(session.scalars(select(Dataset.id).where(Dataset.state == DatasetState.CHECKING, ~in_use)))


def _samples_to_make(session: Session, settle_s: float) -> list[tuple[str, str]]:
    """Data sets of a waiting run that have no files: only sample images begin so."""
    query = (
        select(Run.dataset_id, Run.id)
        .join(Run.dataset)
        .where(Run.state == RunState.QUEUED, Run.created_at < now() - timedelta(seconds=settle_s))
        .where(Dataset.state == DatasetState.CHECKING, ~Dataset.files.any())
    )
    return [(dataset_id, run_id) for dataset_id, run_id in session.execute(query)]
