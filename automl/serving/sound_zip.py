"""Reading a .zip that may be damaged."""

import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,  # also what is not implemented: a damaged header may name any method, or ask for a password
    ValueError,
    OverflowError,
)
"""What `zipfile` raises, sooner or later, on bytes that make no sense."""

_DAMAGE = (errno.EINVAL, None)
"""Of an OSError that says the same: an offset before the beginning of the file, and what bzip2 cannot unpack."""


@contextmanager
def sound_zip(file: Path | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """The archive `file`, to be read.

    Raises:
        BadZipFile: whatever is wrong with its bytes; also in the middle of reading, and of what is made of them.
        OSError: the disk, or no such file.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except _FAULTS as error:
        raise zipfile.BadZipFile(str(error) or "it ends too early") from error
    except OSError as error:
        if error.errno not in _DAMAGE:
            raise
        raise zipfile.BadZipFile(str(error)) from error
