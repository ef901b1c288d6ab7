"""How many processors this process may really use: those that it is bound to, within its container's share of time."""

import math
import os
import platform
from pathlib import Path

_NO_LIMIT = "max"


def n_processors(root: Path = Path("/")) -> int:
    """At least 1. `os.cpu_count` counts the whole machine, of which a container may have been given two processors.

    root: of the file system in which the limits of the control groups are read.
    """
    bound_to = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(bound_to, _share_of_time(root))))


def processor_name(root: Path = Path("/")) -> str:
    """What its maker calls the first processor, else the kind that the system was built for.

    root: of the file system in which the kernel describes them.
    """
    try:
        lines = (root / "proc" / "cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def onnx_threads() -> int:
    """For ONNX Runtime: 0 where the whole machine is ours, since it then takes one thread for each physical core."""
    n = n_processors()
    return 0 if n == os.cpu_count() else n


def _share_of_time(root: Path) -> float:
    """Processors' worth of time that the control groups grant; infinite without a limit."""
    groups = root / "sys" / "fs" / "cgroup"
    try:
        lines = (root / "proc" / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    shares = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            shares += [_share_of_v2(folder) for folder in _upwards(groups, path)]
        elif "cpu" in controllers.split(","):
            shares += [_share_of_v1(folder) for folder in _upwards(groups / controllers, path)]
    return min(shares, default=math.inf)


def _upwards(top: Path, path: str) -> list[Path]:
    """The group's folder and those around it: each of them may limit. In a container only the top one is there."""
    inner = top / path.strip("/")
    return [folder for folder in (inner, *inner.parents) if folder.is_relative_to(top)]


def _share_of_v2(folder: Path) -> float:
    quota, period = _words(folder / "cpu.max", n_words=2)
    return math.inf if quota == _NO_LIMIT else int(quota) / int(period)


def _share_of_v1(folder: Path) -> float:
    (quota,), (period,) = (
        _words(folder / "cpu.cfs_quota_us", n_words=1),
        _words(folder / "cpu.cfs_period_us", n_words=1),
    )
    is_limited = quota not in (_NO_LIMIT, "-1") and period != _NO_LIMIT
    return int(quota) / int(period) if is_limited else math.inf


def _words(file: Path, n_words: int) -> list[str]:
    """The words in a file of the kernel, or as many words for "no limit" where it is not there."""
    try:
        words = file.read_text().split()
    except OSError:
        words = []
    return words if len(words) == n_words else [_NO_LIMIT] * n_words
