"""Supervises one run: the lease, the pipeline process, Stop and Cancel, and the run's state when the process ends.

The pipeline itself writes the states `searching`, `finishing` and `done`, and the failures that it recognises. All
other changes are written here, once the pipeline has ended. Both write under the number of one lease: when another
worker has the run, neither changes anything any more.
"""

import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from automl.errors import LeaseLost
from automl.pipeline.attempt import AWAY_CODE
from automl.records import RunState
from automl.settings import Settings
from automl.store.database import Database, known_run
from automl.store.events import Publishes
from automl.store.lease_owner import LeaseOwner
from automl.store.patience import is_away, patiently
from automl.store.run_clock import hold_progress
from automl.store.run_queue import claim_next_run
from automl.store.runs import RunClaim, change_run_state, fail_run, renew_lease
from automl.store.tables import LogEntry, Run
from automl.text.messages import worker as worker_messages
from worker.pipeline_process import PIPELINE, PipelineProcess, environment_of
from worker.stop_flag import StopSign

LOOK_EVERY_S = 0.5
RENEW_EVERY_S = 1.0
EXIT_GRACE_S = 15.0

_log = structlog.stdlib.get_logger(__name__)


class PipelineEnd(Enum):
    """Why the supervisor stopped watching a pipeline process."""

    EXITED = auto()
    """The process ended without writing a final state."""
    FINISHED = auto()
    """The process wrote the run's final state."""
    CANCELLED = auto()
    """The user cancelled the run."""
    WORKER_STOPS = auto()
    """The worker is being shut down."""
    LEASE_LOST = auto()
    """Another worker has the run, or had it, or the run is gone."""


@dataclass(kw_only=True)
class _Watch:
    """A pipeline process that is being watched. Points in time are seconds of the monotonic clock."""

    claim: RunClaim
    pipeline: PipelineProcess
    used_before_s: float
    """Seconds of the budget that earlier attempts used."""
    budget_s: float
    """The budget that the pipeline was last told."""
    started_s: float
    renewed_s: float = field(default_factory=time.monotonic)
    """When the lease was last renewed."""
    asked_to_stop: bool = False

    def since_renewal_s(self) -> float:
        return time.monotonic() - self.renewed_s

    def used_s(self) -> float:
        """Seconds of the budget that this attempt and the earlier ones have used."""
        return self.used_before_s + time.monotonic() - self.started_s


class Supervisor:
    """Runs one pipeline process at a time under a lease.

    Args:
        stopping: set while the worker is being shut down; the run is then put back into the queue and continues later.
        command: the command line of the pipeline process, to which the run's id is added, and when it was taken.
        events: where changes of the run's state are published; None to publish nothing.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        stopping: StopSign,
        *,
        command: Sequence[str] = PIPELINE,
        events: Publishes | None = None,
    ) -> None:
        self._events = events
        self._database = database
        self._settings = settings
        self._stopping = stopping
        self._command = command
        self._owner = str(LeaseOwner.mine())

    def supervise_next(self) -> str | None:
        """Claims the waiting run whose turn it is and watches its pipeline until it ends.

        Returns:
            The id of the run; None where none can be begun with.

        Raises:
            OSError: the pipeline cannot be started; the run is marked as failed, with a message that says so.
        """
        claimed = self._claim_next()
        if claimed is None:
            return None
        self._serve(*claimed)
        return claimed[0].run_id

    def _serve(self, claim: RunClaim, run: Run) -> None:
        run_id = claim.run_id
        began_s = time.monotonic()
        self._publish(run_id, run.state)
        log = self._settings.home / "logs" / f"run-{run_id}.log"
        command = [*self._command, run_id, str(claim.number), f"{began_s:.3f}"]
        try:
            pipeline = PipelineProcess(command, environment_of(self._settings), log)
        except OSError as error:
            self._fail(claim, worker_messages.NOT_STARTED.format(reason=error.strerror))
            raise
        watch = _Watch(
            claim=claim, pipeline=pipeline, used_before_s=run.used_s, budget_s=run.budget_s, started_s=began_s
        )
        with pipeline:
            _log.info("pipeline started", run_id=run_id, pid=pipeline.pid)
            ending = self._watch(watch)
            if ending is PipelineEnd.FINISHED:
                pipeline.wait(EXIT_GRACE_S)
        _log.info("pipeline ended", run_id=run_id, ending=ending.name, exit_code=pipeline.exit_code)
        if ending is PipelineEnd.LEASE_LOST:
            return
        state = self._settle(ending, watch, log)
        if state is not None:
            self._publish(run_id, state)

    @patiently
    def _claim_next(self) -> tuple[RunClaim, Run] | None:
        """The run whose turn it is, which is now held by this worker; None if there is none."""
        settings = self._settings
        with self._database.session() as session:
            claim = claim_next_run(
                session, owner=self._owner, lease_s=settings.lease_s, runs_at_once=settings.account_runs_at_once
            )
            if claim is None:
                return None
            run = known_run(session, claim.run_id)
            session.refresh(run)  # the queue has read it in part, and before it was claimed
            change_run_state(run, RunState.PREPARING)
            run.activity = worker_messages.GETTING_READY
            return claim, run

    def _watch(self, watch: "_Watch") -> PipelineEnd:
        while watch.pipeline.wait(LOOK_EVERY_S) is None:
            if self._stopping.is_set():
                return PipelineEnd.WORKER_STOPS
            try:
                with self._database.session() as session:
                    ending = self._look(session, session.get(Run, watch.claim.run_id), watch)
            except DBAPIError as error:
                if not is_away(error):
                    raise
                # No reason to lose an hour's search: the pipeline waits as well, and where another worker has taken the
                # run meanwhile, nothing that is written here counts.
                _log.warning("the database does not answer", reason=type(error.orig).__name__)
                ending = None
            if ending is not None:
                return ending
        return PipelineEnd.EXITED

    def _look(self, session: Session, run: Run | None, watch: "_Watch") -> PipelineEnd | None:
        """Forwards what the user asked for on the page, and renews the lease when that is due."""
        if run is None or run.lease_number != watch.claim.number:
            return PipelineEnd.LEASE_LOST
        if run.state.is_finished():
            return PipelineEnd.FINISHED
        if run.cancel_requested:
            return PipelineEnd.CANCELLED
        if run.stop_requested and not watch.asked_to_stop:
            watch.pipeline.ask_to_stop()
            watch.asked_to_stop = True
        if run.budget_s > watch.budget_s:
            watch.pipeline.send_budget(run.budget_s)
            watch.budget_s = run.budget_s
        if watch.since_renewal_s() >= min(RENEW_EVERY_S, self._settings.lease_s / 3):
            if not renew_lease(session, watch.claim, lease_s=self._settings.lease_s):
                return None  # it has ended or was taken since it was read: the next look tells which
            run.used_s = watch.used_s()
            watch.renewed_s = time.monotonic()
        return None

    def _settle(self, ending: PipelineEnd, watch: "_Watch", log: Path) -> RunState | None:
        """Writes the final state that the pipeline could not write itself, and returns it. The process has ended."""
        shutil.rmtree(self._settings.workspace(watch.claim.run_id, watch.claim.number), ignore_errors=True)
        try:
            return self._write_end(ending, watch, log)
        except LeaseLost:
            _log.warning("another worker has the run", run_id=watch.claim.run_id)
            return None

    @patiently
    def _write_end(self, ending: PipelineEnd, watch: "_Watch", log: Path) -> RunState | None:
        with self._database.fenced(watch.claim.hold).session() as session:
            run = known_run(session, watch.claim.run_id)
            run.used_s = watch.used_s()
            if run.state.is_finished():
                return None
            if run.cancel_requested:
                change_run_state(run, RunState.CANCELLED)
            elif ending is PipelineEnd.WORKER_STOPS:
                hand_back(run, worker_messages.WAITING_WORKER_STOPPED, self._settings.lease_s)
                run.attempts -= 1  # only attempts that failed by themselves count
            elif watch.pipeline.exit_code == AWAY_CODE:
                hand_back(run, worker_messages.WAITING_DATABASE_AWAY, self._settings.lease_s)
                run.attempts -= 1
            else:
                fail_run(run, "internal", _crash_message(run, watch.pipeline.exit_code, log))
            return run.state

    @patiently
    def _fail(self, claim: RunClaim, message: str) -> None:
        with self._database.fenced(claim.hold).session() as session:
            fail_run(known_run(session, claim.run_id), "internal", message)
        self._publish(claim.run_id, RunState.FAILED)

    def _publish(self, run_id: str, state: RunState) -> None:
        if self._events is not None:
            self._events.publish(run_id, "end" if state.is_finished() else "state", state=state)


def hand_back(run: Run, activity: str, lease_s: float) -> None:
    """Puts a running run back into the queue, where any worker may claim it."""
    hold_progress(run, lease_s)
    run.log.add(LogEntry(kind="worker", text=activity))
    change_run_state(run, RunState.QUEUED)
    run.lease_owner, run.lease_until = "", None
    run.lease_number += 1  # whatever of the attempt may still live writes nothing more
    run.activity = activity


def _crash_message(run: Run, exit_code: int | None, log: Path) -> str:
    if exit_code == -signal.SIGKILL:
        problem = worker_messages.KILLED
    else:
        problem = worker_messages.STOPPED_UNEXPECTEDLY.format(log=log.name)
    if any(artifact.kind == "best_so_far" for artifact in run.artifacts):
        return worker_messages.BEST_MODEL_LEFT.format(problem=problem)
    return problem
