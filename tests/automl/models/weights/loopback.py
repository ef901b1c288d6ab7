"""An HTTP server on loopback, in place of the internet."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Loopback:
    """Serves `files`, bytes by path and query, as what `kinds` says they are; anything else is 404.

    `cut_off_after`: sends no more than so many bytes of a file and then hangs up. `login`: header that is required.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.kinds: dict[str, str] = {}
        self.cut_off_after: int | None = None
        self.login: str | None = None
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer()

            def do_GET(self) -> None:
                body = self.answer()
                self.wfile.write(body[: loopback.cut_off_after])

            def answer(self) -> bytes:
                loopback.asked.append(self.path)
                body = loopback.files.get(self.path)
                is_allowed = loopback.login in (None, self.headers.get("Authorization"))
                self.send_response(401 if not is_allowed else 404 if body is None else 200)
                usual = "text/html" if self.path.endswith("/") else "application/octet-stream"
                self.send_header("Content-Type", loopback.kinds.get(self.path, usual))
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                return body or b""

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
