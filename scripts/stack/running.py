"""A stack that is started for a while, by benchmarks and pictures, and spoken to over HTTP."""

import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]


class RunningStack:
    """A running stack of its own, spoken to over HTTP as any client would."""

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url, home
        self._http = httpx.Client(timeout=60)

    def upload(self, folder: Path, name: str) -> str:
        """Sends the folder as one .zip and waits until it is checked; returns the id of the data set."""
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is not there; DARKROOM_TEST_DATA names the folder of the photographs.")
        created = self._call("POST", "datasets", json={"name": name})
        with tempfile.TemporaryFile() as packed:
            with zipfile.ZipFile(packed, "w") as archive:
                for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                    archive.write(path, path.relative_to(folder.parent))
            packed.seek(0)
            self._call("POST", f"datasets/{created['id']}/files", files={"files": (f"{name}.zip", packed)})
        self._call("POST", f"datasets/{created['id']}/check")
        while (state := self._call("GET", f"datasets/{created['id']}"))["state"] in ("checking", "uploading"):
            time.sleep(0.5)
        if state["state"] != "ready":
            raise RuntimeError(state["message"])
        return str(created["id"])

    def start(self, dataset: str, budget: str, seed: int) -> str:
        return str(self._call("POST", "runs", json={"dataset": dataset, "budget": budget, "seed": seed})["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        return self._call("GET", f"runs/{run_id}")

    def trials(self, run_id: str) -> list[dict[str, Any]]:
        return list(self._call("GET", f"runs/{run_id}/trials")["trials"])

    def exports(self, run_id: str) -> list[dict[str, Any]]:
        return list(self._call("GET", f"runs/{run_id}/exports")["exports"])

    def cancel(self, run_id: str) -> None:
        """Cancels the run and waits until it has ended."""
        self._call("POST", f"runs/{run_id}/cancel")
        self.wait_for(run_id, "cancelled")

    def wait_for(self, run_id: str, state: str) -> None:
        """Until the run is in `state`. Raises RuntimeError where it ends in another one."""
        while (found := self.run(run_id)["state"]) != state:
            if found in ("done", "failed", "cancelled"):
                raise RuntimeError(f"The run ended as {found}.")
            time.sleep(0.2)

    def has_model(self, run_id: str) -> bool:
        with self._http.stream("GET", f"{self.url}/api/v1/runs/{run_id}/bundle") as response:
            return response.status_code == 200

    def download(self, run_id: str, target: Path) -> None:
        response = self._http.get(f"{self.url}/api/v1/runs/{run_id}/bundle", timeout=60)
        response.raise_for_status()
        target.write_bytes(response.content)

    def web_process_mb(self, line: str = "VmHWM") -> float:
        """Resident memory of the largest process of the web server, in MB of 10^6 bytes.

        Args:
            line: of `/proc/PID/status`: "VmHWM" for the most so far, "VmRSS" for that of now.
        """
        sizes = []
        for number in self.web_processes():
            with suppress(OSError):  # it has ended in between
                rows = Path(f"/proc/{number}/status").read_text().splitlines()
                sizes += [int(row.split()[1]) * 1024 / 1e6 for row in rows if row.startswith(line)]
        return max(sizes)

    def web_processes(self) -> list[int]:
        """The ids of the processes of the web server."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended in between, or is somebody else's
                command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
                if b"gunicorn" in command and f"DARKROOM_HOME={self.home}".encode() in environment:
                    found.append(int(process.name))
        return sorted(found)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._http.request(method, f"{self.url}/api/v1/{path}", timeout=600, **arguments)
        if not response.is_success:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return dict(response.json())


@contextmanager
def running_stack() -> Iterator[RunningStack]:
    """Starts everything on a free port with an empty home, and stops it."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        home = Path(folder)
        command = [sys.executable, "-m", "scripts.stack", "--home", folder, "--port", "0"]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=sys.stderr)
        try:
            while not (home / "address").exists():
                if process.poll() is not None:
                    raise RuntimeError("The stack did not start.")
                time.sleep(0.1)
            yield RunningStack((home / "address").read_text().strip(), home)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
