"""What the benchmarks share: the folder of photographs, the running service, and the JSON that they print."""

import json
import os
import platform
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from automl.processors import n_processors
from scripts.stack.running import RunningStack, running_stack

DATA = Path(os.environ.get("DARKROOM_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


class StackWhenNeeded:
    """The running service, which is started when something needs it: runs that are kept need none."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._stack: RunningStack | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, traceback)

    def started(self) -> RunningStack:
        if self._stack is None:
            self._stack = self._open.enter_context(running_stack())
        return self._stack


def report(name: str, **figures: Any) -> None:
    """Prints one JSON object: what was measured, when, and on what machine."""
    machine = {"cpus": n_processors(), "memory_gb": round(_memory_gb()), "python": platform.python_version()}
    print(json.dumps({"benchmark": name, "date": date.today().isoformat(), "machine": machine, **figures}, indent=2))


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
