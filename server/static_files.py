"""Style sheets, scripts and pictures of the pages, under addresses that change with their contents.

An address contains a digest of all these files, so browsers may cache them for ever and fetch them again only when
something has changed. The digest is a folder of the address, so that modules can import each other by relative names.
"""

from functools import cached_property
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask_compress import Compress
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

FOLDER = Path(__file__).parent / "static"
_A_YEAR_S = 365 * 86_400


class StaticFiles:
    """The files below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def digest(self) -> str:
        """Digest of all names and contents. It is computed once, so changed files need a restart of the server."""
        total = sha256()
        for path in sorted(path for path in self._folder.rglob("*") if path.is_file()):
            total.update(f"{path.relative_to(self._folder).as_posix()}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
        return total.hexdigest()[:12]

    def send(self, filename: str, digest: str = "") -> Response:
        """One file. Under the current digest it may be cached for a year; else browsers ask each time for changes."""
        path = safe_join(str(self._folder), filename)
        if path is None or not Path(path).is_file():
            raise NotFound
        # Read as a whole: the files are small, and a stream would not be compressed.
        response = Response(Path(path).read_bytes(), mimetype=guess_type(path)[0])
        response.add_etag()
        if digest == self.digest:
            response.cache_control.public = True
            response.cache_control.max_age = _A_YEAR_S
            response.cache_control.immutable = True
        else:
            response.cache_control.no_cache = True
        response.make_conditional(request)
        return response


def install(app: Flask) -> None:
    """Serves the files as endpoint `static`, and compresses all text responses except streams."""
    files = StaticFiles(FOLDER)
    app.add_url_rule("/static/<path:filename>", "static", files.send)
    app.add_url_rule("/static/v-<digest>/<path:filename>", "static", files.send)

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values.setdefault("digest", files.digest)

    app.config.update(COMPRESS_ALGORITHM=["br", "gzip"], COMPRESS_STREAMS=False)
    Compress(app)
