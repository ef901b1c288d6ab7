"""Imports TensorFlow without what it always says on import.

Its libraries write three lines to the process's standard error before any setting of theirs is read, so the file
descriptor itself is held back while they load; every other line is passed on.
"""

import os
import re
import sys
import tempfile

_ALWAYS_SAID = re.compile(
    rb"absl::InitializeLog|oneDNN custom operations are on|Could not find cuda drivers on your machine"
)


def import_tensorflow() -> None:
    """Does nothing where TensorFlow is loaded already.

    Its errors come as exceptions; its own log stays off unless the user has set TF_CPP_MIN_LOG_LEVEL.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not _ALWAYS_SAID.search(line)))
