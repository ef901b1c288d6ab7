"""`python -m worker.duties`: what must not wait behind checks, exports and runs, in a process of its own.

Each duty has a thread of its own, too, so that a mail server that does not answer, or the removal of a large data set,
delays no other one. All of them may run on several machines at once.
"""

import argparse
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from kombu.exceptions import OperationalError as BrokerAway
from sqlalchemy.exc import DBAPIError

from automl.logs import configure_logging
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.composed import remove_old
from automl.store.database import Database
from automl.store.events import RunEvents
from automl.store.patience import is_away
from automl.store.worker_signs import SignsAway, WorkerSigns
from automl.task_names import DUTIES
from worker.celery_app import make_app
from worker.messages import Messages
from worker.notices import runs_without_notices, send_notices
from worker.reaper import send_lost_messages, take_back_lost_runs
from worker.removal import empty_bin, make_room, remove_old_sortings
from worker.retention import clear_unused
from worker.sweeper import sweep_orphans

SIGN_EVERY_S = 5.0
REAP_EVERY_S = 2.0
REMOVE_EVERY_S = 1.0
NOTIFY_EVERY_S = 2.0
SWEEP_EVERY_S = 3600.0

_END_S = 3.0
_NODE = f"{DUTIES}@{socket.gethostname()}"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something small that is done again and again.

    Attributes:
        name: For the log.
        every_s: Seconds from the end of one time to the next.
        do: Does it once; may be broken off at any point.
    """

    name: str
    every_s: float
    do: Callable[[], None]


def duties_of(settings: Settings) -> list[Duty]:
    """All duties of an installation. Nothing is opened before the first is done."""
    database, store = Database(settings.database_url), ArtifactStore(settings.files_dir)
    events, messages = RunEvents(settings.broker_url), Messages(make_app(settings))

    signs = WorkerSigns(settings.broker_url)

    def leave_a_sign() -> None:
        try:
            signs.leave(_NODE)
        except SignsAway:
            _log.debug("no sign of life could be left: the queue does not answer")

    def reap() -> None:
        take_back_lost_runs(database, lease_s=settings.lease_s, events=events)
        send_lost_messages(database, messages, runs_at_once=settings.account_runs_at_once)

    def remove() -> None:
        make_room(database, settings)
        empty_bin(database, store, settings)

    def notify() -> None:
        for run_id in runs_without_notices(database, settings):
            send_notices(database, settings, run_id)

    def sweep() -> None:
        clear_unused(database, settings)
        remove_old_sortings(database, store, settings)
        sweep_orphans(database, store)
        remove_old(settings.composed_dir)

    return [
        Duty(name="sign", every_s=SIGN_EVERY_S, do=leave_a_sign),
        Duty(name="reap", every_s=REAP_EVERY_S, do=reap),
        Duty(name="remove", every_s=REMOVE_EVERY_S, do=remove),
        Duty(name="notify", every_s=NOTIFY_EVERY_S, do=notify),
        Duty(name="sweep", every_s=SWEEP_EVERY_S, do=sweep),
    ]


def do_duties(duties: Sequence[Duty], stopping: threading.Event) -> None:
    """Does each duty in a thread of its own until `stopping` is set, and waits a little for those under way."""
    threads = [threading.Thread(target=_repeat, args=(duty, stopping), name=duty.name, daemon=True) for duty in duties]
    for thread in threads:
        thread.start()
    stopping.wait()
    for thread in threads:
        thread.join(_END_S / len(threads))


def _repeat(duty: Duty, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            duty.do()
        except (BrokerAway, DBAPIError) as error:
            if isinstance(error, DBAPIError) and not is_away(error):
                _log.exception("a duty could not be done", duty=duty.name)
            else:
                _log.warning("a duty waits: the database or Redis does not answer", duty=duty.name)
        except Exception:  # noqa: BLE001 - it must be done the next time all the same
            _log.exception("a duty could not be done", duty=duty.name)
        stopping.wait(duty.every_s)


def is_done_here(settings: Settings) -> bool:
    """Whether another process does the duties on this machine, by the sign that it leaves."""
    try:
        return _NODE in WorkerSigns(settings.broker_url).nodes()
    except SignsAway:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--is-alive", action="store_true", help="ask whether they are done here, instead of doing them")
    settings = load_settings()
    if parser.parse_args().is_alive:
        return 0 if is_done_here(settings) else 1
    configure_logging(settings, process="duties")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    duties = duties_of(settings)
    _log.info("duties are done from here on", duties=[duty.name for duty in duties])
    do_duties(duties, stopping)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
