"""A real Redis for tests, on a socket of its own."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen

from automl.settings import load_settings
from scripts.stack import services


@contextmanager
def running_redis(home: Path) -> Iterator[str]:
    """Starts it, gives the URL as Celery writes it, and ends it; may be called again on the same folder."""
    (home / "redis").mkdir(parents=True, exist_ok=True)
    path = home / "redis" / "redis.sock"
    path.unlink(missing_ok=True)
    service = services.redis(load_settings({**os.environ, "DARKROOM_HOME": str(home)}), path)
    with Popen(service.command, stdout=DEVNULL) as server:
        deadline = time.monotonic() + 30
        while not path.exists():
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.02)
        try:
            yield f"redis+socket://{path}"
        finally:
            server.kill()


@contextmanager
def silent_redis(home: Path) -> Iterator[str]:
    """The URL of one that takes connections and never answers, as a stopped process does."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home / "silent.sock"))
        listener.listen()
        yield f"redis+socket://{home}/silent.sock"
