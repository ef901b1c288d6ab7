"""Imports TensorFlow without what it always says on import, and keeps it to one GPU and to the memory that it needs.

Its libraries write three lines to the process's standard error before any setting of theirs is read, so the file
descriptor itself is held back while they load; every other line is passed on.
"""

import os
import re
import sys
import threading

from automl.native_output import STDERR, held_back

_one_at_a_time = threading.Lock()
_ALWAYS_SAID = re.compile(
    rb"absl::InitializeLog|oneDNN custom operations are on|Could not find cuda drivers on your machine"
)


def import_tensorflow() -> None:
    """Imports TensorFlow; does nothing where it is loaded already. Waits for another thread that is importing it.

    Its errors come as exceptions; its own log stays off unless the user has set TF_CPP_MIN_LOG_LEVEL.
    """
    with _one_at_a_time:  # a module that another thread is importing is already in sys.modules, half loaded
        if "tensorflow" not in sys.modules:
            _import_in_silence()


def _import_in_silence() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # the order in which `cards` numbers them
    with held_back(STDERR) as held:
        try:
            import tensorflow  # noqa: F401

            _share_gpus()
        finally:
            lines = held.read().splitlines(keepends=True)
            os.write(held.original(STDERR), b"".join(line for line in lines if not _ALWAYS_SAID.search(line)))


def _share_gpus() -> None:
    """Uses the first card only, one a process, and of its memory what is needed.

    TensorFlow would otherwise take nearly all memory of every card that it sees, at once and until the process ends.
    """
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")[:1]
    for card in cards:
        tf.config.experimental.set_memory_growth(card, True)
    tf.config.set_visible_devices(cards, "GPU")
