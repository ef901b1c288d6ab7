"""One service as a child process: started in a session of its own, logged to a file, ended with all its children."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Service:
    """What to run. `title`: for people. `second_signal`: sent where SIGTERM was not enough; None goes to SIGKILL.

    `max_restarts`: how often it is started again where it ends by itself before all is up. `keep_fds`: open files that
    it inherits.
    `environment`: variables that only this service has.
    """

    name: str
    title: str
    command: tuple[str, ...]
    second_signal: signal.Signals | None = None
    max_restarts: int = 0
    keep_fds: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """A running service."""

    def __init__(self, service: Service, environment: Mapping[str, str], logs: Path, folder: Path) -> None:
        self.service = service
        self.log = logs / f"{service.name}.log"
        self._began_s = time.monotonic()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                service.command,
                env={**environment, **service.environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the launcher, which stops them in order
                pass_fds=service.keep_fds,
                preexec_fn=_end_with_launcher,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def age_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._began_s

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def last_words(self, n_lines: int = 8) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-n_lines:])

    def send(self, number: signal.Signals) -> None:
        if self.exit_code() is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """The whole session's group, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def stop_children(children: Iterable[Child], polite_s: float, firm_s: float, hurry: Iterable[object]) -> None:
    """SIGTERM to all; the second signal to those that are left after `polite_s`, SIGKILL after `firm_s` more.

    `hurry`: anything in it (a second Ctrl-C) cuts the waiting short.
    """
    running = [child for child in children if child.exit_code() is None]
    for child in running:
        child.send(signal.SIGTERM)
    _wait_for(running, polite_s, hurry)
    for child in running:
        if child.service.second_signal is not None:
            child.send(child.service.second_signal)
    _wait_for(running, firm_s, hurry)
    for child in running:
        child.kill()


def adopt_orphans() -> None:
    """From now on a grandchild whose parent dies becomes a child of this process, so that none is ever lost."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury_orphans(children: Iterable[Child]) -> None:
    """Takes the exit codes of adopted processes that have ended; nobody else asks for them. Not of `children`."""
    known = {child.pid for child in children}
    with suppress(ChildProcessError):  # there are none at all
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in known:
                return  # the next look is soon
            os.waitpid(ended.si_pid, 0)


def kill_orphans() -> None:
    """Ends every process that is still below this one."""
    while left := _children_of(os.getpid()):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _end_with_launcher() -> None:
    # Runs in the child, before exec: should the launcher itself be killed, its services are told to end.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _wait_for(children: Iterable[Child], timeout_s: float, hurry: Iterable[object]) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and not list(hurry) and any(child.exit_code() is None for child in children):
        time.sleep(0.05)


def _children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def rotate(log: Path, *, max_bytes: int, n_older: int) -> None:
    """Puts a log aside as `.1` once it is larger, the one before as `.2` and so on, and empties it.

    Whoever writes to it keeps it open for appending and goes on at its new beginning. What is written in the moment
    between copying and emptying is lost.

    Args:
        max_bytes: 0 for a log that may grow without end.
        n_older: how many are kept beside it.
    """
    if not max_bytes or not log.exists() or log.stat().st_size <= max_bytes:
        return
    names = [log, *(log.with_name(f"{log.name}.{number}") for number in range(1, n_older + 1))]
    for newer, older in reversed(list(pairwise(names[1:]))):
        if newer.exists():
            newer.replace(older)
    if n_older:
        shutil.copyfile(log, names[1])
    os.truncate(log, 0)
