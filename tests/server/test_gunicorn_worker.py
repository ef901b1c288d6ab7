"""Slow, silent and very many clients: everybody else is answered all the same."""

import http.client
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from scripts.stack.lan import certificate_for
from scripts.stack.services import WEB_ARGUMENTS
from server.gunicorn_worker import PacedSocket, TimelySSLSocket, timely_context

WORKER = "server.gunicorn_worker.GuardedWorker"


@contextmanager
def running(**settings: str) -> Iterator[int]:
    """The port of a server with as many threads as ours has fewer than the clients of these tests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", "tests.server.small_app:app", "--threads", "120"]
    command += ["--worker-class", WORKER, "--bind", f"127.0.0.1:{number}", "--no-control-socket"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env={**os.environ, **settings}) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", number)).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, "gunicorn did not start"
                    time.sleep(0.1)
            yield number
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running() as number:
        yield number


def ask(port: int, body: bytes = b"", source: str = "127.0.0.1") -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
    try:
        connection.request("POST" if body else "GET", "/", body or None)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_the_service_uses_it() -> None:
    assert WEB_ARGUMENTS[WEB_ARGUMENTS.index("--worker-class") + 1] == WORKER


def test_requests_are_answered_one_after_another_on_one_connection(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for n in (0, 5, 200_000, 0, 7):
        connection.request("POST", "/", b"x" * n)
        assert connection.getresponse().read().decode() == str(n)
    connection.close()


@pytest.mark.parametrize("sent", [b"GET / HTT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"])
def test_many_half_sent_requests_of_one_client_leave_threads_to_others(port: int, sent: bytes) -> None:
    with ExitStack() as open_ones:
        for _ in range(650):
            client = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            try:
                client.sendall(sent)
            except OSError:
                continue  # it was one too many, and closed at once
        assert ask(port, b"12345", source="127.0.0.2") == "5"
    deadline = time.monotonic() + 10  # those that have gone do not count any more
    while True:
        try:
            assert ask(port, b"1234567") == "7"
            break
        except (OSError, http.client.HTTPException):
            assert time.monotonic() < deadline


def half_sent(port: int, n: int, open_ones: ExitStack) -> list[socket.socket]:
    clients = [open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(n)]
    for client in clients:
        with suppress(OSError):  # it was one too many, and closed at once
            client.sendall(b"GET / HTT")
    return clients


def test_how_many_may_arrive_at_once_is_a_setting() -> None:
    with running(DARKROOM_ARRIVING_REQUESTS="5") as port, ExitStack() as open_ones:
        waiting = half_sent(port, 40, open_ones)
        deadline = time.monotonic() + 10  # shorter than the grace of those that are waited for
        while len(waiting) > 5:
            assert time.monotonic() < deadline
            ended, _, _ = select.select(waiting, [], [], 1.0)
            waiting = [client for client in waiting if client not in ended]


def test_how_many_may_arrive_at_once_is_left_to_a_proxy() -> None:
    with running(DARKROOM_PROXIES="1") as port, ExitStack() as open_ones:
        clients = half_sent(port, 110, open_ones)
        for client in clients:
            client.sendall(b"P/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert all(client.recv(100).startswith(b"HTTP/1.1 200") for client in clients)


def test_clients_that_do_not_close_keep_nobody_waiting(port: int) -> None:
    """Each would hold up the main thread for two seconds."""
    began_s = time.monotonic()
    with ExitStack() as open_ones:
        for _ in range(20):
            client = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began_s < 20


def test_a_request_that_takes_longer_than_its_grace_is_ended() -> None:
    with running(DARKROOM_REQUEST_GRACE_S="1", DARKROOM_REQUEST_BYTES_PER_S="1000000") as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTT")
            client.settimeout(30)
            assert not client.recv(100).startswith(b"HTTP/1.1 200")
        assert ask(port, b"12345") == "5"


def paced(grace_s: float = 10.0, bytes_per_s: float = 1e6, stall_s: float = 10.0) -> tuple[PacedSocket, socket.socket]:
    ours, theirs = socket.socketpair()
    return PacedSocket(ours, grace_s=grace_s, bytes_per_s=bytes_per_s, stall_s=stall_s), theirs


def test_what_arrives_is_read_and_the_end_is_the_end() -> None:
    reader, theirs = paced()
    theirs.sendall(b"hello")
    assert (reader.recv(3), reader.recv(100)) == (b"hel", b"lo")
    assert reader.gettimeout() is None
    theirs.close()
    assert reader.recv(100) == b""
    reader.close()


def test_drops_of_single_bytes_end_after_the_grace() -> None:
    reader, theirs = paced(grace_s=0.3, bytes_per_s=1_000)
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.02):
            theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    began_s, n_bytes = time.monotonic(), 0
    while data := reader.recv(100):
        n_bytes += len(data)
    over.set()
    dripping.join()
    assert n_bytes > 0 and 0.25 < time.monotonic() - began_s < 5
    reader.begin()  # the next request has a grace of its own
    theirs.sendall(b"y")
    assert reader.recv(100).endswith(b"y")
    theirs.close()
    reader.close()


def test_what_was_fast_may_still_not_stall() -> None:
    reader, theirs = paced(bytes_per_s=1.0, stall_s=0.1)
    theirs.sendall(b"x" * 1000)
    assert len(reader.recv(2000)) == 1000
    assert reader.recv(100) == b""
    theirs.close()
    reader.close()


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """Our end of a TLS connection that was just accepted, and the client's plain one."""
    monkeypatch.setattr(TimelySSLSocket, "grace_s", 0.3)
    certificate = certificate_for(tmp_path, ["localhost"])
    ours, theirs = socket.socketpair()
    context = timely_context(None, lambda: ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
    context.load_cert_chain(certificate.certificate, certificate.key)
    connection = context.wrap_socket(ours, server_side=True, do_handshake_on_connect=False)
    yield connection, theirs, certificate
    connection.close()
    theirs.close()


def test_a_handshake_that_is_half_sent_ends_like_a_closed_connection(tls):
    connection, theirs, _ = tls
    theirs.sendall(b"\x16\x03\x01")
    with pytest.raises(ssl.SSLError) as caught:
        connection.do_handshake()
    assert caught.value.args[0] == ssl.SSL_ERROR_EOF


def test_a_handshake_in_time_leaves_a_connection_that_waits(tls):
    connection, theirs, certificate = tls
    trusting = ssl.create_default_context(cafile=certificate.certificate)

    def greet() -> None:
        with trusting.wrap_socket(theirs, server_hostname="localhost") as client:
            client.sendall(b"hello")

    client = threading.Thread(target=greet)
    client.start()
    connection.do_handshake()
    assert (connection.recv(5), connection.gettimeout()) == (b"hello", None)
    client.join()
