"""What a run hands over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a finished run hands over: the bundle, the figures of `metrics.json`, and the plots with their titles."""

    bundle: Path
    metrics: dict[str, Any]
    plots: tuple[tuple[Path, str], ...]
