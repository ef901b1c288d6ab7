"""What was measured once about this machine and is kept for its next runs, such as the best precision of its GPU."""

import json
from collections.abc import Callable
from pathlib import Path

import structlog

from automl.atomic_files import no_half_files
from automl.errors import DiskFull
from automl.settings import load_settings

MEASURED = "measured.json"
"""The name of the file of the kept answers, beside the features."""

FORMAT = 1
"""The version of the file; measurements of another version are made anew."""

_RISES = 1.05
_MOST_FIGURES = 5

_log = structlog.stdlib.get_logger(__name__)


def measured(key: str, measure: Callable[[], str], file: Path | None = None) -> str:
    """The answer to `key`, which `measure` finds where nothing is kept. A cache that cannot be written keeps nothing.

    Args:
        key: names the question, the device and the versions of what the answer depends on.
        measure: may take seconds.
        file: of the kept answers; that of the installation by default.
    """
    file = file or _file()
    kept = _read(file)
    if key not in kept:
        kept[key] = measure()
        _write(file, {**_read(file), key: kept[key]})  # another process may have measured meanwhile
    return kept[key]


def kept_quickest(key: str, file: Path) -> float | None:
    """The quickest seconds that `keep_quickest` has kept under `key`; None where there are none."""
    kept = _read(file).get(key)
    return None if kept is None else float(kept)


def keep_quickest(key: str, seconds: float, file: Path) -> None:
    """Takes one more measurement of work that anything else on the machine makes slower, and never quicker.

    The quickest one stays, so that a busy first run misleads no later one. A slower one lets it rise by a twentieth:
    where the machine itself has become slower, some runs later that is known.
    """
    kept = kept_quickest(key, file)
    quickest_s = seconds if kept is None else min(seconds, _RISES * kept)
    _write(file, {**_read(file), key: f"{quickest_s:.4g}"})


def kept_figures(key: str, file: Path) -> tuple[float, ...]:
    """The figures of the last runs that `keep_figure` has kept under `key`, the oldest first."""
    return tuple(map(float, _read(file).get(key, "").split()))


def keep_figure(key: str, figure: float, file: Path) -> None:
    """Keeps a figure of this run beside those of the last ones."""
    figures = [*kept_figures(key, file), figure][-_MOST_FIGURES:]
    _write(file, {**_read(file), key: " ".join(f"{one:.3g}" for one in figures)})


def is_measured(key: str) -> bool:
    """Whether the installation has kept an answer to `key`."""
    return key in _read(_file())


def _file() -> Path:
    return load_settings().features_dir / MEASURED


def _read(file: Path) -> dict[str, str]:
    try:
        content = json.loads(file.read_text())
        answers: dict[str, str] = content["answers"] if content["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return answers


def _write(file: Path, answers: dict[str, str]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with no_half_files([file]) as (part,):
            part.write_text(json.dumps({"format": FORMAT, "answers": answers}, indent=2) + "\n")
    except (OSError, DiskFull):
        _log.warning("what was measured cannot be kept", file=str(file), exc_info=True)
