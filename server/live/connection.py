"""The connection of one open live page, written to by the one thread that hands out events.

gunicorn's own thread of the request sends the headers and what the page has missed, and then only sleeps. Were each of
some hundred threads woken for each event, they would hold up every other page.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

MAX_WAITING_BYTES = 1 << 18


class Connection:
    """A socket that is never waited for. `is_chunked`: whether the body is sent in chunks, as HTTP/1.1 has them."""

    def __init__(self, connection: socket.socket, is_chunked: bool) -> None:
        self._socket, self._is_chunked = connection, is_chunked
        self._waiting = bytearray()

    def write(self, content: bytes) -> bool:
        """False where the page has gone, or takes so little that it should be cut off."""
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
        """Whether all that was written is on its way."""
        return not self._waiting

    def cut(self) -> None:
        """Ends it at once; whoever writes to it finds out."""
        with suppress(OSError):  # it has ended by itself
            self._socket.shutdown(socket.SHUT_RDWR)


def connection_of(environ: Mapping[str, Any]) -> Connection | None:
    """That of the present request, if the web server is gunicorn and lends it."""
    lent = environ.get("gunicorn.socket")
    if not isinstance(lent, socket.socket) or environ.get("wsgi.url_scheme") != "http":
        return None
    return Connection(lent, is_chunked=environ.get("SERVER_PROTOCOL") == "HTTP/1.1")
