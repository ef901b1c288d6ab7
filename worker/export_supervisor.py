"""Supervises the export of one format of a finished run: its lease, its process, and what is written if that dies."""

import shutil
import sys
from collections.abc import Sequence
from enum import Enum, auto

import structlog
from sqlalchemy.exc import DBAPIError

from automl.pipeline.attempt import AWAY_CODE
from automl.pipeline.workspaces import make_workspace
from automl.settings import Settings
from automl.store.database import Database
from automl.store.exports import (
    ExportClaim,
    ExportOutcome,
    claim_export,
    hand_back_export,
    has_exports_to_make,
    is_settled,
    renew_export,
    settle_export,
)
from automl.store.patience import is_away, patiently
from automl.text.messages import worker as worker_messages
from worker.pipeline_process import PipelineProcess, environment_of
from worker.reaper import is_check_waiting
from worker.stop_flag import StopSign

EXPORTING: tuple[str, ...] = ("nice", "-n", "10", sys.executable, "-m", "automl.pipeline.exporting")
"""At low priority, since a search may be running on the same machine."""

LOOK_EVERY_S = 0.5
EXIT_GRACE_S = 15.0
_LOOKS_AT_WAITING = 2

_log = structlog.stdlib.get_logger(__name__)


class ExportEnd(Enum):
    """Why the supervisor stopped watching an export process."""

    EXITED = auto()
    """The process ended by itself."""
    WORKER_STOPS = auto()
    """The worker is being shut down."""
    GIVES_WAY = auto()
    """Photos wait to be checked, and a person waits for the check."""
    LEASE_LOST = auto()
    """Another worker has the export by now, or its run was deleted."""
    DATABASE_AWAY = auto()
    """The process has waited for the database for too long."""


class ExportSupervisor:
    """Makes one format at a time under a lease.

    An export is handed back, to be made later, when the worker shuts down and when photos wait to be checked.

    Args:
        stopping: set while the worker is being shut down.
        command: the command line of the export process, without the run's id and the format.
    """

    def __init__(
        self, database: Database, settings: Settings, stopping: StopSign, *, command: Sequence[str] = EXPORTING
    ) -> None:
        self._database = database
        self._settings = settings
        self._stopping = stopping
        self._command = command

    def make_next(self, run_id: str) -> bool:
        """Claims the next format of the run, makes it, and returns whether formats of this run remain to be made.

        Returns False at once if there is nothing to claim.

        Raises:
            OSError: the process cannot be started; the format is marked as failed, with a message that says so.
        """
        claim = self._claim(run_id)
        if claim is None:
            _log.info("no format to make", run_id=run_id)
            return False
        workspace = self._settings.export_workspace(run_id, claim.format, claim.number)
        make_workspace(workspace)
        try:
            ending = self._supervise(claim)
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
        return self._give_back(claim, ending) and ending is not ExportEnd.WORKER_STOPS

    @patiently
    def _claim(self, run_id: str) -> ExportClaim | None:
        with self._database.session() as session:
            return claim_export(session, run_id, self._settings.lease_s)

    @patiently
    def _give_back(self, claim: ExportClaim, ending: ExportEnd) -> bool:
        """Frees what came to nothing, and returns whether formats of the run remain to be made.

        Where another process has the format by now, that changes nothing.
        """
        with self._database.session() as session:
            if hand_back_export(session, claim, counts=ending is ExportEnd.EXITED):
                _log.warning("format not made", run_id=claim.run_id, format=claim.format, attempt=claim.attempt)
            return has_exports_to_make(session, claim.run_id)

    @patiently
    def _fail(self, claim: ExportClaim, message: str) -> None:
        with self._database.session() as session:
            settle_export(session, claim, ExportOutcome.failed(message))

    def _supervise(self, claim: ExportClaim) -> ExportEnd:
        log = self._settings.home / "logs" / f"export-{claim.run_id}.log"
        workspace = self._settings.export_workspace(claim.run_id, claim.format, claim.number)
        environment = {
            **environment_of(self._settings),
            "TMPDIR": str(workspace),  # for all child processes, so that a killed export leaves nothing behind
            "CUDA_VISIBLE_DEVICES": "",  # otherwise TensorFlow would take all memory of a GPU that a run may be using
        }
        try:
            process = PipelineProcess([*self._command, claim.run_id, claim.format, str(claim.number)], environment, log)
        except OSError as error:
            self._fail(claim, worker_messages.EXPORT_NOT_STARTED.format(reason=error.strerror))
            raise
        with process:
            _log.info("export started", run_id=claim.run_id, format=claim.format, pid=process.pid)
            ending = self._watch(claim, process)
        exit_code = process.exit_code
        if exit_code == AWAY_CODE:
            ending = ExportEnd.DATABASE_AWAY
        _log.info("export ended", run_id=claim.run_id, format=claim.format, ending=ending.name, exit_code=exit_code)
        return ending

    def _watch(self, claim: ExportClaim, process: PipelineProcess) -> ExportEnd:
        n_looks = 0  # at a check that waits: one that is just about to begin has its process already
        while process.wait(LOOK_EVERY_S) is None:
            if self._stopping.is_set():
                return ExportEnd.WORKER_STOPS
            try:
                with self._database.session() as session:
                    n_looks = n_looks + 1 if is_check_waiting(session) else 0
                    if n_looks == _LOOKS_AT_WAITING:
                        return ExportEnd.GIVES_WAY
                    is_ours = renew_export(session, claim, self._settings.lease_s)
            except DBAPIError as error:
                if not is_away(error):
                    raise
                # The process waits as well, and where another one makes the format by then, it can write nothing.
                _log.warning("the database does not answer", reason=type(error.orig).__name__)
                continue
            if not is_ours:
                return self._after_the_lease(claim, process)
        return ExportEnd.EXITED

    def _after_the_lease(self, claim: ExportClaim, process: PipelineProcess) -> ExportEnd:
        """Tells a process that has just written its outcome, and is tidying up, from one whose claim is gone."""
        if not self._is_settled(claim):
            return ExportEnd.LEASE_LOST
        process.wait(EXIT_GRACE_S)
        return ExportEnd.EXITED

    @patiently
    def _is_settled(self, claim: ExportClaim) -> bool:
        with self._database.session() as session:
            return is_settled(session, claim)
