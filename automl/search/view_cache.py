"""Keeps the joined features of recent trials in memory, as far as there is room."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from automl.search.joined import View


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewKey:
    """What is joined.

    Attributes:
        backbones: side by side, in this order.
        taps: `LAST_TAP` or `SEVERAL_TAPS`.
        image_size_px: side of the square picture that they take.
        mirrored: whether left and right of the photos are exchanged.
        is_unit: whether each tap is divided by its norm.
    """

    backbones: tuple[str, ...]
    taps: str
    image_size_px: int
    mirrored: bool
    is_unit: bool


class ViewCache:
    """Views that were used lately.

    Args:
        max_bytes: memory that views may take; what does not fit is read from disk by each trial.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._views: OrderedDict[ViewKey, View] = OrderedDict()

    def get(self, key: ViewKey, make: Callable[[], View]) -> View:
        """The view `key`, made by `make` if it is not there."""
        if key not in self._views:
            self._views[key] = make()
        self._views.move_to_end(key)
        return self._views[key]

    def make_room(self, n_bytes: int, beside: Sequence[ViewKey]) -> bool:
        """Whether so many bytes fit into memory; views that no trial has used for long make way.

        Args:
            beside: views that the same trial uses; they stay.
        """
        if n_bytes + self._held(beside) > self._max_bytes:
            return False
        for key in [key for key in self._views if key not in beside]:
            if n_bytes + self._held(tuple(self._views)) <= self._max_bytes:
                break
            del self._views[key]
        return True

    def _held(self, keys: Sequence[ViewKey]) -> int:
        return sum(self._views[key].n_bytes for key in keys if key in self._views)
