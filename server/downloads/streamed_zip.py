"""A .zip that is sent while it is made."""

import zipfile
from collections.abc import Iterator
from typing import IO, cast

from automl.images.positions import without_position
from automl.store.artifacts import ArtifactStore

_CHUNK_BYTES = 1 << 20


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


def add_stored(
    archive: zipfile.ZipFile,
    sink: Sink,
    store: ArtifactStore,
    key: str,
    entry: zipfile.ZipInfo,
    *,
    hides_place: bool = False,
) -> Iterator[bytes]:
    """Puts one stored file into an archive that is written to `sink`, and hands out what is written.

    `hides_place`: of a photo, without the place where it was taken.

    Raises:
        NotFound: It is not in the store. Nothing was written then.
    """
    with store.open(key) as source, archive.open(entry, "w") as target:
        if hides_place:
            target.write(without_position(source.read()))
            yield sink.taken()
        while chunk := source.read(_CHUNK_BYTES):
            target.write(chunk)
            yield sink.taken()


def zip_into(sink: Sink) -> zipfile.ZipFile:
    """An archive that is written to `sink`. Photos are packed already, so they are stored as they are."""
    return zipfile.ZipFile(cast(IO[bytes], sink), "w")
