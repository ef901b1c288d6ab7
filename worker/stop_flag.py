"""A flag that a worker's main process raises and the processes that it forked see."""

import mmap
from typing import Protocol


class StopSign(Protocol):
    """What those need who only look: `StopFlag`, or a `threading.Event`."""

    def is_set(self) -> bool: ...


class StopFlag:
    """One byte of memory that every fork shares: only the main process of a Celery node is told that it shall stop."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self) -> None:
        self._memory[0] = 1

    def is_set(self) -> bool:
        return self._memory[0] == 1
