"""TensorFlow is loaded beside the search, and how long that takes is known meanwhile."""

import sys
import threading
from types import ModuleType

import pytest

from automl.pipeline import tensorflow_loader
from automl.pipeline.tensorflow_loader import TensorFlowLoader
from tests.automl.search.fakes import Clock


@pytest.fixture
def importing(monkeypatch):
    """Set, it ends the import of TensorFlow."""
    goes_on = threading.Event()
    monkeypatch.setattr(tensorflow_loader, "import_tensorflow", lambda: goes_on.wait(30))
    monkeypatch.setitem(sys.modules, "keras", ModuleType("keras"))
    return goes_on


def test_it_says_how_long_it_has_been_loading_and_when_it_has_ended(importing):
    clock = Clock()
    loader = TensorFlowLoader(clock)
    clock.now = 5.0
    assert loader.loading_s == 0.0 and not loader.is_busy
    loader.start()
    clock.now = 25.0
    loader.start()  # it has begun
    assert loader.loading_s == 20.0 and loader.is_busy
    importing.set()
    loader.wait()
    assert loader.loading_s is None
    loader._thread.join()
    assert not loader.is_busy


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_ever_for_what_cannot_be_imported(importing, monkeypatch):
    monkeypatch.setattr(tensorflow_loader, "import_tensorflow", lambda: 1 / 0)
    loader = TensorFlowLoader()
    loader.wait()
    assert loader.loading_s is None
    loader._thread.join()
