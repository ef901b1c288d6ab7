"""The names of uploaded files: cleaned, and told apart from what is no photo.

A name is only ever read as text. Nothing here touches the file system, so `../`, absolute paths and backslashes
are as harmless as any other name.
"""

import unicodedata

Folders = tuple[str, ...]

_JUNK_FOLDERS = frozenset(
    {"__macosx", ".ipynb_checkpoints", ".git", ".svn", "@eadir", "$recycle.bin", "system volume information"}
    | {".trashes", ".spotlight-v100", ".fseventsd"}
)
_JUNK_FILES = frozenset(
    {".ds_store", ".localized", ".gitkeep", ".gitignore", "thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini"}
)
_DOCUMENTS: tuple[str, ...] = (
    *(".txt", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".md", ".rst", ".html", ".htm", ".pdf", ".py", ".log"),
    *(".ipynb", ".zip", ".tar", ".gz", ".7z", ".rar", ".doc", ".docx", ".xls", ".xlsx", ".mat", ".npy", ".npz"),
    *(".pkl", ".h5", ".db"),
)


def clean_parts(name: str) -> Folders:
    """The folders and the file name of `name`: readable text, without empty parts, `.` and `..`."""
    parts = (clean_text(part) for part in name.replace("\\", "/").split("/"))
    return tuple(part for part in parts if part not in ("", ".", ".."))


def clean_text(text: str) -> str:
    """`text` in Unicode's composed form on one line, no control characters, no blanks around it."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def is_junk(name: str) -> bool:
    """True for what operating systems and programs leave in folders: `.DS_Store`, `Thumbs.db`, `__MACOSX/...`."""
    return is_junk_path(clean_parts(name))


def is_junk_path(path: Folders) -> bool:
    """As `is_junk`, of a name that is in its parts already."""
    parts = [part.lower() for part in path]
    if not parts:
        return False
    return parts[-1] in _JUNK_FILES or parts[-1].startswith("._") or not _JUNK_FOLDERS.isdisjoint(parts)


def is_document(path: Folders) -> bool:
    """True if the ending says that the file is no photo."""
    return bool(path) and path[-1].lower().endswith(_DOCUMENTS)


def stem_of(file_name: str) -> str:
    """`file_name` without its ending: `cat.0.jpg` is `cat.0`."""
    stem, dot, _ = file_name.rpartition(".")
    return stem if dot and stem else file_name
