"""The home folder of one running stack: its lock, its sockets and its address."""

import fcntl
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.settings import Settings

_MAX_SOCKET_PATH_BYTES = 107  # what a Unix socket's name may be long


class CannotStart(Exception):
    """The stack cannot be started; the message is one line for the person at the terminal."""


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Makes the folder, closes it to other users, and holds it for this process alone.

    Raises:
        CannotStart: it cannot be written, belongs to somebody else, or another stack has it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        _close(home)
        lock = (home / "lock").open("w")
    except OSError as error:
        raise CannotStart(
            f"The folder {home} cannot be used ({error.strerror}). Choose another: DARKROOM_HOME=FOLDER scripts/serve"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = read_address(home)
            raise CannotStart(
                f"Darkroom already runs in {home}{f', at {where}' if where else ''}. "
                "Stop it there, or choose another folder: DARKROOM_HOME=FOLDER scripts/serve"
            ) from None
        yield


def _close(home: Path) -> None:
    """Takes from other users what they may do with a folder that was made by hand, or by an older version."""
    found = home.stat()
    if found.st_uid != os.geteuid():
        raise CannotStart(
            f"The folder {home} belongs to another user of this machine, who could read and change all photos in it. "
            "Choose another: DARKROOM_HOME=FOLDER scripts/serve"
        )
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        home.chmod(0o700)
        print(f"Other users of this machine could open {home}; now only you can.", file=sys.stderr)


@contextmanager
def redis_socket(settings: Settings) -> Iterator[Path]:
    """Where Redis' socket is to be: in the home, or in a private temporary folder if the home's path is too long."""
    (settings.home / "redis").mkdir(mode=0o700, exist_ok=True)
    if len(os.fsencode(settings.redis_socket)) <= _MAX_SOCKET_PATH_BYTES:
        settings.redis_socket.unlink(missing_ok=True)  # a killed Redis leaves it behind
        yield settings.redis_socket
        return
    with tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "redis.sock"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, so that a port in use is known before anything is started; port 0 takes a free one.

    Raises:
        CannotStart: the port is taken or not allowed, or there is no such address.
    """
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
        listener.set_inheritable(True)
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotStart(
            f"Port {port} of {host} cannot be used ({reason}). "
            "Stop the program that has it, or choose another port: DARKROOM_PORT=8001 scripts/serve"
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The address to open in a browser of this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def published_address(home: Path, url: str) -> Iterator[None]:
    """`<home>/address` holds the address for as long as it answers."""
    part = home / "address.part"
    part.write_text(url + "\n")
    part.replace(home / "address")
    try:
        yield
    finally:
        (home / "address").unlink(missing_ok=True)


def read_address(home: Path) -> str:
    """Empty where nothing answers yet."""
    path = home / "address"
    return path.read_text().strip() if path.exists() else ""
