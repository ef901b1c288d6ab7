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
"""The numbers of an OSError that mean the same: an offset before the file's beginning, and what bzip2 cannot unpack."""


@contextmanager
def sound_zip(file: Path | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Opens a .zip for reading.

    Raises:
        BadZipFile: its bytes are damaged; also raised for what is found only while the block reads its members.
        OSError: the disk fails, or there is no such file.
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
