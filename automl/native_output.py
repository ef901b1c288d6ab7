"""Holding back what native libraries write: C++ code writes to file descriptors, past the streams of Python.

TensorFlow's log, converters and their compilers do so, and no setting of theirs stops all of it.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console

STDOUT, STDERR = 1, 2


class HeldOutput:
    """What was written to some file descriptors while they were held back.

    Args:
        file: where it went.
        originals: for each file descriptor a copy that leads where it led before.
    """

    def __init__(self, file: IO[bytes], originals: dict[int, int]) -> None:
        self._file, self._originals = file, originals
        self._kept: bytes | None = None

    def original(self, descriptor: int) -> int:
        """A file descriptor that leads where `descriptor` leads otherwise; only while it is held back."""
        return self._originals[descriptor]

    def read(self) -> bytes:
        """Everything that has been written so far."""
        if self._kept is not None:
            return self._kept
        self._file.seek(0)
        return self._file.read()  # the descriptors share the place in the file: what comes next is written behind

    def keep(self) -> None:
        """Reads everything, for when the file is gone."""
        self._kept = self.read()


@contextmanager
def held_back(*descriptors: int) -> Iterator[HeldOutput]:
    """Inside, what the process writes to `descriptors` goes to a temporary file, also what C++ code writes.

    What was held back can still be read afterwards.
    """
    originals: dict[int, int] = {}
    with tempfile.TemporaryFile() as file:
        held = HeldOutput(file, originals)
        _flush()
        try:
            for descriptor in descriptors:
                originals[descriptor] = os.dup(descriptor)
                os.dup2(file.fileno(), descriptor)
            yield held
        finally:
            _flush()  # what Python still has in its buffers belongs to this block
            held.keep()
            for descriptor, original in originals.items():
                os.dup2(original, descriptor)
                os.close(original)


@contextmanager
def own_terminal() -> Iterator[Console]:
    """Yields a console on standard error; what else is written there, such as TensorFlow's log, is held back.

    It is shown only if the block ends with an exception, where it may say why.
    """
    with held_back(STDERR) as held:
        original = held.original(STDERR)
        with os.fdopen(original, "w", closefd=False) as terminal:
            try:
                yield Console(file=terminal, force_terminal=os.isatty(original))
            except Exception:
                terminal.write(held.read().decode(errors="replace"))
                raise


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
