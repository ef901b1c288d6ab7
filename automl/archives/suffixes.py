"""Which files are archives, as far as their names say."""

import re

ARCHIVE_SUFFIXES: tuple[str, ...] = (".zip", ".tar", ".tar.gz", ".tgz", ".tm")
"""The endings of names, in lower case, of the archives that are opened.

A project of Teachable Machine, .tm, is a .zip.
"""

_CLOSED_SUFFIXES = (
    *(".rar", ".7z", ".tar.xz", ".txz", ".xz", ".tar.bz2", ".tbz2", ".tbz", ".bz2", ".tar.zst", ".tzst", ".zst"),
    *(".tar.lz4", ".lz4", ".lzma", ".tar.z", ".cab", ".lzh", ".lha", ".arj", ".ace", ".iso", ".dmg", ".gz"),
)
"""Those of archives that are not opened, which is said of them. The longer endings come first."""

_VOLUME = re.compile(r"\.(z\d\d|r\d\d|(zip|7z|rar|tar|tgz|tar\.gz)\.\d{3}|part\d+\.rar)$")
"""The endings of the parts that an archive was cut into."""


def archive_suffix(name: str) -> str:
    """The ending of an archive's name, in lower case; empty where the name is not an archive's."""
    name = name.lower()
    if volume := _VOLUME.search(name):
        return volume[0]
    return next((suffix for suffix in (*ARCHIVE_SUFFIXES, *_CLOSED_SUFFIXES) if name.endswith(suffix)), "")


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive, which is unpacked or refused as a whole."""
    return archive_suffix(name) != ""


def is_volume(name: str) -> bool:
    """Whether a file of this name is one of the parts that an archive was cut into."""
    return _VOLUME.search(name.lower()) is not None


def without_suffix(name: str) -> str:
    """The name of an archive without its ending: `pets.tar.gz` -> `pets`. Any other name is returned as it is."""
    return name[: len(name) - len(archive_suffix(name))]
