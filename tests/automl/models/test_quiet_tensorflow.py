import subprocess
import sys

import pytest


@pytest.mark.slow
def test_keras_tuner_waits_for_tensorflow_that_another_thread_is_importing() -> None:
    code = (
        "import pathlib, tempfile, threading\n"
        "from automl.models.quiet_tensorflow import import_tensorflow\n"
        "from automl.records import TunerKind\n"
        "from automl.search.space import Categorical, SearchSpace\n"
        "from automl.search.tuners.making import make_tuner\n"
        "thread = threading.Thread(target=import_tensorflow)\n"
        "thread.start()\n"
        "space = SearchSpace((Categorical('taps', ('last', 'several'), default='last'),))\n"
        "scratch = pathlib.Path(tempfile.mkdtemp())\n"
        "make_tuner(TunerKind.KERAS_TUNER, None, space=space, seed=0, scratch=scratch, max_epochs=9)\n"
        "thread.join()\n"
        "import tensorflow\n"
        "tensorflow.constant(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
