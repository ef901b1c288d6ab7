"""Which files are archives, as far as their names say."""

ARCHIVE_SUFFIXES: tuple[str, ...] = (".zip", ".tar", ".tar.gz", ".tgz", ".tm")
"""The endings of names, in lower case, by which an uploaded file is known as an archive.

A project of Teachable Machine, .tm, is a .zip.
"""


def archive_suffix(name: str) -> str:
    """The ending of an archive's name, in lower case; empty where the name is not an archive's."""
    return next((suffix for suffix in ARCHIVE_SUFFIXES if name.lower().endswith(suffix)), "")


def is_archive(name: str) -> bool:
    """Whether a file of this name is to be unpacked."""
    return archive_suffix(name) != ""


def without_suffix(name: str) -> str:
    """The name of an archive without its ending: `pets.tar.gz` -> `pets`. Any other name is returned as it is."""
    return name[: len(name) - len(archive_suffix(name))]
