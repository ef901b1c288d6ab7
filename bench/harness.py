"""What the benchmarks share: the folder of photographs, and the JSON that they print."""

import json
import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

from automl.processors import n_processors

DATA = Path(os.environ.get("DARKROOM_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def report(name: str, **figures: Any) -> None:
    """Prints one JSON object: what was measured, when, and on what machine."""
    machine = {"cpus": n_processors(), "memory_gb": round(_memory_gb()), "python": platform.python_version()}
    print(json.dumps({"benchmark": name, "date": date.today().isoformat(), "machine": machine, **figures}, indent=2))


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
