"""Small files that cost much to open, made here so that none has to be kept."""

import io
import struct
import zlib

from PIL import Image


def empty_png(side: int, *, bits: int = 8, colour_type: int = 2) -> bytes:
    """A square PNG of zeros, some 1,000 times smaller than its pixels.

    colour_type: 0 for gray, 2 for colours, 6 for colours with transparency.
    """
    n_channels = {0: 1, 2: 3, 6: 4}[colour_type]
    packer = zlib.compressobj(9)
    row = bytes(1 + side * n_channels * bits // 8)
    pixels = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, bits, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _png_chunk(name, body) for name, body in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def many_scans(n_scans: int, side: int = 3000) -> bytes:
    """A progressive JPEG whose last scan comes again and again: a few bytes each, which go over all of its pixels."""
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + n_scans * content[last:-2] + content[-2:]


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
