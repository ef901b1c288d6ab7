"""How long a piece of work takes."""

import time
from collections.abc import Callable


def quickest_s(work: Callable[[], object], n_times: int) -> float:
    """Does `work` several times and returns the seconds of the quickest time."""
    seconds = []
    for _ in range(n_times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
