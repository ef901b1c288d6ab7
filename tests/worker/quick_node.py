"""The real Celery application with `quick_pipeline` in place of a search, and checks that never end.

celery --app tests.worker.quick_node worker
"""

import sys
import time
from functools import partial

from automl.settings import load_settings
from worker import tasks
from worker.celery_app import app
from worker.supervisor import Supervisor


def check_for_ever(_database: object, _store: object, dataset_id: str, **_options: object) -> None:
    for name in ("checking", f"checking-{dataset_id}"):
        (load_settings().home / name).touch()
    time.sleep(3600)


tasks.check = check_for_ever
tasks.Supervisor = partial(Supervisor, command=(sys.executable, "-m", "tests.worker.quick_pipeline"))  # type: ignore[misc, assignment]

__all__ = ["app"]
