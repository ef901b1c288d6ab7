"""Unpacking gzip in pieces of bounded size."""

import zlib
from typing import IO

from automl.archives.limits import ArchiveMeter

_INPUT_BYTES = 1 << 14
_GZIP_WBITS = 31
_MAX_EMPTY_PARTS = 1000


class BrokenOff(Exception):
    """The bytes end, or make no sense, before the archive is at its end."""


class Gunzip:
    """The unpacked bytes of a gzip file, or of several of them that follow each other in one file.

    Python's own `gzip` looks for the end of a header byte by byte, and skips any number of empty parts: both make it
    easy to keep a machine busy for hours.

    Args:
        source: The packed bytes, at their beginning.
        meter: Counts the unpacked bytes.
    """

    def __init__(self, source: IO[bytes], meter: ArchiveMeter) -> None:
        self._source, self._meter = source, meter
        self._inflate = zlib.decompressobj(_GZIP_WBITS)
        self._packed = b""
        self._n_part_bytes = self._n_empty_parts = 0

    def read(self, n_bytes: int) -> bytes:
        """Up to `n_bytes` (a positive number) unpacked bytes, at least one before the end.

        Raises:
            BrokenOff: The file is damaged or incomplete.
            UploadTooLarge: More came out than the meter allows.
        """
        while True:
            try:
                data = self._inflate.decompress(self._packed, n_bytes)
            except zlib.error as error:
                raise BrokenOff from error
            self._packed = self._inflate.unconsumed_tail
            self._n_part_bytes += len(data)
            self._meter.add_bytes(len(data))
            if data:
                return data
            # Nothing came out: the part is at its end, or it needs more packed bytes.
            if self._inflate.eof:
                if not self._begin_part(self._inflate.unused_data):
                    return b""
            elif not self._packed:
                self._packed = self._source.read(_INPUT_BYTES)
                if not self._packed:
                    raise BrokenOff

    def _begin_part(self, packed: bytes) -> bool:
        """Goes on with the next gzip file. False at the end, and where what follows is no gzip: it is often padding."""
        self._n_empty_parts += self._n_part_bytes == 0
        # What was read beyond the last part may end in the middle of the next one's first two bytes.
        if len(packed) < 2:
            packed += self._source.read(_INPUT_BYTES)
        if not packed.startswith(b"\x1f\x8b"):
            return False
        if self._n_empty_parts > _MAX_EMPTY_PARTS:
            raise BrokenOff
        self._inflate, self._packed, self._n_part_bytes = zlib.decompressobj(_GZIP_WBITS), packed, 0
        return True
