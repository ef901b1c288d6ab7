"""The process that trains: started in a group of its own, asked to stop through its stdin, killed with its group."""

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

KILL_AFTER_S = 2.0


def environment_of(settings: Settings) -> dict[str, str]:
    """This process's environment, with every setting as it is here, whatever it was read from."""
    return {**os.environ, **{row.variable: str(getattr(settings, row.name)) for row in SETTINGS}}


class PipelineProcess:
    """`command` + the run's id, as a child that does not outlive the `with` block.

    Its stdin is a pipe that only this process holds: should this process die, however it dies, the pipeline reads
    the end of the file and exits. stdout and stderr are appended to `log`.

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
        """None while it runs; negative: the signal that ended it."""
        return self._process.returncode

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None if it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def ask_to_stop(self) -> None:
        """Tells it to end the search and to deliver the best so far."""
        self._say("stop")

    def tell_budget(self, seconds: float) -> None:
        """Tells it how long its whole budget is from now on."""
        self._say(f"budget {seconds:.3f}")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has just ended by itself
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def kill(self) -> None:
        """Ends the whole group: SIGTERM, and SIGKILL for whoever is left after two seconds."""
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
