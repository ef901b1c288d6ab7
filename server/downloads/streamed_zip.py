"""A .zip that is sent while it is made."""

import zipfile
from typing import IO, cast


class Sink:
    """Takes what a .zip is written to, until it is sent. It cannot go back, which a .zip can do without."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """What has come since it was last asked for."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zip_into(sink: Sink) -> zipfile.ZipFile:
    """An archive that is written to `sink`. Photos are packed already, so they are stored as they are."""
    return zipfile.ZipFile(cast(IO[bytes], sink), "w")
