"""A terminal that belongs to us: native libraries write their log lines somewhere else."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def own_terminal() -> Iterator[Console]:
    """Yields a console on standard error; what else is written to it (TensorFlow's C++ log) is kept aside.

    It is shown only if the block ends with an exception, where it may say why.
    """
    sys.stderr.flush()
    ours = os.dup(2)
    with tempfile.TemporaryFile() as aside, os.fdopen(ours, "w") as terminal:
        os.dup2(aside.fileno(), 2)
        try:
            yield Console(file=terminal, force_terminal=os.isatty(ours))
        except Exception:
            aside.seek(0)
            terminal.write(aside.read().decode(errors="replace"))
            raise
        finally:
            sys.stderr.flush()
            os.dup2(ours, 2)
