"""TensorFlow is imported beside the search: that takes seconds, in which heads can be trained already."""

import os
import threading

from automl.models.quiet_tensorflow import import_tensorflow

_NICE = 10


class TensorFlowLoader:
    """Imports TensorFlow and Keras in a thread."""

    def __init__(self) -> None:
        self._thread = threading.Thread(target=_load, daemon=True)

    def start(self) -> None:
        """Begins the import, unless it has begun."""
        if self._thread.ident is None:
            self._thread.start()

    def wait(self) -> None:
        """Returns when everything is imported."""
        self.start()
        self._thread.join()

    @property
    def is_loaded(self) -> bool:
        return self._thread.ident is not None and not self._thread.is_alive()


def _load() -> None:
    # The search goes first: on Linux a thread has a priority of its own.
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    import_tensorflow()
    import keras  # noqa: F401 - so that it is there when it is needed
