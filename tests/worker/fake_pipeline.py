"""A pipeline that does as it is told: `python fake_pipeline.py BEHAVIOUR RUN_ID NUMBER BEGAN`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from automl.errors import DatabaseAway
from automl.pipeline.attempt import end_process
from automl.records import RunState
from automl.settings import load_settings
from automl.store.database import Database, find_run
from automl.store.runs import change_run_state


def finish(run_id: str) -> None:
    database = Database(load_settings().database_url)
    with database.session() as session:
        run = find_run(session, run_id)
        for state in (RunState.SEARCHING, RunState.FINISHING, RunState.DONE):
            change_run_state(run, state)


def wait_for_stop(run_id: str) -> None:
    Path(os.environ["DARKROOM_HOME"], "pipeline.pid").write_text(str(os.getpid()))
    if sys.stdin.readline() == "stop\n":
        finish(run_id)


def wait_for_time(run_id: str) -> None:
    Path(os.environ["DARKROOM_HOME"], "told.txt").write_text(sys.stdin.readline())
    finish(run_id)


def tell_age(run_id: str) -> None:
    age_s = time.monotonic() - float(sys.argv[4])
    Path(os.environ["DARKROOM_HOME"], "age.txt").write_text(f"{age_s}")
    finish(run_id)


def linger(run_id: str) -> None:
    finish(run_id)
    time.sleep(60)


def crash(_run_id: str) -> None:
    print("something broke", flush=True)
    sys.exit(3)


def miss_database(_run_id: str) -> None:
    end_process(DatabaseAway())


def die(_run_id: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def be_deaf(run_id: str) -> None:
    """Like native code that never comes back, with a child of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(
        [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"]
    )
    Path(os.environ["DARKROOM_HOME"], "child.pid").write_text(str(child.pid))
    time.sleep(60)


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
