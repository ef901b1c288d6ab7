"""How busy the machine is at this moment, by a small piece of work that is repeated through the run."""

import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from automl.models.measured import keep_quickest, kept_quickest
from automl.search.relative_times import processors

_EVERY_S = 1.0
_N_REMEMBERED = 9
_SIDE, _N_PRODUCTS = 384, 6  # about 10 ms
_MOST = 3.0
_EXPONENT = 0.5
"""A short piece of work suffers more from others than a long one: where it took 5 to 6 times as long, the end of a run
took 2 to 2.5 times as long (docs/benchmarks.md)."""
_USUAL_START_S = 2.5  # what starting the process of a run takes on two processors that have nothing else to do


class Pace:
    """Says how many times as long as in its quickest moments this machine takes.

    Args:
        kept: the file of what was measured about this machine; the quickest time of all runs is in it.
        is_disturbed: whether this process itself keeps the processors busy at the moment, so that looking would say
            nothing of other work.
        start_s: seconds that starting this process took, which is all that is known in the first run on a machine; 0
            where it is not known.
        work: the piece of work.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        kept: Path,
        *,
        is_disturbed: Callable[[], bool] = lambda: False,
        start_s: float = 0.0,
        work: Callable[[], object] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._kept, self._is_disturbed = kept, is_disturbed
        self._work, self._clock = work or _products, clock
        self._question = f"a small piece of work on {processors()}"
        self._quickest_s = kept_quickest(self._question, kept)
        self._at_start = min(max(1.0, start_s / _USUAL_START_S), _MOST)
        self._seconds: deque[float] = deque(maxlen=_N_REMEMBERED)
        self._looked_s = -_EVERY_S
        self._shortest_s = float("inf")

    def slowness(self) -> float:
        """From 1 to 3. It looks again where the last look is more than a second old."""
        self._look()
        if self._quickest_s is None or not self._seconds:
            return self._at_start
        times_as_long = statistics.median(self._seconds) / self._quickest_s
        return float(min(max(1.0, times_as_long**_EXPONENT), _MOST))

    @property
    def is_known(self) -> bool:
        """Whether earlier runs have said how quick the machine can be."""
        return self._quickest_s is not None

    def keep(self) -> None:
        """Keeps the quickest time of this run for the next ones."""
        if self._seconds:
            keep_quickest(self._question, self._shortest_s, self._kept)

    def _look(self) -> None:
        began_s = self._clock()
        if self._is_disturbed() or (self._seconds and began_s - self._looked_s < _EVERY_S):
            return
        self._work()
        self._looked_s = self._clock()
        self._seconds.append(self._looked_s - began_s)
        self._shortest_s = min(self._shortest_s, self._seconds[-1])


def _products() -> None:
    one = np.ones((_SIDE, _SIDE), np.float32)
    # Threads that wait for each other would take far longer beside other work than what is foreseen by them.
    with threadpool_limits(1, "blas"):
        for _ in range(_N_PRODUCTS):
            one @ one  # the product itself is of no use
