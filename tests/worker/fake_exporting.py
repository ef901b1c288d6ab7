"""A maker of formats that does as it is told: `python fake_exporting.py BEHAVIOUR RUN_ID FORMAT NUMBER`."""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from automl.records import ExportState
from automl.settings import load_settings
from automl.store.database import Database
from automl.store.exports import ExportOutcome, find_claim, settle_export


def finish(run_id: str, name: str, number: str) -> None:
    with Database(load_settings().database_url).session() as session:
        claim = find_claim(session, run_id, name, int(number))
        assert claim is not None
        assert settle_export(session, claim, ExportOutcome(state=ExportState.READY, n_bytes=1))


def tidy_up(run_id: str, name: str, number: str) -> None:
    finish(run_id, name, number)
    time.sleep(2)
    Path(os.environ["DARKROOM_HOME"], "tidy").write_text("yes")


def wait(_run_id: str, *_more: str) -> None:
    Path(os.environ["DARKROOM_HOME"], "exporting.pid").write_text(str(os.getpid()))
    Path(tempfile.gettempdir(), "scratch").write_text("x")
    sys.stdin.readline()


def crash(_run_id: str, *_more: str) -> None:
    print("something broke", flush=True)
    sys.exit(3)


def die(_run_id: str, *_more: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
