"""Many open live pages at once: `python -m bench.live_pages [--pages 500]`.

A web server as scripts/serve starts it, a Redis, one live run. Some hundred connections follow its events while
others view pages as people do who click; nothing may be lost. Prints JSON: lost and doubled events, the delay from
telling to hearing, the time of page views, the most memory of the web process.
"""

import argparse
import json
import os
import random
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from automl.records import DatasetState, RunSettings, RunState
from automl.settings import load_settings
from automl.store.database import Database, find_run
from automl.store.events import RunEvents
from automl.store.runs import change_run_state
from automl.store.tables import Dataset, DatasetFile, Run, TrialSummary
from scripts.stack import services
from scripts.stack.home import listen

_LIMIT_S = 180.0
_THINK_S = 1.0  # between two views of one client
_N_TRIALS = 60


class Pages(threading.Thread):
    """All open pages, as plain sockets in one thread. `heard`: by page, when each event id came first."""

    def __init__(self, port: int, path: str, n_pages: int) -> None:
        super().__init__(daemon=True)
        self._selector = selectors.DefaultSelector()
        self.heard: list[dict[str, float]] = [{} for _ in range(n_pages)]
        self.n_twice = 0
        self.n_open = n_pages
        self._rest = [b""] * n_pages
        for page in range(n_pages):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode())
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, page)

    def run(self) -> None:
        deadline = time.monotonic() + _LIMIT_S
        while self.n_open and time.monotonic() < deadline:
            for key, _ in self._selector.select(timeout=1):
                content = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                if not content:
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
                    self.n_open -= 1
                self._take(key.data, content)

    def _take(self, page: int, content: bytes) -> None:
        *lines, self._rest[page] = (self._rest[page] + content).split(b"\n")
        for line in lines:
            if line.startswith(b"id: "):
                event_id = line[4:].decode()
                self.n_twice += event_id in self.heard[page]
                self.heard[page].setdefault(event_id, time.time())


def click(url: str, paths: dict[str, str], seconds: dict[str, list[float]], until_s: float, seed: int) -> None:
    """One person who views pages; `paths` and the times that they took, by name."""
    chance = random.Random(seed)
    time.sleep(chance.random() * _THINK_S)
    while time.monotonic() < until_s:
        started_s = time.perf_counter()
        name = chance.choice(list(paths))
        with urllib.request.urlopen(url + paths[name], timeout=30) as answer:
            answer.read()
        seconds[name].append(time.perf_counter() - started_s)
        time.sleep(_THINK_S * (0.5 + chance.random()))


def peak_bytes(master: int) -> int:
    """The most memory that the worker of this gunicorn has had."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return max(_status_bytes(int(child), "VmHWM") for child in children)


def _status_bytes(pid: int, name: str) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def _make_run(database: Database) -> str:
    with database.session() as session:
        dataset = Dataset(name="flowers", state=DatasetState.READY)
        dataset.files = [DatasetFile(name=f"a/{i}.jpg", sha256=str(i), n_bytes=10) for i in range(500)]
        run = Run(dataset=dataset, settings=RunSettings().to_json(), budget_s=3600.0)
        session.add(run)
        session.flush()
        for state in (RunState.PREPARING, RunState.SEARCHING):
            change_run_state(run, state)
        run.best_score, run.best_trial, run.n_trials = 0.9, 0, _N_TRIALS
        for number in range(_N_TRIALS):
            trial = TrialSummary(run_id=run.id, number=number, state="complete", score=0.9, image_size_px=160)
            trial.backbones, trial.started_s, trial.duration_s = ["mobilenet_v2"], float(number), 1.0
            session.add(trial)
        return run.id


def _tell(events: RunEvents, run_id: str, n_events: int, every_s: float) -> None:
    trial: dict[str, Any] = {"stage": "heads", "state": "complete", "backbones": ["mobilenet_v2"], "image_size_px": 160}
    for number in range(n_events):
        if number % 2:
            events.publish(run_id, "activity", text=f"Training {number}", progress=0.5)
        else:
            events.publish(
                run_id, "trial", **trial, number=number, score=0.9, started_s=number, duration_s=1.0, best=None
            )
        time.sleep(every_s)


def measure(n_pages: int, n_clients: int, n_events: int, every_s: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-", ignore_cleanup_errors=True) as folder:
        settings = load_settings(
            {**os.environ, "DARKROOM_HOME": folder, "DARKROOM_DATABASE_URL": "", "DARKROOM_BROKER_URL": ""}
        )
        environment = {**os.environ, "DARKROOM_HOME": folder}
        (settings.home / "redis").mkdir()
        database = Database(settings.database_url)
        database.migrate()
        run_id = _make_run(database)
        log = (settings.home / "web.log").open("wb")
        with listen("127.0.0.1", 0) as listener:
            redis = subprocess.Popen(services.redis(settings, settings.redis_socket).command, stdout=log)
            web = subprocess.Popen(
                services.web(listener.fileno()).command,
                env=environment, stdout=log, stderr=log, pass_fds=(listener.fileno(),),
            )  # fmt: skip
            port = listener.getsockname()[1]
            try:
                return _measure(settings, database, run_id, port, web.pid, (n_pages, n_clients, n_events), every_s)
            finally:
                for process in (web, redis):
                    process.terminate()
                    process.wait(20)
                database.close()


def _measure(
    settings: Any, database: Database, run_id: str, port: int, master: int, counts: tuple[int, int, int], every_s: float
) -> dict[str, Any]:
    n_pages, n_clients, n_events = counts
    url = f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        answer.read()
    before_bytes = peak_bytes(master)
    events = RunEvents(settings.broker_url)
    events.publish(run_id, "state", state="searching")
    pages = Pages(port, f"/runs/{run_id}/events?after={events.last_id(run_id)}", n_pages)
    pages.start()
    time.sleep(3)
    paths = {
        "home": "/",
        "run": f"/runs/{run_id}",
        "live": f"/runs/{run_id}/live?seen=",
        "course": f"/runs/{run_id}/course",
    }
    seconds: dict[str, list[float]] = {name: [] for name in paths}
    until_s = time.monotonic() + n_events * every_s
    clients = [threading.Thread(target=click, args=(url, paths, seconds, until_s, n)) for n in range(n_clients)]
    for client in clients:
        client.start()
    first = events.last_id(run_id)
    _tell(events, run_id, n_events, every_s)
    for client in clients:
        client.join()
    told = [event.id for event in events.after(run_id, first)]
    with database.session() as session:
        change_run_state(find_run(session, run_id), RunState.FAILED)
    events.publish(run_id, "end", state="failed")
    pages.join(60)
    delays = [
        heard[event_id] - int(event_id.split("-")[0]) / 1000
        for heard in pages.heard
        for event_id in told
        if event_id in heard
    ]
    views = sorted(one for those in seconds.values() for one in those)
    by_path = {name: [round(1000 * q, 1) for q in (statistics.median(v), max(v))] for name, v in seconds.items() if v}
    return {
        "pages": n_pages,
        "events": len(told),
        "lost": sum(event_id not in heard for heard in pages.heard for event_id in told),
        "twice": pages.n_twice,
        "not_ended": pages.n_open,
        "delay_p50_s": round(statistics.median(delays), 3) if delays else None,
        "delay_p95_s": round(sorted(delays)[int(0.95 * len(delays))], 3) if delays else None,
        "by_path_p50_max_ms": by_path,
        "clients": n_clients,
        "views": len(views),
        "view_p50_ms": round(1000 * statistics.median(views), 1) if views else None,
        "view_p95_ms": round(1000 * views[int(0.95 * len(views))], 1) if views else None,
        "web_before_mb": round(before_bytes / 1e6, 1),
        "web_peak_mb": round(peak_bytes(master) / 1e6, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--every", type=float, default=0.5, help="seconds from one event to the next")
    options = parser.parse_args()
    print(json.dumps(measure(options.pages, options.clients, options.events, options.every), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
