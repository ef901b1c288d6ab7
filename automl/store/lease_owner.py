"""The holder of a lease: one process, named so that other processes of its machine notice its death."""

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseOwner:
    """One process that may hold leases."""

    host: str
    """Name of the machine, for people."""
    place: str
    """Identifies the boot of the machine and the process namespace: two containers may share a host name, and both may
    have a process with number 1."""
    pid: int
    started: int
    """Start time of the process in clock ticks since boot, since process numbers are used again."""

    @classmethod
    def mine(cls) -> "LeaseOwner":
        """This process."""
        return cls(host=socket.gethostname(), place=_place(), pid=os.getpid(), started=_start_time(os.getpid()) or 0)

    @classmethod
    def parse(cls, text: str) -> "LeaseOwner | None":
        """The owner that `str()` wrote, or None where something else did."""
        try:
            host, place, pid, started = text.rsplit("/", 3)
            return cls(host=host, place=place, pid=int(pid), started=int(started))
        except ValueError:
            return None

    @classmethod
    def is_known_dead(cls, text: str) -> bool:
        """Whether the owner that `text` names could be seen from here, and is gone."""
        owner = cls.parse(text)
        return owner is not None and owner.is_here() and not owner.is_alive()

    def __str__(self) -> str:
        return f"{self.host}/{self.place}/{self.pid}/{self.started}"

    def is_here(self) -> bool:
        """True if the owner could be seen from this process, were it alive."""
        return self.place == _place()

    def is_alive(self) -> bool:
        """Meaningful only where `is_here()`."""
        return _start_time(self.pid) == self.started


def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return uuid4().hex[:12]  # no /proc: nobody can be seen from anywhere, so leases have to run out
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:12]


def _start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of `pid`; None where there is no such process, or only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the command, in brackets, may itself hold blanks and brackets
    return None if fields[0] in "ZX" else int(fields[19])
