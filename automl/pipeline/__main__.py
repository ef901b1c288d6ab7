"""`python -m automl.pipeline RUN_ID [BEGAN]`: one run of the web service, as a process of its own.

BEGAN is when the worker took the run, in seconds of this machine's monotonic clock, which all processes share: starting
Python and importing the libraries takes seconds, and these are the user's, too.

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
from collections.abc import Sequence
from typing import IO

import structlog

from automl.errors import DarkroomError
from automl.logs import configure_logging
from automl.models.device import device_in_words
from automl.models.weights.cache import sound
from automl.pipeline.database_observer import DatabaseObserver
from automl.pipeline.run import Job, train
from automl.records import DatasetState
from automl.search.budget import Budget
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.checks import check_dataset, load_manifest
from automl.store.database import Database, find_dataset, known_run
from automl.store.events import BackgroundEvents, RunEvents
from automl.store.runs import fail_run
from automl.store.sides import sides_for_run
from automl.store.tables import Run
from automl.text.messages import pipeline as pipeline_messages

_log = structlog.stdlib.get_logger(__name__)

_NICE = 5


def main(arguments: list[str]) -> int:
    faulthandler.enable()  # a crash in native code then says where in the log
    give_way()
    settings = load_settings()
    run_id, *began = arguments
    configure_logging(settings, process="pipeline", run_id=run_id)
    database = Database(settings.database_url)
    store = ArtifactStore(settings.files_dir)
    with database.session() as session:
        run = known_run(session, run_id)
        budget = Budget(run.budget_s, used_s=run.used_s + used_to_start(began))
    threading.Thread(target=_obey, args=(sys.stdin, budget), daemon=True).start()
    events = BackgroundEvents(RunEvents(settings.broker_url))
    observer = DatabaseObserver(database, store, run_id, elapsed_s=budget.elapsed_s, events=events)
    try:
        observer.device(device_in_words())
        job = _prepare(run_id, settings=settings, database=database, store=store, observer=observer)
        observer.deliver(train(job, budget, observer))
    except DarkroomError as error:
        _log.exception("run failed", code=error.code)
        with database.session() as session:
            fail_run(known_run(session, run_id), error.code, error.message)
    finally:
        observer.ended()
        observer.close()
        events.close()
        shutil.rmtree(settings.workspace(run_id), ignore_errors=True)
    return 0


def _prepare(
    run_id: str, *, settings: Settings, database: Database, store: ArtifactStore, observer: DatabaseObserver
) -> Job:
    """Reads the run and its photos, which are checked first where that was not done yet."""
    workspace = settings.workspace(run_id)
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    with database.session() as session:
        run = known_run(session, run_id)
        dataset_id, run_settings = run.dataset_id, run.settings
        earlier = tuple(trial.to_record() for trial in run.trials)
        notes = what_was_before(run, len(earlier))
        is_checked = run.version_id is not None or find_dataset(session, dataset_id).state is DatasetState.READY
    if not is_checked:
        observer.activity(pipeline_messages.CHECKING_PHOTOS)
        check_dataset(database, store, dataset_id, settings=settings)
    manifest = load_manifest(database, store, run_id, scratch=workspace / "images")
    return Job(
        manifest=manifest,
        remembered=sides_for_run(database, run_id, manifest),
        settings=run_settings,
        weights=sound(settings.weights_dir),
        cache=settings.features_dir,
        workspace=workspace,
        earlier=earlier,
        notes=notes,
    )


def used_to_start(began: Sequence[str]) -> float:
    """Seconds since the worker took the run; 0 where this process was started by hand, without that moment."""
    return max(0.0, time.monotonic() - float(began[0])) if began else 0.0


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
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
