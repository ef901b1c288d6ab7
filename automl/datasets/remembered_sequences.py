"""Remembers the sequences of series that were searched before: an edit of a data set changes few of its series."""

import hashlib
import threading
from collections import OrderedDict

import numpy as np

from automl.images.sequences import find_sequences

_MOST = 256
"""Series that are remembered, each of 8 bytes a photo: those of some data sets that are being edited."""

_found: OrderedDict[bytes, np.ndarray] = OrderedDict()
_lock = threading.Lock()


def remembered_sequences(fingerprints: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What `find_sequences` finds, which depends on nothing but the pictures and their order."""
    digest = hashlib.blake2b(f"{len(fingerprints)} ".encode(), digest_size=32)
    digest.update(fingerprints.tobytes())
    digest.update(others.tobytes())
    key = digest.digest()
    with _lock:
        if key in _found:
            _found.move_to_end(key)
            return _found[key]
    first = find_sequences(fingerprints, others)
    with _lock:
        _found[key] = first
        while len(_found) > _MOST:
            _found.popitem(last=False)
    return first
