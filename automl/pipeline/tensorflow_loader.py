"""TensorFlow is imported beside the search: that takes seconds, in which heads can be trained already."""

import os
import threading
import time
from collections.abc import Callable

from automl.models.quiet_tensorflow import import_tensorflow

_NICE = 10


class TensorFlowLoader:
    """Imports TensorFlow and Keras in a thread, and after them what draws the plots at the end of a run.

    Matplotlib looks at all fonts of the machine when an account uses it for the first time.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._thread = threading.Thread(target=self._load, daemon=True)
        self._is_there = threading.Event()
        self._clock = clock
        self._started_s = 0.0

    def start(self) -> None:
        """Begins the import, unless it has begun."""
        if self._thread.ident is None:
            self._started_s = self._clock()
            self._thread.start()

    def wait(self) -> None:
        """Returns when TensorFlow and Keras are imported."""
        self.start()
        self._is_there.wait()

    @property
    def loading_s(self) -> float | None:
        """Seconds since the import began, 0 before it has; None once TensorFlow and Keras are there."""
        if self._is_there.is_set():
            return None
        return 0.0 if self._thread.ident is None else self._clock() - self._started_s

    @property
    def is_busy(self) -> bool:
        """Whether anything is being imported at this moment."""
        return self._thread.is_alive()

    def _load(self) -> None:
        # The search goes first: on Linux a thread has a priority of its own.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            import_tensorflow()
            import keras  # noqa: F401 - so that it is there when it is needed
        finally:
            self._is_there.set()  # what cannot be imported says so where it is used
        import automl.evaluation.plots  # noqa: F401
