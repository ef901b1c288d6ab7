"""Recovers runs of dead workers and messages that the broker has lost. The database says what should be under way."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from automl.records import DatasetState, RunState
from automl.store.check_lease import is_being_checked
from automl.store.database import Database, known_run
from automl.store.events import Publishes
from automl.store.exports import runs_with_idle_exports
from automl.store.lease_owner import LeaseOwner
from automl.store.run_queue import waiting_runs
from automl.store.runs import RunClaim, change_run_state, fail_run, runs_with_lost_lease, take_lease_back
from automl.store.tables import Dataset, Run, now
from automl.text.messages import worker as worker_messages
from worker.supervisor import hand_back

MAX_ATTEMPTS = 3
"""A run whose worker dies is put back twice. If a third worker dies, the run is assumed to be the cause and fails."""

GRACE_S = 5.0
"""Seconds that a living worker needs at most to renew its leases, once the machine or the database is back."""

_WAITED_S = 0.5
"""A write that takes longer has waited for the database."""

SETTLE_S = 15.0
"""Seconds. The message of a run younger than this may still be on its way into the queue."""

_UNFINISHED = [state for state in RunState if not state.is_finished()]
_NOT_DELETED = Run.deleted_at.is_(None)

_log = structlog.stdlib.get_logger(__name__)


class Queues(Protocol):
    """The part of `messages.Messages` that the reaper uses."""

    def train(self, run_id: str) -> None: ...

    def check_dataset(self, dataset_id: str) -> None: ...

    def make_samples(self, dataset_id: str, run_id: str) -> None: ...

    def export(self, run_id: str) -> None: ...

    def n_waiting(self, queue: str) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suspect:
    """A run under way whose worker may be gone.

    Attributes:
        claim: What the worker has it under.
        lease_until: When the lease was to end.
        is_dead: Whether the worker is known to be gone.
    """

    claim: RunClaim
    lease_until: datetime | None
    is_dead: bool


def take_back_lost_runs(
    database: Database, *, grace_s: float = GRACE_S, lease_s: float = 30.0, events: Publishes | None = None
) -> None:
    """Puts each run whose worker is gone back into the queue, or fails it if that has happened too often.

    Args:
        grace_s: seconds that a worker whose death is not known gets to renew its lease first. After the machine has
            been asleep, or the database away, all leases are out of date although no worker is gone.
        lease_s: length of a lease in seconds.
        events: where it is published that a run was put back or failed.
    """
    with database.session() as session:
        suspects = _suspects(session)
    _take_back(database, [one for one in suspects if one.is_dead], lease_s, events)
    silent = [one for one in suspects if not one.is_dead]
    if silent:
        time.sleep(grace_s)
        _take_back(database, silent, lease_s, events)


def _take_back(database: Database, suspects: Sequence[_Suspect], lease_s: float, events: Publishes | None) -> None:
    for suspect in suspects:
        with database.session() as session:
            asked_s = time.monotonic()
            if not take_lease_back(session, suspect.claim, lease_until=suspect.lease_until):
                continue
            if not suspect.is_dead and time.monotonic() - asked_s > _WAITED_S:
                # The database could not be written until now, so the worker had no grace: the next time decides.
                session.rollback()
                continue
            run = known_run(session, suspect.claim.run_id)
            _put_back(run, lease_s)
        if events is not None:
            events.publish(run.id, "end" if run.state.is_finished() else "state", state=run.state)


def send_lost_messages(
    database: Database, queues: Queues, settle_s: float = SETTLE_S, *, runs_at_once: int = 0
) -> None:
    """Sends the messages again that should wait in the broker according to the database.

    They are sent only if fewer messages wait than the database says, so that however long a queue stands still, at
    most one copy of each message is added; a copy that was not needed finds nothing to do. What a process has a lease
    of does not count as waiting, nor does a run whose account has as many under way as it may.

    Args:
        settle_s: seconds that a message may be on its way.
        runs_at_once: how many runs of one account may be under way; 0: any number.
    """
    with database.session() as session:
        runs = [run.id for run in waiting_runs(session, runs_at_once=runs_at_once, settle_s=settle_s)]
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
    """Whether a data set waits to be checked, or sample images wait to be made."""
    return bool(_unchecked_datasets(session) or _samples_to_make(session, settle_s=0.0))


def _suspects(session: Session) -> list[_Suspect]:
    """Runs under way whose lease has run out or whose worker died on this machine."""
    found = {run.id: run for run in runs_with_lost_lease(session)}
    running = [state for state in RunState if state.is_running()]
    dead = set()
    for run in session.scalars(select(Run).where(Run.state.in_(running))):
        if LeaseOwner.is_known_dead(run.lease_owner):
            found[run.id] = run
            dead.add(run.id)
    return [
        _Suspect(claim=RunClaim(run.id, run.lease_number), lease_until=run.lease_until, is_dead=run.id in dead)
        for run in found.values()
    ]


def _put_back(run: Run, lease_s: float) -> None:
    _log.warning("the worker of a run is gone", run_id=run.id, attempt=run.attempts)
    if run.cancel_requested:
        change_run_state(run, RunState.CANCELLED)
    elif run.attempts >= MAX_ATTEMPTS:
        fail_run(run, "worker_lost", worker_messages.RUN_GIVEN_UP)
    else:
        hand_back(run, worker_messages.WAITING_WORKER_LOST, lease_s)


def _unchecked_datasets(session: Session) -> list[str]:
    """Data sets that wait to be checked: without those in the bin, those that an unfinished run without version checks,
    and those that are being checked."""
    in_use = exists().where(Run.dataset_id == Dataset.id, Run.state.in_(_UNFINISHED), Run.version_id.is_(None))
    unchecked = select(Dataset.id).where(
        Dataset.state == DatasetState.CHECKING, Dataset.deleted_at.is_(None), ~in_use, ~is_being_checked()
    )
    return list(session.scalars(unchecked))


def _samples_to_make(session: Session, settle_s: float) -> list[tuple[str, str]]:
    """Data sets and runs that wait for sample images: a queued run whose data set has no files yet."""
    query = (
        select(Run.dataset_id, Run.id)
        .join(Run.dataset)
        .where(Run.state == RunState.QUEUED, Run.created_at < now() - timedelta(seconds=settle_s))
        .where(Dataset.state == DatasetState.CHECKING, ~Dataset.files.any(), _NOT_DELETED)
    )
    return [(dataset_id, run_id) for dataset_id, run_id in session.execute(query)]
