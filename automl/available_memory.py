"""How much memory a process may still take: of the machine, and of the control groups (containers) that it runs in."""

from collections.abc import Iterator
from pathlib import Path

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def available_bytes(*, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Bytes that are free, or would be if caches made way; None where the system does not say.

    Args:
        proc: where the kernel tells of processes and memory.
        cgroups: where control groups are mounted, of either version.
    """
    free = [n for n in (_of_the_machine(proc), *_of_groups(proc, cgroups)) if n is not None]
    return max(0, min(free)) if free else None


def _of_the_machine(proc: Path) -> int | None:
    for line in _text(proc / "meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _of_groups(proc: Path, cgroups: Path) -> Iterator[int | None]:
    """Of the process's own groups and all above them: each limit holds."""
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, controllers, own = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = cgroups / "memory" if controllers else cgroups
        group = mount / own.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(mount):
                yield _of_group(folder)


def _of_group(folder: Path) -> int | None:
    """None where the group has no limit. Pages of files that nobody has used lately make way."""
    limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
    used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
    if limit is None or used is None:
        return None
    statistics = dict(line.split() for line in _text(folder / "memory.stat").splitlines())
    unused = statistics.get("inactive_file") or statistics.get("total_inactive_file") or "0"
    return limit - used + int(unused)


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
