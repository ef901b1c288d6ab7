"""Imports TensorFlow without what it always says on import.

Its libraries write three lines to the process's standard error before any setting of theirs is read, so the file
descriptor itself is held back while they load; every other line is passed on.
"""

import os
import re
import sys

from automl.native_output import STDERR, held_back

_ALWAYS_SAID = re.compile(
    rb"absl::InitializeLog|oneDNN custom operations are on|Could not find cuda drivers on your machine"
)


def import_tensorflow() -> None:
    """Imports TensorFlow; does nothing where it is loaded already.

    Its errors come as exceptions; its own log stays off unless the user has set TF_CPP_MIN_LOG_LEVEL.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with held_back(STDERR) as held:
        try:
            import tensorflow  # noqa: F401
        finally:
            lines = held.read().splitlines(keepends=True)
            os.write(held.original(STDERR), b"".join(line for line in lines if not _ALWAYS_SAID.search(line)))
