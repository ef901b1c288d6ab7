"""The real Celery application, except that its pipeline only waits, and that every check kills its process.

celery --app tests.worker.fake_node worker
"""

import os
import signal
import sys
from functools import partial
from pathlib import Path

from worker import tasks
from worker.celery_app import app
from worker.supervisor import Supervisor

FAKE_PIPELINE = Path(__file__).parent / "fake_pipeline.py"


def die(*_: object, **_options: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


tasks.Supervisor = partial(Supervisor, command=(sys.executable, str(FAKE_PIPELINE), "wait_for_stop"))  # type: ignore[misc, assignment]
tasks.check = die

__all__ = ["app"]
