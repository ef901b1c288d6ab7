"""The process that trains: started in a process group of its own, controlled through its standard input."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from automl.settings import SETTINGS, Settings

PIPELINE: tuple[str, ...] = (sys.executable, "-m", "automl.pipeline")

KILL_AFTER_S = 1.0


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of this process, with a variable for every setting, so that a child has the same settings."""
    return {**os.environ, **{row.variable: str(getattr(settings, row.name)) for row in SETTINGS}}


class PipelineProcess:
    """A child process that does not outlive the `with` block. Its standard output and error are appended to `log`.

    Its standard input is a pipe that only this process holds: if this process dies, however it dies, the pipeline reads
    the end of the file and exits.

    Raises:
        OSError: it cannot be started, or the log not be written.
    """

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(command),
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative if a signal ended it."""
        return self._process.returncode

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None if it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def ask_to_stop(self) -> None:
        """Asks the pipeline to end the search and to deliver the best model so far."""
        self._send("stop")

    def send_budget(self, seconds: float) -> None:
        """Sends the pipeline its new total budget in seconds."""
        self._send(f"budget {seconds:.3f}")

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the process has just ended by itself
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def kill(self) -> None:
        """Ends the whole process group with SIGTERM, and after one second with SIGKILL."""
        self._signal_group(signal.SIGTERM)
        deadline = time.monotonic() + KILL_AFTER_S
        self.wait(KILL_AFTER_S)
        while self._group_is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._signal_group(signal.SIGKILL)
        self._process.wait()

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _group_is_alive(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def __enter__(self) -> "PipelineProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
