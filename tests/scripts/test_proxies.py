"""The files for reverse proxies in docs/deploy, each with the real program in front of the real web server."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from automl.records import Role, RunState
from automl.settings import load_settings
from automl.store.accounts import add_account
from automl.store.database import Database
from automl.store.events import START, RunEvents
from automl.store.tables import AuditEvent, Dataset, Run
from scripts.stack.lan import certificate_for
from scripts.stack.services import WEB_ARGUMENTS
from tests.redis_server import running_redis
from tests.server.people import PASSWORD

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "docs" / "deploy"
NAME = "photos.example.org"
EMAIL = "olga@example.org"
PROGRAMS = {"nginx": "apt install nginx-light", "caddy": "apt install caddy"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert process.poll() is None, "it ended instead of listening"
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.05)


@dataclass
class Service:
    port: int
    database: Database
    events: RunEvents


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The web server as it runs behind one proxy, with an administrator."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        environment = {
            "DARKROOM_HOME": str(home),
            "DARKROOM_BROKER_URL": url,
            "DARKROOM_PROXIES": "1",
            "DARKROOM_PUBLIC_URL": f"https://{NAME}",
        }
        database = Database(load_settings(environment).database_url)
        database.migrate()
        with database.session() as session:
            add_account(session, email=EMAIL, name="Olga", role=Role.ADMINISTRATOR, password=PASSWORD)
        command = [sys.executable, *WEB_ARGUMENTS, "--bind", f"127.0.0.1:{port}"]
        with subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **environment}) as server:
            try:
                wait_for(port, server)
                yield Service(port, database, RunEvents(url))
            finally:
                server.terminate()
        database.close()


@dataclass
class Proxy:
    port: int
    trust: ssl.SSLContext

    def client(self, source: str = "127.0.0.1") -> httpx.Client:
        transport = httpx.HTTPTransport(verify=self.trust, local_address=source)
        headers = {"Host": NAME, "Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"}
        return httpx.Client(transport=transport, headers=headers, base_url=f"https://127.0.0.1:{self.port}", timeout=30)

    def ask(self, client: httpx.Client, method: str, path: str, **more: object) -> httpx.Response:
        return client.request(method, path, extensions={"sni_hostname": NAME}, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=PROGRAMS)
def proxy(
    request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not installed, so its file was not tried: {PROGRAMS[request.param]}")
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    certificate = certificate_for(folder, [NAME])
    make = _nginx if request.param == "nginx" else _caddy
    arguments = make(folder, port, service.port, str(certificate.certificate), str(certificate.key))
    with subprocess.Popen([program, *arguments], env={**os.environ, "HOME": str(folder)}) as running:
        try:
            wait_for(port, running)
            yield Proxy(port, ssl.create_default_context(cafile=certificate.certificate))
        finally:
            running.kill()  # Caddy would wait for all that is half-sent


def _replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, port: int, service_port: int, certificate: str, key: str) -> list[str]:
    ours = _replaced(
        (DEPLOY / "nginx.conf").read_text(),
        ("127.0.0.1:8000", f"127.0.0.1:{service_port}"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("    listen [::]:80;\n", ""),
        (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", certificate),
        (f"/etc/letsencrypt/live/{NAME}/privkey.pem", key),
    )
    places = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{ worker_connections 4096; }}\n"
    (folder / "nginx.conf").write_text(f"{whole}http {{\naccess_log off;\n{places}\n{ours}\n}}\n")
    return ["-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, port: int, service_port: int, certificate: str, key: str) -> list[str]:
    ours = _replaced(
        (DEPLOY / "Caddyfile").read_text(),
        ("127.0.0.1:8000", f"127.0.0.1:{service_port}"),
        (f"\n{NAME} {{\n", f"\nhttps://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}\n"),
        ("{\n\tservers {", "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers {"),
    )
    (folder / "Caddyfile").write_text(ours)
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.fixture
def signed_in(proxy: Proxy) -> Iterator[httpx.Client]:
    with proxy.client() as client:
        answer = proxy.ask(client, "POST", "/sign-in", data={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


def test_who_signs_in_gets_a_cookie_for_tls_and_is_written_down_with_his_own_address(
    proxy: Proxy, service: Service
) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Forwarded-Host": "evil.example"}
    with proxy.client(source="127.0.0.5") as client:
        data = {"email": EMAIL, "password": PASSWORD}
        answer = proxy.ask(client, "POST", "/sign-in", data=data, headers=forged)
        assert answer.status_code == 303, answer.text
        assert "; Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        home = proxy.ask(client, "GET", "/")
        assert home.status_code == 200 and "Sign out" in home.text
    with service.database.session() as session:
        senders = {event.sender for event in session.query(AuditEvent)}
    assert "127.0.0.5" in senders and "203.0.113.9" not in senders


def test_another_name_is_refused(proxy: Proxy) -> None:
    with proxy.client() as client:
        answer = proxy.ask(client, "GET", "/", headers={"Host": "evil.example"})
        assert answer.status_code == 403 or answer.text == ""  # Darkroom's own answer, or none of the proxy


def test_the_figures_are_for_whoever_runs_the_server(proxy: Proxy) -> None:
    with proxy.client() as client:
        assert proxy.ask(client, "GET", "/metrics").status_code == 403
        assert proxy.ask(client, "GET", "/healthz").status_code == 200


def test_large_uploads_pass(proxy: Proxy, signed_in: httpx.Client) -> None:
    files = {"files": ("cat/1.jpg", os.urandom(8_000_000), "image/jpeg")}
    answer = proxy.ask(signed_in, "POST", "/api/v1/datasets", files=files, data={"name": "pets"})
    assert (answer.status_code, answer.json().get("received")) == (201, 1)


def test_a_live_page_hears_at_once(proxy: Proxy, service: Service, signed_in: httpx.Client) -> None:
    with service.database.session() as session:
        run = Run(dataset=Dataset(name="pets"), state=RunState.SEARCHING, budget_s=60.0)
        session.add(run)
        session.flush()
        run_id = run.id
    service.events.publish(run_id, "note", text="one")
    heard: list[str] = []
    both_came = threading.Event()

    def listen() -> None:
        extensions = {"sni_hostname": NAME}
        with signed_in.stream("GET", f"/runs/{run_id}/events?after={START}", extensions=extensions) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:") and "text" in line:
                    heard.append(json.loads(line.removeprefix("data:"))["text"])
                    if heard == ["one"]:
                        service.events.publish(run_id, "note", text="two")
                    if heard == ["one", "two"]:
                        both_came.set()
                        return

    listener = threading.Thread(target=listen)
    listener.start()
    assert both_came.wait(30), heard
    listener.join()


def test_many_half_sent_requests_of_one_client_leave_the_server_to_others(proxy: Proxy) -> None:
    head = f"POST /sign-in HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 100\r\n\r\nhalf".encode()
    with ExitStack() as open_ones, proxy.client(source="127.0.0.6") as client:
        for n in range(650):
            plain = open_ones.enter_context(
                socket.create_connection(("127.0.0.1", proxy.port), source_address=("127.0.0.7", 0))
            )
            try:
                if n < 200:
                    half = open_ones.enter_context(proxy.trust.wrap_socket(plain, server_hostname=NAME))
                    half.sendall(head)
                else:
                    plain.sendall(b"\x16\x03\x01")
            except OSError:
                continue  # it was one too many
        assert proxy.ask(client, "GET", "/sign-in").status_code == 200
