"""Supervises one run: the lease, the pipeline process, Stop and Cancel, and the run's state when the process ends.

The pipeline itself writes the states `searching`, `finishing` and `done`, and the failures that it recognises. All
other changes are written here, and only while this worker holds the lease and the pipeline has ended, so that a run
never has two writers at once.
"""

import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from automl.records import RunState
from automl.settings import Settings
from automl.store.database import Database, known_run
from automl.store.events import Publishes
from automl.store.run_clock import hold_progress
from automl.store.runs import change_run_state, claim_run, fail_run, renew_lease
from automl.store.tables import LogEntry, Run
from automl.text.messages import worker as worker_messages
from worker.lease_owner import LeaseOwner
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
    """Another worker may have the run by now."""


@dataclass(kw_only=True)
class _Watch:
    """A pipeline process that is being watched. Points in time are seconds of the monotonic clock."""

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

    def supervise(self, run_id: str) -> None:
        """Claims the run and watches its pipeline until it ends. Does nothing if the run cannot be claimed.

        Raises:
            OSError: the pipeline cannot be started; the run is marked as failed, with a message that says so.
        """
        claimed = self._claim(run_id)
        if claimed is None:
            _log.info("nothing to do", run_id=run_id)
            return
        began_s = time.monotonic()
        self._publish(run_id, claimed.state)
        log = self._settings.home / "logs" / f"run-{run_id}.log"
        try:
            pipeline = PipelineProcess([*self._command, run_id, f"{began_s:.3f}"], environment_of(self._settings), log)
        except OSError as error:
            self._fail(run_id, worker_messages.NOT_STARTED.format(reason=error.strerror))
            raise
        watch = _Watch(pipeline=pipeline, used_before_s=claimed.used_s, budget_s=claimed.budget_s, started_s=began_s)
        with pipeline:
            _log.info("pipeline started", run_id=run_id, pid=pipeline.pid)
            ending = self._watch(run_id, watch)
            if ending is PipelineEnd.FINISHED:
                pipeline.wait(EXIT_GRACE_S)
        _log.info("pipeline ended", run_id=run_id, ending=ending.name, exit_code=pipeline.exit_code)
        if ending is not PipelineEnd.LEASE_LOST:
            self._settle(run_id, ending=ending, watch=watch, log=log)

    def _claim(self, run_id: str) -> Run | None:
        """The run, which is now held by this worker; None if it is finished or another worker holds it."""
        with self._database.session() as session:
            if not claim_run(session, run_id, owner=self._owner, lease_s=self._settings.lease_s):
                return None
            run = known_run(session, run_id)
            change_run_state(run, RunState.PREPARING)
            run.activity = worker_messages.GETTING_READY
            return run

    def _watch(self, run_id: str, watch: "_Watch") -> PipelineEnd:
        while watch.pipeline.wait(LOOK_EVERY_S) is None:
            if self._stopping.is_set():
                return PipelineEnd.WORKER_STOPS
            try:
                with self._database.session() as session:
                    ending = self._look(session, session.get(Run, run_id), watch)
            except OperationalError:
                # A database that is busy or unavailable for a moment is no reason to lose an hour's search. But once
                # the lease has run out, another worker may have taken the run.
                _log.warning("the database did not answer", run_id=run_id, exc_info=True)
                ending = PipelineEnd.LEASE_LOST if watch.since_renewal_s() > self._settings.lease_s else None
            if ending is not None:
                return ending
        return PipelineEnd.EXITED

    def _look(self, session: Session, run: Run | None, watch: "_Watch") -> PipelineEnd | None:
        """Forwards what the user asked for on the page, and renews the lease when that is due."""
        if run is not None and run.state.is_finished():
            return PipelineEnd.FINISHED
        if run is None or run.lease_owner != self._owner:
            return PipelineEnd.LEASE_LOST
        if run.cancel_requested:
            return PipelineEnd.CANCELLED
        if run.stop_requested and not watch.asked_to_stop:
            watch.pipeline.ask_to_stop()
            watch.asked_to_stop = True
        if run.budget_s > watch.budget_s:
            watch.pipeline.send_budget(run.budget_s)
            watch.budget_s = run.budget_s
        if watch.since_renewal_s() >= min(RENEW_EVERY_S, self._settings.lease_s / 3):
            renew_lease(session, run.id, owner=self._owner, lease_s=self._settings.lease_s)
            run.used_s = watch.used_s()
            watch.renewed_s = time.monotonic()
        return None

    def _settle(self, run_id: str, *, ending: PipelineEnd, watch: "_Watch", log: Path) -> None:
        """Writes the final state that the pipeline could not write itself. The process has ended by now."""
        shutil.rmtree(self._settings.workspace(run_id), ignore_errors=True)
        with self._database.session() as session:
            run = session.get(Run, run_id)
            if run is None or (run.lease_owner != self._owner and not run.state.is_finished()):
                return
            run.used_s = watch.used_s()
            if run.state.is_finished():
                return
            if run.cancel_requested:
                change_run_state(run, RunState.CANCELLED)
            elif ending is PipelineEnd.WORKER_STOPS:
                hand_back(run, worker_messages.WAITING_WORKER_STOPPED, self._settings.lease_s)
                run.attempts -= 1  # only attempts that failed by themselves count
            else:
                fail_run(run, "internal", _crash_message(run, watch.pipeline.exit_code, log))
        self._publish(run_id, run.state)

    def _fail(self, run_id: str, message: str) -> None:
        with self._database.session() as session:
            fail_run(known_run(session, run_id), "internal", message)
        self._publish(run_id, RunState.FAILED)

    def _publish(self, run_id: str, state: RunState) -> None:
        if self._events is not None:
            self._events.publish(run_id, "end" if state.is_finished() else "state", state=state)


def hand_back(run: Run, activity: str, lease_s: float) -> None:
    """Puts a running run back into the queue, where any worker may claim it."""
    hold_progress(run, lease_s)
    run.log.add(LogEntry(kind="worker", text=activity))
    change_run_state(run, RunState.QUEUED)
    run.lease_owner, run.lease_until = "", None
    run.activity = activity


def _crash_message(run: Run, exit_code: int | None, log: Path) -> str:
    if exit_code == -signal.SIGKILL:
        problem = worker_messages.KILLED
    else:
        problem = worker_messages.STOPPED_UNEXPECTEDLY.format(log=log.name)
    if any(artifact.kind == "best_so_far" for artifact in run.artifacts):
        return worker_messages.BEST_MODEL_LEFT.format(problem=problem)
    return problem
