import os
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from automl.models.weights import InstalledWeights, installed
from automl.settings import load_settings

REPOSITORY = Path(__file__).resolve().parents[3]

Serve = Callable[[Mapping[str, bytes]], str]


@pytest.fixture(scope="session")
def weights() -> dict[str, InstalledWeights]:
    """The real pretrained weights; `scripts/test` fetches them before it starts pytest."""
    here = installed(load_settings().weights_dir)
    if not here:
        pytest.fail("No pretrained weights are installed: run `automl weights fetch` first.")
    return here


@pytest.fixture(scope="session")
def photos() -> Path:
    """The measuring photographs."""
    folder = Path(os.environ.get("DARKROOM_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "beans").is_dir():
        pytest.skip(f"the measuring photographs are not at {folder}; set DARKROOM_TEST_DATA")
    return folder


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves bytes by path and query on loopback and gives the server's URL; anything else is 404."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers: list[ThreadingHTTPServer] = []

    def start(files: Mapping[str, bytes]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def _answer(self, with_body: bool) -> None:
                body = files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                if with_body:
                    self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
