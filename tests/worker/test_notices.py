"""Letters and calls at the end of a run, to a mail server and a web server that are played here."""

import json
import smtplib
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from automl.records import RunState
from automl.settings import Settings
from automl.store.database import Database, find_run
from automl.store.tables import Run, now
from tests.reports import made_report
from worker.notices import N_TRIES, _mail_server, runs_without_notices, send_notices


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps the letters that it gets."""

    daemon_threads = allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.letters: list[str] = []


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 played")
        for line in iter(self.rfile.readline, b""):
            command = line.decode().split()[0].upper()
            if command == "DATA":
                self._say("354 go on")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                assert isinstance(self.server, MailServer)
                self.server.letters.append(letter.decode())
            self._say("221 bye" if command == "QUIT" else "250 fine")
            if command == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Hook(ThreadingHTTPServer):
    """Keeps what it is told; answers with `statuses`, one after the other, and then with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.told: list[dict[str, Any]] = []
        self.statuses: list[int] = []


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hook)
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _serving(server: socketserver.BaseServer) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    yield from _serving(MailServer())


@pytest.fixture
def hook() -> Iterator[Hook]:
    yield from _serving(Hook())


@pytest.fixture
def told(settings: Settings, mail: MailServer, hook: Hook) -> Settings:
    addresses = {
        "public_url": "https://darkroom.example/",
        "smtp_url": f"smtp://127.0.0.1:{mail.server_address[1]}",
        "webhook_url": f"http://127.0.0.1:{hook.server_address[1]}/end",
    }
    return settings.model_copy(update=addresses)


@pytest.fixture
def done(add_run: Callable[..., str]) -> str:
    result = made_report(test={"accuracy": 0.93}, sentence="It was right on 93 of 100 photos.")
    ended = {"state": RunState.DONE, "finished_at": now() - timedelta(minutes=1), "result": result}
    return add_run(**ended, notify_email="a@example.org")


def test_a_letter_and_a_call_tell_of_the_end_once(
    database: Database, told: Settings, mail: MailServer, hook: Hook, done: str
) -> None:
    for _ in range(2):
        send_notices(database, told, done)
    (letter,) = mail.letters
    assert "Subject: pets is done" in letter
    assert "To: a@example.org" in letter
    assert f"https://darkroom.example/runs/{done}" in letter
    (call,) = hook.told
    expected = {"id": done, "name": "pets", "state": "done", "score": 0.93, "measured_on": "test"}
    assert expected.items() <= call.items()
    assert call["link"] == f"https://darkroom.example/runs/{done}"


def test_nobody_is_told_of_a_run_that_goes_on(database: Database, told: Settings, hook: Hook, run_id: str) -> None:
    send_notices(database, told, run_id)
    assert hook.told == []


def test_a_call_that_fails_or_is_sent_elsewhere_is_made_again(
    database: Database, told: Settings, hook: Hook, done: str
) -> None:
    hook.statuses = [500, 301]
    send_notices(database, told, done, pause_s=0)
    assert len(hook.told) == N_TRIES


def test_what_cannot_be_told_is_noted_and_hurts_nobody(
    database: Database, told: Settings, hook: Hook, done: str, load_run: Callable[[str], Run]
) -> None:
    hook.statuses = [500] * N_TRIES
    deaf = told.model_copy(update={"smtp_url": "smtp://secret:word@127.0.0.1:1"})
    send_notices(database, deaf, done, pause_s=0)
    run = load_run(done)
    assert run.state is RunState.DONE
    assert [note.split(" could not")[0] for note in run.notes] == [
        "The e-mail about the end of this run",
        "The webhook",
    ]
    assert "secret" not in str(run.notes)


def test_a_password_is_not_sent_in_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(smtplib.SMTP):
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__()

        def ehlo_or_helo_if_needed(self) -> None:
            self.esmtp_features = {}

    monkeypatch.setattr(smtplib, "SMTP", Plain)
    with pytest.raises(ValueError, match="no TLS"):
        _mail_server("smtp://me:word@mail.example.org")


def test_a_run_whose_message_was_lost_is_found_but_not_an_old_one(
    database: Database, told: Settings, settings: Settings, done: str
) -> None:
    assert runs_without_notices(database, settings) == []
    assert runs_without_notices(database, told) == [done]
    with database.session() as session:
        find_run(session, done).finished_at = now() - timedelta(hours=2)
    assert runs_without_notices(database, told) == []


def test_letters_alone_are_sent_to_those_who_asked(database: Database, told: Settings, add_run: Any, done: str) -> None:
    add_run(state=RunState.DONE, finished_at=now() - timedelta(minutes=1))
    assert runs_without_notices(database, told.model_copy(update={"webhook_url": ""})) == [done]
