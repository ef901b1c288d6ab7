"""Hostile requests to a running service: what it answers, what its web server grows by, and whether it stays up.

    python -m bench.hostile_requests [--n 400] [--seed 0]

Ordinary requests (pages, JSON, forms, uploads) are changed at random places, by a seed, and sent over plain sockets, so
that nothing sets them right on the way: cut, flipped, with wrong lengths, headers without end, names with control
characters, surrogates and paths, numbers that no row has. Any answer of 500 and above but 503 and 507 is a fault, and
so is a file outside the home folder's own places, a web process that was started anew, or one that has grown by 300 MB.
"""

import argparse
import io
import json
import socket
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
from PIL import Image

from bench.harness import report
from bench.mutations import Mutation, mutated
from scripts.stack.running import RunningStack, running_stack

ANSWER_S = 5.0
ALLOWED = (503, 507)
NAMES = (
    "../../etc/passwd",
    "a\0b.jpg",
    "\u202egpj.exe",
    "x" * 5_000,
    "CON",
    "c:\\w.jpg",
    "a/\x1b[2J/b.jpg",
    "",
)
HALF_A_CHARACTER = "\ud800.jpg"
NUMBERS = ("-1", "0", "1e999", "9" * 400, "NaN", "٣", "0x10", "' OR 1=1 --")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    with running_stack() as service:
        dataset_id = _made(service)
        places, process = _places(service.home), service.web_processes()
        before_mb, sent_s = service.web_process_mb(), time.monotonic()
        said, faults = Counter[str](), []
        for number in range(options.n):
            content = _hostile(_ordinary(dataset_id, random), random)
            status = _status(service.url, content)
            said[status] += 1
            if status.isdigit() and int(status) >= 500 and int(status) not in ALLOWED:
                faults.append(f"{number}: {status} {content[:300]!r}")
        took_s = time.monotonic() - sent_s
        grown_mb = service.web_process_mb() - before_mb
        report(
            "hostile_requests",
            n=options.n,
            seed=options.seed,
            said=dict(said.most_common()),
            faults=faults,
            took_s=round(took_s, 1),
            grown_mb=round(grown_mb),
            is_same_process=service.web_processes() == process,
            new_places=sorted(_places(service.home) - places),
            still_answers=_status(service.url, _request("GET", "/healthz")) == "200",
        )


def _made(service: RunningStack) -> str:
    """A data set with a photo."""
    created = service._call("POST", "datasets", json={"name": "pets"})
    service._call("POST", f"datasets/{created['id']}/files", files={"files": ("cat/1.png", _photo())})
    return str(created["id"])


def _photo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(buffer, "PNG")
    return buffer.getvalue()


def _request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = {"Host": "127.0.0.1", "Connection": "close", "Sec-Fetch-Site": "same-origin", **(headers or {})}
    if body:
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("utf-8", "surrogatepass") + body


def _ordinary(dataset_id: str, random: np.random.Generator) -> bytes:
    """A request as browsers and programs send them, with a hostile value in it, perhaps."""
    name, number = str(random.choice(NAMES)), str(random.choice(NUMBERS))
    if random.random() < 0.1:
        name = HALF_A_CHARACTER
    address = quote(name, errors="surrogatepass")
    as_json = {"Content-Type": "application/json"}
    deep = json.dumps({"name": name}) if random.random() < 0.7 else "[" * 100_000
    edit = {"kind": "move", "values": {"files": [number, 1], "to": name}}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    boundary = "x7" if random.random() < 0.8 else "x" * 300
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = part.encode("utf-8", "surrogatepass") + _photo() + f"\r\n--{boundary}--\r\n".encode()
    multipart = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    kinds = (
        _request("GET", f"/datasets/{dataset_id}?like={address}"),
        _request("GET", f"/datasets/{dataset_id}/photos/{quote(number)}"),
        _request("GET", f"/datasets/{dataset_id}/photos?label={address}&page={quote(number)}"),
        _request("GET", f"/runs/{address}/details"),
        _request("GET", f"/static/{address}", {"Range": f"bytes={number}-,0-0,{'0-1,' * 2000}5"}),
        _request("GET", "/", {"Cookie": f"darkroom={name}", "Accept-Language": "x" * 7_000}),
        _request("POST", "/api/v1/datasets", as_json, deep.encode("utf-8", "surrogatepass")),
        _request("POST", f"/api/v1/datasets/{dataset_id}/edits", as_json, json.dumps(edit).encode()),
        _request("PATCH", f"/api/v1/datasets/{dataset_id}", as_json, json.dumps({"name": name}).encode()),
        _request("POST", f"/datasets/{dataset_id}/edits", form, f"kind=move&files={number}&to={address}".encode()),
        _request("POST", f"/datasets/{dataset_id}/rename", form, f"name={address}".encode()),
        _request("POST", f"/api/v1/datasets/{dataset_id}/files", multipart, body),
        _request("POST", "/datasets", multipart, body),
    )
    return kinds[int(random.integers(len(kinds)))]


def _hostile(content: bytes, random: np.random.Generator) -> bytes:
    """Half of them are changed at places that know nothing of HTTP."""
    kinds = list(Mutation)
    return mutated(content, kinds[int(random.integers(len(kinds)))], random) if random.random() < 0.5 else content


def _status(url: str, content: bytes) -> str:
    """Of the answer; in words where there is none."""
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), timeout=ANSWER_S) as connection:
            connection.sendall(content)
            line = connection.makefile("rb").readline(200).split()
    except TimeoutError:
        return "it waits for the rest"
    except OSError:
        return "it closed the connection"
    return line[1].decode(errors="replace") if len(line) > 1 else "no answer"


def _places(home: Path) -> set[str]:
    """What lies directly in the home folder, and beside it."""
    return {path.name for path in home.iterdir()} | {f"../{path.name}" for path in home.parent.glob("*passwd*")}


if __name__ == "__main__":
    main()
