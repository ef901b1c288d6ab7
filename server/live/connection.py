"""The connection of one open live page, to which the thread that distributes events writes directly.

The request's own gunicorn thread sends the headers and the events that the page has missed, and then only sleeps. If
each of several hundred threads were woken for each event, they would slow down every other page.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

MAX_WAITING_BYTES = 1 << 18


class Connection:
    """A socket to which is written without ever waiting.

    Args:
        is_chunked: whether the response uses HTTP/1.1's chunked transfer encoding.
    """

    def __init__(self, connection: socket.socket, is_chunked: bool) -> None:
        self._socket, self._is_chunked = connection, is_chunked
        self._waiting = bytearray()

    def write(self, content: bytes) -> bool:
        """False if the page is gone, or reads so slowly that it should be disconnected."""
        if content:
            self._waiting += b"%x\r\n%b\r\n" % (len(content), content) if self._is_chunked else content
        try:
            while self._waiting:
                del self._waiting[: self._socket.send(self._waiting, socket.MSG_DONTWAIT)]
        except BlockingIOError:
            return len(self._waiting) <= MAX_WAITING_BYTES
        except OSError:
            return False
        return True

    @property
    def is_idle(self) -> bool:
        """Whether everything that was written has been handed to the operating system."""
        return not self._waiting

    def cut(self) -> None:
        """Ends the connection at once. The next write to it fails."""
        with suppress(OSError):  # the connection has ended already
            self._socket.shutdown(socket.SHUT_RDWR)


def connection_of(environ: Mapping[str, Any]) -> Connection | None:
    """The connection of the current request; None if the web server does not offer its socket, as gunicorn does."""
    lent = environ.get("gunicorn.socket")
    if not isinstance(lent, socket.socket) or environ.get("wsgi.url_scheme") != "http":
        return None
    return Connection(lent, is_chunked=environ.get("SERVER_PROTOCOL") == "HTTP/1.1")
