"""What the page needs that runs a model in the visitor's browser, and the same page as one file."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from flask import url_for
from markupsafe import escape

from server.answering import Asked
from server.browser_models import for_browsers
from server.downloads.members import read_member
from server.static_files import FOLDER

MODULES = (
    "phone.js",
    "phone-answer.js",
    "phone-camera.js",
    "phone-file.js",
    "phone-heat.js",
    "phone-model.js",
    "phone-parts.js",
    "phone-pixels.js",
    "messages.js",
    "vendor/ort.wasm.bundle.min.mjs",
)
"""The scripts of the page, the one that starts it first."""

_WASM = "vendor/ort-wasm.bin"
_STYLE = "phone.css"
_ICONS = ("favicon.svg", "touch-icon.png")
_IMPORT = re.compile(r'(?<=from ")\./(?:\w+/)*(?=[\w.-]+")')

_FILE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data: 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
)
"""Of the page as one file: what is in it may run, and no connection may be made, so that photos cannot leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneParts:
    """The large parts of the page, and where browsers keep them.

    Attributes:
        cache: the name of the browser's cache; another one as soon as any part of the page changes.
        cache_family: what the names of all caches of this page begin with.
        wasm_url: the address of ONNX Runtime Web, packed.
        n_wasm_packed: its bytes.
        model_url: the address of the model, packed.
        n_model_packed: its bytes.
        page_url: the path of the page.
        files: the addresses of all that the page is made of, itself aside.
    """

    cache: str
    cache_family: str
    wasm_url: str
    n_wasm_packed: int
    model_url: str
    n_model_packed: int
    page_url: str
    files: tuple[str, ...]

    @property
    def n_file_bytes(self) -> int:
        """About the size of the page as one file, in which the parts are text (base64)."""
        return (self.n_wasm_packed + self.n_model_packed) * 4 // 3


def phone_parts(asked: Asked) -> PhoneParts:
    """The parts of the page for one model, under the addresses of the blueprint that answers the current request."""
    packed = packed_model(asked)
    wasm_url = url_for("static", filename=_WASM)
    model_url = url_for(".model", artifact_id=asked.artifact.id)
    page_url = url_for(".show")
    static = [url_for("static", filename=name) for name in (_STYLE, *MODULES, *_ICONS)]
    files = (*static, wasm_url, model_url, url_for(".manifest"))
    family = f"phone-{_digest(page_url)}-"
    return PhoneParts(
        cache=family + _digest(*files),
        cache_family=family,
        wasm_url=wasm_url,
        n_wasm_packed=(FOLDER / _WASM).stat().st_size,
        model_url=model_url,
        n_model_packed=len(packed),
        page_url=page_url,
        files=files,
    )


def _digest(*addresses: str) -> str:
    return sha256("\n".join(addresses).encode()).hexdigest()[:12]


def packed_model(asked: Asked) -> bytes:
    """The model as browsers fetch it, see `server.browser_models` and `server.packed_models`."""
    store, artifact = asked.services.store, asked.artifact
    read = asked.services.packed_models.get
    return read(artifact.id, lambda: for_browsers(read_member(store, artifact.key, "model.onnx")))


def worker_script(parts: PhoneParts) -> str:
    """The service worker that keeps the page for times without a network."""
    kept = {"cache": parts.cache, "family": parts.cache_family, "page": parts.page_url, "files": parts.files}
    return f"const KEPT = {json.dumps(kept)};\n{_text(FOLDER / 'phone-worker.js')}"


def as_one_file(title: str, body: str, packed: bytes) -> str:
    """The page with all its parts in it, so that it works from a disk.

    Args:
        title: of the page.
        body: its HTML, without a service worker to register.
        packed: the model, packed.
    """
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{_FILE_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(title)}</title>",
        f'<link rel="icon" href="{_data_url("favicon.svg", "image/svg+xml")}">',
        f"<style>{_text(FOLDER / _STYLE)}</style>",
        f'<script type="importmap">{json.dumps({"imports": _modules()})}</script>',
    )
    parts = (
        _part("wasm", (FOLDER / _WASM).read_bytes()),
        _part("model", packed),
        f'<script type="module">import "{MODULES[0]}";</script>',
    )
    return _document(head, [body, *parts])


def _document(head: Sequence[str], body: Sequence[str]) -> str:
    lines = ("<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', *head, "</head>", "<body>")
    return "\n".join((*lines, *body, "</body>", "</html>", ""))


def _part(name: str, content: bytes) -> str:
    return f'<script type="text/plain" id="part-{name}">{base64.b64encode(content).decode()}</script>'


def _modules() -> dict[str, str]:
    """The scripts by their names, each as an address that contains it; they import each other by these names."""
    return {name.rpartition("/")[2]: _data_url(name, "text/javascript") for name in MODULES}


def _data_url(name: str, kind: str) -> str:
    text = _IMPORT.sub("", _text(FOLDER / name))
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
