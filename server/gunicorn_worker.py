"""Gunicorn's worker with threads, which clients that send slowly or never to the end cannot occupy.

A thread is taken from the moment a request's first bytes arrive. Without limits, some hundred half-sent requests would
have them all, and nobody else would be answered.
"""

import ssl
import time
from collections import Counter
from collections.abc import Callable
from socket import socket
from types import MethodType
from typing import Any, ClassVar

from gunicorn.workers.gthread import TConn, ThreadWorker

from automl.settings import Settings, load_settings


class PacedSocket:
    """A socket that is at its end where a request arrives too slowly; in all else it is the socket.

    Args:
        source: any connected socket.
        grace_s: a request has so many seconds to arrive,
        bytes_per_s: and for each of its bytes as long as this rate gives it;
        stall_s: but it never stalls for longer than this.
    """

    def __init__(self, source: socket, *, grace_s: float, bytes_per_s: float, stall_s: float) -> None:
        self._source = source
        self._grace_s, self._bytes_per_s, self._stall_s = grace_s, bytes_per_s, stall_s
        self.begin()

    def begin(self) -> None:
        """From now on the next request is read."""
        self._began_s, self._n_bytes = time.monotonic(), 0

    def recv(self, n_bytes: int) -> bytes:
        """What has arrived, at most `n_bytes`; nothing at the end, or where it takes too long."""
        allowed_s = self._grace_s + self._n_bytes / self._bytes_per_s
        left_s = min(self._stall_s, self._began_s + allowed_s - time.monotonic())
        if left_s <= 0:
            return b""
        self._source.settimeout(left_s)
        try:
            data = self._source.recv(n_bytes)
        except TimeoutError:
            return b""
        finally:
            self._source.settimeout(None)  # answers may take as long as they take
        self._n_bytes += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class TimelySSLSocket(ssl.SSLSocket):
    """A TLS connection of which the handshake, too, has only the grace to arrive."""

    grace_s: ClassVar[float] = 15.0
    """Python makes these sockets itself, so there is one grace for all of them."""

    def do_handshake(self, block: bool = False) -> None:
        """As ever, but not for longer than that; what is late counts as a connection that has ended."""
        self.settimeout(self.grace_s)
        try:
            super().do_handshake(block)
        except TimeoutError:
            raise ssl.SSLError(ssl.SSL_ERROR_EOF, "handshake timed out") from None
        finally:
            self.settimeout(None)


def timely_context(_config: object, make_default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """For gunicorn's setting `ssl_context`."""
    context = make_default()
    context.sslsocket_class = TimelySSLSocket
    return context


class GuardedWorker(ThreadWorker):  # type: ignore[misc]
    """For gunicorn's option `--worker-class`. Its limits are in the settings.

    Behind a proxy, all connections come from that proxy, which has to limit its clients itself: how many requests of
    one client may arrive at the same time is not counted there.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._settings: Settings = load_settings()
        self._most_reading = 0 if self._settings.proxies else self._settings.arriving_requests
        TimelySSLSocket.grace_s = self._settings.request_grace_s
        self.cfg.set("ssl_context", timely_context)
        self._reading: Counter[str] = Counter()

    def enqueue_req(self, conn: Any) -> None:
        """Reads a request in a thread, unless too many of its client are being read. In the main thread."""
        client = _client_of(conn)
        if self._most_reading and self._reading[client] >= self._most_reading:
            self.nr_conns -= 1
            conn.close()
            return
        self._reading[client] += 1
        conn.is_counted = True
        if not conn.initialized:
            conn.init = MethodType(self._begin, conn)
        else:
            conn.parser.unreader.sock.begin()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Reads and answers one request; whether the connection goes on. In a thread.

        A connection that does not go on is closed here. That waits for the client to close it, too, for up to two
        seconds; gunicorn does it in the main thread, which would take in nobody else meanwhile.
        """
        goes_on = super().handle(conn)
        if not goes_on:
            conn.close(graceful=True)
        return goes_on

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answers. In a thread, once the head of the request is there."""
        if not _has_body(req):  # a live page is answered for hours
            self.method_queue.defer(self._stop_counting, conn)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """After an answer, or where there was no request. In the main thread."""
        self._stop_counting(conn)
        super().finish_request(conn, fs)

    def _begin(self, conn: Any) -> None:
        """Takes the place of a connection's `init`."""
        TConn.init(conn)
        if not conn.is_http2 and not isinstance(conn.parser.unreader.sock, PacedSocket):
            conn.parser.unreader.sock = PacedSocket(
                conn.parser.unreader.sock,
                grace_s=self._settings.request_grace_s,
                bytes_per_s=self._settings.request_bytes_per_s,
                stall_s=self._settings.request_stall_s,
            )

    def _stop_counting(self, conn: Any) -> None:
        if conn.is_counted:
            conn.is_counted = False
            client = _client_of(conn)
            self._reading[client] -= 1
            if not self._reading[client]:
                del self._reading[client]


def _client_of(conn: Any) -> str:
    """Its address without the port; empty on a Unix socket."""
    return str(conn.client[0]) if isinstance(conn.client, tuple) else ""


def _has_body(req: Any) -> bool:
    lengths = [value for name, value in req.headers if name in ("CONTENT-LENGTH", "TRANSFER-ENCODING")]
    return any(value != "0" for value in lengths)
