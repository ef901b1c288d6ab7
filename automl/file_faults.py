"""Why a file of this machine cannot be read, in words for people."""

import errno
from pathlib import Path

from automl.text.messages import files as file_messages

_SENTENCES = {
    errno.ENOENT: file_messages.NOT_FOUND,
    errno.ENOTDIR: file_messages.NOT_FOUND,
    errno.ENAMETOOLONG: file_messages.NAME_TOO_LONG,
    errno.EACCES: file_messages.NOT_ALLOWED,
    errno.EPERM: file_messages.NOT_ALLOWED,
    errno.EISDIR: file_messages.IS_A_FOLDER,
    errno.EIO: file_messages.DISK_FAILS,
}


def fault_in_words(error: OSError | ValueError) -> str:
    """The reason as a sentence. Python raises a ValueError where a name holds a NUL, which no file has in its name."""
    if isinstance(error, ValueError):
        return file_messages.IMPOSSIBLE_NAME
    reason = file_messages.CANNOT_BE_READ.format(reason=error.strerror or error)
    return _SENTENCES.get(error.errno or 0, reason)


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False also where no file can have such a name."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
