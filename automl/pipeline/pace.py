"""How busy the machine is at this moment, by a small piece of work that is repeated through the run."""

import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from automl.models.measured import keep_quickest, kept_quickest
from automl.search.relative_times import processors

_EVERY_S = 1.0
_N_REMEMBERED = 5
_SIDE, _N_PRODUCTS = 256, 8  # some milliseconds
_USUAL_START_S = 2.5  # what starting the process of a run takes on two processors that have nothing else to do


class Pace:
    """Says how many times as long as in its quickest moments this machine takes.

    Args:
        kept: the file of what was measured about this machine; the quickest time of all runs is in it.
        start_s: seconds that starting this process took, which is all that is known in the first run on a machine; 0
            where it is not known.
        work: the piece of work.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        kept: Path,
        *,
        start_s: float = 0.0,
        work: Callable[[], object] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._kept, self._work, self._clock = kept, work or _products, clock
        self._question = f"a small piece of work on {processors()}"
        self._quickest_s = kept_quickest(self._question, kept)
        self._at_start = max(1.0, start_s / _USUAL_START_S)
        self._seconds: deque[float] = deque(maxlen=_N_REMEMBERED)
        self._looked_s = -_EVERY_S
        self._shortest_s = float("inf")

    def slowness(self) -> float:
        """At least 1. It looks again where the last look is more than a second old."""
        self._look()
        if self._quickest_s is None:
            return self._at_start
        return max(1.0, statistics.median(self._seconds) / self._quickest_s)

    def keep(self) -> None:
        """Keeps the quickest time of this run for the next ones."""
        if self._seconds:
            keep_quickest(self._question, self._shortest_s, self._kept)

    def _look(self) -> None:
        began_s = self._clock()
        if self._seconds and began_s - self._looked_s < _EVERY_S:
            return
        self._work()
        self._looked_s = self._clock()
        self._seconds.append(self._looked_s - began_s)
        self._shortest_s = min(self._shortest_s, self._seconds[-1])


def _products() -> None:
    one = np.ones((_SIDE, _SIDE), np.float32)
    for _ in range(_N_PRODUCTS):
        one @ one  # the product itself is of no use
