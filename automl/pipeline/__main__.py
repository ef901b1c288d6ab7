"""`python -m automl.pipeline RUN_ID NUMBER BEGAN`: one run of the web service, as a process of its own.

NUMBER is that of the lease under which the worker has the run: once another one has it, nothing that this process
writes counts, and it ends. BEGAN is when the worker took the run, in seconds of this machine's monotonic clock, which
all processes share: starting Python and importing the libraries takes seconds, and these are the user's, too.

Its standard input is a pipe from the worker: the line `stop` ends the search and keeps the best model so far, the line
`budget SECONDS` makes the whole budget longer; the end of the pipe means that the worker has died, and ends this
process at once.
"""

import faulthandler
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import structlog

from automl.errors import AttemptOver, DarkroomError
from automl.logs import configure_logging
from automl.models.device import device_in_words
from automl.models.weights.cache import sound
from automl.pipeline.attempt import end_process
from automl.pipeline.database_observer import DatabaseObserver
from automl.pipeline.run import Job, train
from automl.pipeline.workspaces import make_workspace
from automl.records import DatasetState, RunSettings, TrialRecord
from automl.search.budget import Budget
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.checks import check_dataset, load_manifest
from automl.store.database import Database, find_dataset, known_run
from automl.store.events import BackgroundEvents, RunEvents
from automl.store.patience import patiently
from automl.store.runs import RunClaim, fail_run
from automl.store.sides import sides_for_run
from automl.store.tables import Run
from automl.text.messages import pipeline as pipeline_messages

_log = structlog.stdlib.get_logger(__name__)

_NICE = 5


def main(arguments: list[str]) -> int:
    faulthandler.enable()  # a crash in native code then says where in the log
    give_way()
    settings = load_settings()
    run_id, number, began = arguments
    configure_logging(settings, process="pipeline", run_id=run_id)
    try:
        _run(settings, RunClaim(run_id, int(number)), float(began))
    except AttemptOver as over:
        end_process(over)
    return 0


def _run(settings: Settings, claim: RunClaim, began: float) -> None:
    run_id = claim.run_id
    database = Database(settings.database_url).fenced(claim.hold)
    store = ArtifactStore(settings.files_dir)
    start_s = used_to_start(began)
    budget = _budget(database, run_id, start_s)
    workspace = settings.workspace(run_id, claim.number)
    threading.Thread(target=_obey, args=(sys.stdin, budget), daemon=True).start()
    events = BackgroundEvents(RunEvents(settings.broker_url))
    observer = DatabaseObserver(database, store, run_id, elapsed_s=budget.elapsed_s, events=events)
    is_over = False
    try:
        observer.device(device_in_words())
        job = _prepare(run_id, workspace, settings=settings, database=database, store=store, observer=observer)
        observer.deliver(train(replace(job, start_s=start_s), budget, observer))
    except DarkroomError as error:
        _log.exception("run failed", code=error.code)
        _fail(database, run_id, error)
    except AttemptOver:
        is_over = True
        raise
    finally:
        if not is_over:  # else nothing may, or can, be written any more
            observer.ended()
            observer.close()
            events.close()
            shutil.rmtree(workspace, ignore_errors=True)


@patiently
def _budget(database: Database, run_id: str, start_s: float) -> Budget:
    with database.session() as session:
        run = known_run(session, run_id)
        return Budget(run.budget_s, used_s=run.used_s + start_s)


@patiently
def _fail(database: Database, run_id: str, error: DarkroomError) -> None:
    with database.session() as session:
        run = known_run(session, run_id)
        if not run.state.is_finished():  # else the connection was lost in the moment of the commit
            fail_run(run, error.code, error.message)


def _prepare(
    run_id: str,
    workspace: Path,
    *,
    settings: Settings,
    database: Database,
    store: ArtifactStore,
    observer: DatabaseObserver,
) -> Job:
    """Reads the run and its photos, which are checked first where that was not done yet."""
    make_workspace(workspace)
    asked = _read_run(database, run_id)
    if not asked.is_checked:
        observer.activity(pipeline_messages.CHECKING_PHOTOS)
        check_dataset(database, store, asked.dataset_id, settings=settings)
    manifest = load_manifest(database, store, run_id, scratch=workspace / "images")
    return Job(
        manifest=manifest,
        remembered=sides_for_run(database, run_id, manifest),
        settings=asked.settings,
        weights=sound(settings.weights_dir),
        cache=settings.features_dir,
        workspace=workspace,
        earlier=asked.earlier,
        notes=asked.notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the row of the run says at the start of an attempt.

    Attributes:
        dataset_id: The data set.
        settings: What was asked for.
        earlier: The trials of attempts that were broken off.
        notes: For the report.
        is_checked: Whether the photos have been checked.
    """

    dataset_id: str
    settings: RunSettings
    earlier: tuple[TrialRecord, ...]
    notes: tuple[str, ...]
    is_checked: bool


@patiently
def _read_run(database: Database, run_id: str) -> _Asked:
    with database.session() as session:
        run = known_run(session, run_id)
        earlier = tuple(trial.to_record() for trial in run.trials)
        is_checked = run.version_id is not None or find_dataset(session, run.dataset_id).state is DatasetState.READY
        return _Asked(
            dataset_id=run.dataset_id,
            settings=run.settings,
            earlier=earlier,
            notes=what_was_before(run, len(earlier)),
            is_checked=is_checked,
        )


def used_to_start(began: float) -> float:
    """Seconds since the worker took the run, which was at `began` of the monotonic clock."""
    return max(0.0, time.monotonic() - began)


def give_way() -> None:
    """Lets the pages and the checks go first where processors are scarce: users are waiting for those."""
    os.nice(_NICE)


def what_was_before(run: Run, n_earlier: int) -> tuple[str, ...]:
    """Notes for the report on what was before this attempt and makes its result less certain.

    Args:
        n_earlier: number of trials that a broken-off attempt has left.
    """
    notes = []
    if run.parent_id is not None:
        notes.append(pipeline_messages.TEST_RESULT_SEEN)
    if run.result:
        notes.append(pipeline_messages.TEST_READ_TWICE)
    if n_earlier:
        notes.append(pipeline_messages.CONTINUED.format(n=n_earlier))
    return tuple(notes)


def _obey(commands: IO[str], budget: Budget) -> None:
    """Follows the worker's commands, until the worker is gone."""
    for line in commands:
        command, _, value = line.strip().partition(" ")
        if command == "stop":
            budget.stop()
        elif command == "budget":
            budget.extend(float(value))
    # The worker is gone, so nothing watches this process any more; another attempt will continue the run.
    end_process(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
