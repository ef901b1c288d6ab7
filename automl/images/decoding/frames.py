"""How a decoder and its parent write to each other: a length, a head as JSON, and any number of blobs."""

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_LENGTH = struct.Struct(">I")

Read = Callable[[int], bytes]
"""Returns so many bytes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Attributes:
        head: What JSON can hold.
        blobs: What it cannot.
    """

    head: Any
    blobs: Sequence[bytes] = ()

    def packed(self) -> bytes:
        """The message as bytes."""
        head = json.dumps({"head": self.head, "blobs": [len(blob) for blob in self.blobs]}).encode()
        return b"".join((_LENGTH.pack(len(head)), head, *self.blobs))


def read_frame(read: Read) -> Frame:
    """The next message; raises what `read` raises where the other side has ended."""
    (n_bytes,) = _LENGTH.unpack(read(_LENGTH.size))
    values = json.loads(read(n_bytes))
    return Frame(values["head"], [read(n) for n in values["blobs"]])
