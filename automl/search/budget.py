"""The one clock of a run."""

import math
import threading
import time
from collections.abc import Callable


class SearchOver(Exception):
    """Not an error: the time is used up or the user said stop. What has been found so far is delivered."""


class Budget:
    """Monotonic time from the start of a run to the finished download.

    `stop` and `extend` may be called from another thread.

    Attributes:
        total_s: seconds of the whole run; infinite where there is no clock.

    Args:
        total_s: None for no clock at all: then nothing depends on how fast the machine is, and a run is repeatable.
        reserve_s: seconds kept back for evaluation and export: a first guess, which `reserve` replaces by what was
            measured.
        used_s: seconds that earlier attempts at the run have used.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        total_s: float | None,
        *,
        reserve_s: float = 20.0,
        used_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total_s = math.inf if total_s is None else total_s
        self._clock = clock
        self._start = clock() - used_s
        self._stopped = threading.Event()
        self.reserve(reserve_s)

    @property
    def has_clock(self) -> bool:
        return math.isfinite(self.total_s)

    @property
    def elapsed_s(self) -> float:
        return self._clock() - self._start

    @property
    def reserve_s(self) -> float:
        """Never more than half of the budget: something must be tried."""
        return min(self._reserve_s, self.total_s / 2)

    def reserve(self, seconds: float) -> None:
        """Keeps so many seconds back for evaluation and export."""
        self._reserve_s = seconds

    def extend(self, total_s: float) -> None:
        """Makes the whole budget `total_s`, if that is more than it is; a run without a clock keeps none."""
        self.total_s = max(self.total_s, total_s)

    @property
    def search_left_s(self) -> float:
        """Seconds until the search must end; 0 once the user has said stop."""
        if self._stopped.is_set():
            return 0.0
        return max(0.0, self.total_s - self.reserve_s - self.elapsed_s)

    def stop(self) -> None:
        """Ends the search at its next check."""
        self._stopped.set()

    @property
    def stopped_by_user(self) -> bool:
        return self._stopped.is_set()

    def check(self) -> None:
        """Raises SearchOver when no time is left to search."""
        if self.search_left_s <= 0:
            raise SearchOver
