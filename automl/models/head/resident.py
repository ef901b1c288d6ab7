"""Features that stay in the device's memory, so that the trials of a search do not send them anew."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol
from weakref import ref

import numpy as np

from automl.models.head.settings import Features
from automl.models.quiet_tensorflow import import_tensorflow

if TYPE_CHECKING:
    import tensorflow as tf

MAX_RESIDENT_BYTES = 8_000_000_000
"""Memory of the device for features; those that were not used for longest make way. Fine-tuning needs some, too."""

_ROWS_SENT_AT_ONCE = 4096


class FeatureView(Protocol):
    """One matrix of features, known by its identity; `search.joined.View` has these methods."""

    @property
    def n_rows(self) -> int:
        """The number of photos."""
        ...

    def take(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), n_features), see `Features.take`."""
        ...


class ViewedFeatures(Features, Protocol):
    """Features whose matrices may be kept, since they can be told from others."""

    @property
    def views(self) -> tuple[FeatureView, ...]:
        """The photos as they are and, where there are any, mirrored."""
        ...


class ResidentFeatures:
    """Matrices on the device, by the views that they were made of.

    Args:
        max_bytes: for all of them together; one that is larger stands alone.
    """

    def __init__(self, max_bytes: int = MAX_RESIDENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._matrices: OrderedDict[ref[FeatureView], tf.Tensor] = OrderedDict()

    def matrices(self, views: tuple[FeatureView, ...]) -> tuple[tf.Tensor, ...]:
        """float32 (n_rows, n_features) on the device for each of the views, which a trial uses together."""
        keys = [ref(view, self._forget) for view in views]
        for key, view in zip(keys, views, strict=True):
            if key not in self._matrices:
                self._matrices[key] = _sent(view)
            self._matrices.move_to_end(key)
        self._make_room(beside=len(keys))
        return tuple(self._matrices[key] for key in keys)

    def clear(self) -> None:
        """Gives the memory back."""
        self._matrices.clear()

    def __len__(self) -> int:
        return len(self._matrices)

    def _forget(self, key: ref[FeatureView]) -> None:
        self._matrices.pop(key, None)

    def _make_room(self, beside: int) -> None:
        n_bytes = [4 * int(np.prod(matrix.shape)) for matrix in self._matrices.values()]
        while sum(n_bytes) > self._max_bytes and len(n_bytes) > beside:
            self._matrices.popitem(last=False)
            del n_bytes[0]


def _sent(view: FeatureView) -> tf.Tensor:
    import_tensorflow()
    import tensorflow as tf

    starts = range(0, view.n_rows, _ROWS_SENT_AT_ONCE)
    parts = [view.take(np.arange(start, min(start + _ROWS_SENT_AT_ONCE, view.n_rows))) for start in starts]
    return tf.concat([tf.constant(part) for part in parts], axis=0)
