"""The names of uploaded files: how they are cleaned, and which of them cannot be photos.

A name is only ever read as text. Nothing here touches the file system, so `../`, absolute paths and backslashes
are as harmless as any other name.
"""

import unicodedata

Folders = tuple[str, ...]
"""The parts of a path, from the outermost folder on."""

_JUNK_FOLDERS = frozenset(
    {
        "__macosx",  # in archives that a Mac has made
        ".trashes",  # the next three: on disks that a Mac has used
        ".spotlight-v100",
        ".fseventsd",
        "$recycle.bin",  # the next two: on disks that Windows has used
        "system volume information",
        "@eadir",  # on network drives of Synology
        ".ipynb_checkpoints",
        ".git",
        ".svn",
    }
)
"""Whatever lies in a folder of such a name, in lower case, is a leftover."""

_JUNK_FILES = frozenset(
    {
        ".ds_store",
        ".localized",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "picasa.ini",
        ".gitkeep",
        ".gitignore",
    }
)
"""A file of such a name, in lower case, is a leftover."""

_JUNK_BEGINNINGS = ("._",)
"""A file whose name begins so is a leftover: a Mac adds such a one to each file on a foreign disk."""

_DOCUMENT_ENDINGS: tuple[str, ...] = (
    *(".txt", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".md", ".rst", ".html", ".htm", ".pdf", ".py", ".log"),
    *(".ipynb", ".zip", ".tar", ".gz", ".7z", ".rar", ".doc", ".docx", ".xls", ".xlsx", ".ods", ".mat", ".npy", ".npz"),
    *(".pkl", ".h5", ".db", ".jsonl", ".ndjson", ".manifest", ".labels", ".lst", ".parquet", ".arrow", ".aae", ".xmp"),
)
"""A file whose name ends so, in lower case, is no photo."""


def clean_parts(name: str) -> Folders:
    """The folders and the file name of `name`: readable text, without empty parts, `.` and `..`."""
    parts = (clean_text(part) for part in name.replace("\\", "/").split("/"))
    return tuple(part for part in parts if part not in ("", ".", ".."))


def file_name_of(name: str) -> str:
    """What `name` says behind its folders, whichever system wrote it."""
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def clean_text(text: str) -> str:
    """`text` in Unicode's composed form, on one line, without control characters and without blanks around it."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def is_junk(name: str) -> bool:
    """Whether a file is one that systems and programs leave in folders: `.DS_Store`, `Thumbs.db`, `__MACOSX/...`."""
    return is_junk_path(clean_parts(name))


def is_junk_path(path: Folders) -> bool:
    """Whether a file is a leftover, see `is_junk`, for a name that is in its parts already."""
    parts = [part.lower() for part in path]
    if not parts:
        return False
    return parts[-1] in _JUNK_FILES or parts[-1].startswith(_JUNK_BEGINNINGS) or not _JUNK_FOLDERS.isdisjoint(parts)


def is_document(path: Folders) -> bool:
    """Whether the ending of the name says that the file is no photo."""
    return bool(path) and path[-1].lower().endswith(_DOCUMENT_ENDINGS)


def stem_of(file_name: str) -> str:
    """`file_name` without its ending: `cat.0.jpg` is `cat.0`."""
    stem, dot, _ = file_name.rpartition(".")
    return stem if dot and stem else file_name
