"""The launcher: `python -m scripts.stack [--home FOLDER] [--host ADDRESS] [--port N] [--lan [PORT]]`."""

import argparse
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis
from sqlalchemy.exc import SQLAlchemyError

from automl.errors import BadSetting
from automl.settings import THIS_MACHINE, Settings, load_settings
from automl.store import backups
from automl.store.backups import BackupFailed
from automl.store.database import Database, TablesTooNew
from automl.store.one_time_links import setup_path
from automl.text.messages import options as option_messages
from scripts.stack import lan, services
from scripts.stack.child import Child, Service, adopt_orphans, bury_orphans, kill_orphans, rotate, stop_children
from scripts.stack.home import CannotStart, listen, locked, published_address, redis_socket, url_of

REPOSITORY = Path(__file__).resolve().parents[2]

REDIS_TIMEOUT_S = 60.0
_LONGEST_PAUSE_S = 60.0
_FORGIVEN_AFTER_S = 600.0
"""Seconds after which a service that has lived is no longer one that keeps ending."""
WEB_TIMEOUT_S = 60.0


class Stopped(Exception):
    """Ctrl-C, SIGTERM or a closed terminal, before or after everything was up."""


class Stack:
    """The services of one home, in the order in which they were started."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self._settings = settings
        self._environment = environment
        self._children: list[Child] = []
        self._restarts: Counter[str] = Counter()
        self._due: list[tuple[float, Service]] = []
        self.is_up = False
        """Whether all has been up: from then on nothing ends for good, however often it has to be started again."""
        self._signals: list[int] = []
        hang_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]  # nohup means it
        for number in (signal.SIGINT, signal.SIGTERM, *hang_up):
            signal.signal(number, lambda received, _frame: self._signals.append(received))

    def start(self, service: Service) -> None:
        logs = self._settings.home / "logs"
        logs.mkdir(exist_ok=True)
        self._children.append(Child(service, self._environment, logs, REPOSITORY))

    def watch(self) -> None:
        """Raises Stopped on a signal, CannotStart if a service has ended by itself."""
        if self._signals:
            raise Stopped
        for child in list(self._children):
            rotate(child.log, max_bytes=self._settings.log_bytes, n_older=self._settings.log_older)
            if (code := child.exit_code()) is not None:
                self._replace(child, code)
        for due in [one for one in self._due if one[0] <= time.monotonic()]:
            self._due.remove(due)
            self.start(due[1])
        bury_orphans(self._children)

    def _replace(self, child: Child, code: int) -> None:
        """Starts a service that has ended once more, after a pause that grows. Raises CannotStart before all is up."""
        ended = f"{child.service.title} has ended by itself (exit code {code})"
        name = child.service.name
        if not self.is_up and self._restarts[name] >= child.service.max_restarts:
            raise CannotStart(f"Darkroom stops, because {ended}. The end of its log {child.log}:\n{child.last_words()}")
        if child.age_s() > _FORGIVEN_AFTER_S:
            self._restarts[name] = 0
        pause_s = min(_LONGEST_PAUSE_S, 2.0 ** self._restarts[name] - 1.0)  # at once the first time
        self._restarts[name] += 1
        again = f"in {pause_s:.0f} s" if pause_s else "now"
        say(f"{ended[0].upper()}{ended[1:]}; it is started again {again}.")
        child.kill()  # what it may have left behind
        self._children.remove(child)
        self._due.append((time.monotonic() + pause_s, child.service))

    def wait_until(self, holds: Callable[[], bool], timeout_s: float, title: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            self.watch()
            if time.monotonic() > deadline:
                raise CannotStart(f"{title} did not answer within {timeout_s:.0f} s. See {self._settings.home}/logs.")
            time.sleep(0.05)

    def stop(self) -> None:
        """Redis last: the worker gives back what it has taken out of the queue."""
        self._signals.clear()
        queue = [child for child in self._children if child.service.name == "redis"]
        stop_children([c for c in self._children if c not in queue], 4.0, 4.0, self._signals)
        stop_children(queue, 4.0, 0.0, self._signals)
        kill_orphans()


def run(settings: Settings, environment: dict[str, str], lan_port: int | None = None) -> None:
    """Starts everything, says where, and stays until Ctrl-C.

    `lan_port`: where the local network reaches it over TLS; None for nowhere.

    Raises:
        CannotStart: it does not start, or a service ended by itself.
        Stopped: as asked.
    """
    with ExitStack() as cleanup:
        cleanup.enter_context(locked(settings.home))
        listener = cleanup.enter_context(listen(settings.host, settings.port))
        for_lan = None if lan_port is None else cleanup.enter_context(on_lan(settings, lan_port))
        if not settings.trusted_hosts:
            raise CannotStart(option_messages.NO_HOST_NAMES.format(host=settings.host))
        stack = Stack(settings, environment)
        adopt_orphans()
        say("Darkroom is starting ...")
        path = cleanup.enter_context(redis_socket(settings))
        cleanup.callback(stack.stop)
        if not environment.get("DARKROOM_BROKER_URL"):  # else: a Redis that is run elsewhere
            environment["DARKROOM_BROKER_URL"] = f"redis+socket://{quote(str(path))}"
            stack.start(services.redis(settings, path))
            stack.wait_until(lambda: _redis_answers(path), REDIS_TIMEOUT_S, "Redis")
        migrate(settings)
        _start_all(stack, listener)
        if for_lan is not None:
            stack.start(for_lan.service)
        url = url_of(listener)
        stack.wait_until(lambda: _page_answers(url), WEB_TIMEOUT_S, "The web server")
        cleanup.enter_context(published_address(settings.home, url))
        stack.is_up = True
        say(f"Darkroom is ready. Open {url} in a browser; Ctrl-C here stops it.")
        if for_lan is not None:
            say(for_lan.words)
        if settings.needs_accounts or for_lan is not None:
            offer_setup(settings, settings.public_url.rstrip("/") or (url if for_lan is None else for_lan.url))
        while True:
            stack.watch()
            time.sleep(0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnLan:
    """The web server for the local network.

    Attributes:
        service: What to start.
        words: What the person who starts it reads.
        url: Its first address.
    """

    service: Service
    words: str
    url: str


@contextmanager
def on_lan(settings: Settings, port: int) -> Iterator[_OnLan]:
    """The web server for the local network; its sockets listen until the end of the block.

    Raises:
        CannotStart: There is no such network, the port is taken, or no certificate can be made.
    """
    if settings.host not in THIS_MACHINE:
        raise CannotStart(f"--lan and --host {settings.host} do not go together: choose one of them.")
    addresses = lan.lan_addresses()
    with ExitStack() as sockets:
        listeners = [sockets.enter_context(listen(addresses[0], port))]
        port = listeners[0].getsockname()[1]
        listeners += [sockets.enter_context(listen(address, port)) for address in addresses[1:]]
        names = [*addresses, *lan.host_names()]
        certificate = lan.certificate_for(settings.home, names)
        hosts = [*names, *(name.strip() for name in settings.hosts.split(",") if name.strip())]
        service = services.web_on_lan([one.fileno() for one in listeners], certificate, hosts)
        words = lan.in_words(addresses, port, certificate)
        yield _OnLan(service=service, words=words, url=f"https://{addresses[0]}:{port}")


def offer_setup(settings: Settings, url: str) -> None:
    """Shows the link that makes the first administrator, where there is none yet."""
    database = Database(settings.database_url)
    try:
        with database.session() as session:
            path = setup_path(session)
    finally:
        database.close()
    if path is not None:
        say(f"""
Others can reach this server, so everybody signs in. Begin with your own account, by this link, which works once, for
a day:
  {url}{path}
""")


def migrate(settings: Settings) -> None:
    """Brings the tables up to date. Raises CannotStart."""
    try:
        kept = backups.migrate(settings)
    except (BackupFailed, TablesTooNew) as error:
        raise CannotStart(error.message) from error
    except SQLAlchemyError as error:
        raise CannotStart(f"The database cannot be opened: {error}") from error
    if kept is not None:
        say(f"The tables were brought up to date. What they were before is in {kept}.")


def _start_all(stack: Stack, listener: socket.socket) -> None:
    stack.start(services.web(listener.fileno()))  # first: somebody waits for the page
    stack.start(services.duties())  # next: it takes back what a killed stack had under way
    stack.start(services.train())
    stack.start(services.light())


def _redis_answers(path: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(path)) as client:
            return bool(client.ping())
    except redis.ConnectionError:  # not there yet, or still loading what it has kept
        return False


def _page_answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        raise CannotStart(f"The web server answers with an error ({error}). See its log.") from error
    except OSError:
        return False


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/serve", description="Starts Darkroom on this machine.")
    parser.add_argument("--home", help="folder for uploads, runs, logs and the database (DARKROOM_HOME)")
    parser.add_argument("--host", help="address to listen on (DARKROOM_HOST)")
    parser.add_argument("--port", help="port to listen on, 0 for a free one (DARKROOM_PORT)")
    parser.add_argument(
        "--lan",
        metavar="PORT",
        type=int,
        nargs="?",
        const=lan.PORT,
        help=f"also listen on the local network, with https and a certificate of its own, so that phones can use the "
        f"camera; at port {lan.PORT} unless told otherwise",
    )
    options = vars(parser.parse_args())
    lan_port = options.pop("lan")
    given = {f"DARKROOM_{name.upper()}": value for name, value in options.items() if value is not None}
    environment = {**os.environ, **given}
    try:
        settings = load_settings(environment)
        environment["DARKROOM_HOME"] = str(settings.home)
        run(settings, environment, lan_port)
    except Stopped:
        say("Darkroom has stopped.")
        return 0
    except (BadSetting, CannotStart, services.NoRedis) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    raise AssertionError("run() ends with an exception")


if __name__ == "__main__":
    sys.exit(main())
