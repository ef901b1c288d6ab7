"""Unpacking gzip in bounded pieces."""

import zlib
from typing import IO

from automl.archives.member import Count

_INPUT_BYTES = 1 << 14
_GZIP_WBITS = 31
_MAX_EMPTY_PARTS = 1000


class BrokenOff(Exception):
    """The bytes end, or make no sense, before the archive is at its end."""


class Gunzip:
    """The unpacked bytes of `source` (at its beginning), which may be several gzip files one after the other.

    Python's own `gzip` looks for the end of a header byte by byte, and skips empty parts for as long as there are any.
    """

    def __init__(self, source: IO[bytes], count: Count) -> None:
        self._source, self._count = source, count
        self._inflate = zlib.decompressobj(_GZIP_WBITS)
        self._packed = b""
        self._n_part_bytes = self._n_empty_parts = 0

    def read(self, n_bytes: int) -> bytes:
        """Up to `n_bytes` (positive), at least one before the end.

        Raises:
            BrokenOff: damaged or incomplete.
            UploadTooLarge: more came out than is allowed.
        """
        while True:
            try:
                data = self._inflate.decompress(self._packed, n_bytes)
            except zlib.error as error:
                raise BrokenOff from error
            self._packed = self._inflate.unconsumed_tail
            self._n_part_bytes += len(data)
            self._count.add_bytes(len(data))
            if data:
                return data
            if self._inflate.eof:
                if not self._begin_part(self._inflate.unused_data):
                    return b""
            elif not self._packed:
                self._packed = self._source.read(_INPUT_BYTES)
                if not self._packed:
                    raise BrokenOff

    def _begin_part(self, packed: bytes) -> bool:
        """False at the end; what follows there and is no gzip (often zeros) is nothing to anybody."""
        self._n_empty_parts += self._n_part_bytes == 0
        if len(packed) < 2:
            packed += self._source.read(_INPUT_BYTES)
        if not packed.startswith(b"\x1f\x8b"):
            return False
        if self._n_empty_parts > _MAX_EMPTY_PARTS:
            raise BrokenOff
        self._inflate, self._packed, self._n_part_bytes = zlib.decompressobj(_GZIP_WBITS), packed, 0
        return True
