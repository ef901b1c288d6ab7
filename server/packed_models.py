"""Models as browsers fetch them: smaller than the file, and every bit the same.

The bytes are sorted before they are packed: all first ones of four, then all second ones, and so on. The numbers of a
network are alike in sign and exponent, so that one of the four parts nearly vanishes. Zeros make the last four whole;
how many is the very last byte. `server/static/phone-parts.js` puts all in order again.
"""

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

_LEVEL = 6
_MOST_KEPT = 2  # packing takes a second, keeping about 10 MB


class PackedModels:
    """The models that were packed last. May be used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._packed: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str, read: Callable[[], bytes]) -> bytes:
        """A packed model.

        Args:
            key: identifies the model.
            read: returns its bytes.
        """
        with self._lock:  # also while it is packed: several visitors of one model wait for one packing
            if key not in self._packed:
                self._packed[key] = packed(read())
            self._packed.move_to_end(key)
            while len(self._packed) > _MOST_KEPT:
                self._packed.popitem(last=False)
            return self._packed[key]


def packed(model: bytes) -> bytes:
    """The bytes of a model, sorted and packed by gzip; the same model gives the same bytes."""
    n_added = -len(model) % 4
    planes = np.frombuffer(model + bytes(n_added), np.uint8).reshape(-1, 4).T.tobytes()
    return gzip.compress(planes + bytes([n_added]), _LEVEL, mtime=0)
