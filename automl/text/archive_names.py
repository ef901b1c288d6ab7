"""Names of files and folders in an archive, as every system takes them.

Windows refuses some characters and some names, and does not tell capital letters from small ones.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

_REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_LONGEST_BYTES = 120
"""Of a name in UTF-8: some systems take 255 bytes, and Windows 260 characters of a whole path."""


def distinct(names: Sequence[str]) -> dict[str, str]:
    """Each name as every system takes it, no two alike."""
    taken: set[str] = set()
    return {name: unlike(taken, name) for name in names}


def unlike(taken: set[str], name: str) -> str:
    """The name as every system takes it, unlike those that are taken; it is taken then."""
    clean = _everywhere(name)
    stem, suffix = _parts(clean)
    candidate, number = clean, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem} ({number}){suffix}"
    taken.add(candidate.casefold())
    return candidate


def _everywhere(name: str) -> str:
    """The name with what some system refuses replaced."""
    clean = _REFUSED.sub("_", name)
    if len(clean.encode()) > _LONGEST_BYTES:
        stem, suffix = _parts(clean)
        clean = stem.encode()[: _LONGEST_BYTES - len(suffix.encode())].decode(errors="ignore") + suffix
    clean = clean.rstrip(". ").lstrip() or "_"
    return f"_{clean}" if _DEVICES.fullmatch(clean) else clean


def _parts(name: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    return (path.stem, path.suffix) if len(path.suffix) <= 10 else (name, "")
