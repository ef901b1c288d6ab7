"""Turns at decoding that several processes share, so that all of them together start no more decoders than one may."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

_LOOK_EVERY_S = 0.01


class SharedTurns:
    """A few turns, one file for each. Whoever has locked a file has its turn; the system frees those of the dead.

    Args:
        folder: Where the files are, the same for all processes. It is made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    @contextmanager
    def one_of(self, n: int, *, stop_if: Callable[[], bool]) -> Iterator[None]:
        """Waits for one of the first `n` turns, and has it inside the block. No wait is starved by those that go on.

        stop_if: is asked while it waits; where it says so, the block is entered without a turn.
        """
        with ExitStack() as held:
            # Only the first in the row looks for a free turn: who has just given one back goes to the end.
            with (self._folder / "first-in-row.lock").open("w") as row:
                while not stop_if() and not _lock(row):
                    time.sleep(_LOOK_EVERY_S)
                while not stop_if() and not any(self._take(number, held) for number in range(n)):
                    time.sleep(_LOOK_EVERY_S)
            yield

    def _take(self, number: int, held: ExitStack) -> bool:
        file = (self._folder / f"{number}.lock").open("w")
        if _lock(file):
            held.enter_context(file)
            return True
        file.close()
        return False


def _lock(file: IO[str]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
