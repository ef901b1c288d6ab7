"""A flag that the main process of a worker sets and the processes that it forked can read."""

import mmap
from typing import Protocol


class StopSign(Protocol):
    """The reading side of `StopFlag`; a `threading.Event` has it, too."""

    def is_set(self) -> bool: ...


class StopFlag:
    """One byte of shared memory, needed since only the main process of a Celery node receives the stop signal."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self) -> None:
        self._memory[0] = 1

    def is_set(self) -> bool:
        return self._memory[0] == 1
