"""The command lines of the services. `docker-compose.yml` uses the same; a test compares them."""

import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from automl.settings import Settings
from scripts.stack.child import Service
from scripts.stack.lan import Certificate

_RESTARTS = 3  # what the system killed for its memory comes back: no run ends because the pages are gone for a moment
_CELERY = ("-m", "celery", "--app", "worker.celery_app", "worker")
# One node of each kind: there is nobody to gossip with.
_ALONE = ("--without-gossip", "--without-mingle")

_ONE_RUN = ("--concurrency", "1")

TRAIN_ARGUMENTS = (*_CELERY, *_ONE_RUN, *_ALONE, "--queues", "train", "--hostname", "train@%h", "--pool", "threads")
LIGHT_ARGUMENTS = (*_CELERY, *_ALONE, "--queues", "light", "--hostname", "light@%h", "--pool", "prefork")
DUTIES_ARGUMENTS = ("-m", "worker.duties")
WEB_ARGUMENTS = (
    "-m", "gunicorn", "server:serve()",
    "--worker-class", "server.gunicorn_worker.GuardedWorker",
    "--workers", "1", "--threads", "600",  # an open page of a live run holds one
    "--graceful-timeout", "2", "--no-control-socket",
    "--logger-class", "server.gunicorn_log.GunicornLog",
)  # fmt: skip
WEB_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}
"""Each of the many threads would have glibc keep memory for it, which grows for hours: 370 MB became 490 in ten minutes
of a hundred users, 210 became 220 with two arenas, and answers took no longer."""


class NoRedis(Exception):
    """There is no redis-server; the message says how to get one."""


def redis(settings: Settings, socket: Path) -> Service:
    """The queue's server: on a private socket and never on a port; what waits in it survives a restart.

    Raises:
        NoRedis: neither on the PATH nor in the cache.
    """
    command = (
        _redis_server(settings),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "600"),
        *("--dir", str(settings.home / "redis"), "--appendonly", "yes", "--save", ""),
        *("--logfile", "", "--daemonize", "no"),
    )
    return Service("redis", "Redis", command, max_restarts=_RESTARTS)


def train() -> Service:
    return Service("worker-train", "the training worker", (sys.executable, *TRAIN_ARGUMENTS), signal.SIGQUIT, _RESTARTS)


def light() -> Service:
    return Service("worker-light", "the checking worker", (sys.executable, *LIGHT_ARGUMENTS), signal.SIGQUIT, _RESTARTS)


def duties() -> Service:
    command = (sys.executable, *DUTIES_ARGUMENTS)
    return Service("worker-duties", "the worker for small duties", command, max_restarts=_RESTARTS)


def web(listener: int) -> Service:
    """`listener`: the file number of a socket that listens already."""
    command = (sys.executable, *WEB_ARGUMENTS, "--bind", f"fd://{listener}")
    return Service(
        "web",
        "the web server",
        command,
        max_restarts=_RESTARTS,
        keep_fds=(listener,),
        environment=WEB_ENVIRONMENT,
    )


def web_on_lan(listeners: Sequence[int], certificate: Certificate, hosts: Sequence[str]) -> Service:
    """The same web server once more, over TLS, for requests to these names.

    `listeners`: the file numbers of sockets that listen already.
    """
    command = (
        *(sys.executable, *WEB_ARGUMENTS),
        *("--certfile", str(certificate.certificate), "--keyfile", str(certificate.key)),
        *(part for listener in listeners for part in ("--bind", f"fd://{listener}")),
    )
    return Service(
        "web-lan",
        "the web server for the local network",
        command,
        max_restarts=_RESTARTS,
        keep_fds=tuple(listeners),
        environment={**WEB_ENVIRONMENT, "DARKROOM_HOSTS": ",".join(hosts), "DARKROOM_HOST": hosts[0]},
    )


def _redis_server(settings: Settings) -> str:
    installed = shutil.which("redis-server")
    embedded = settings.cache_dir / "redis" / "redis-server"
    if installed is None and not embedded.is_file():
        raise NoRedis(
            "redis-server was not found. Run scripts/setup once, or install it: sudo apt install redis-server"
        )
    return installed or str(embedded)
