"""A process that decodes: its answers, and its end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.errors import RunFailed
from automl.images.decode import DecoderProcess
from automl.serving.predict import RULES

LONG_S = 20.0


@pytest.fixture
def pixels(tmp_path):
    path = tmp_path / "pixels.npy"
    np.save(path, np.zeros((3, 8, 8, 3), np.uint8))
    return path


@pytest.fixture
def process(pixels):
    process = DecoderProcess([pixels], RULES)
    yield process
    process.kill()


def test_it_writes_into_the_array_from_the_row_it_was_told(process, pixels, tmp_path):
    Image.new("RGB", (9, 9), (1, 2, 3)).save(tmp_path / "ü.png")
    process.order(1, [str(tmp_path / "ü.png")])
    assert process.answer() is None
    assert np.load(pixels)[:, 0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [0, 0, 0]]


def test_it_imports_nothing_from_the_folder_it_is_started_in(pixels, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(1)")
    (tmp_path / "automl").mkdir()
    monkeypatch.chdir(tmp_path)
    process = DecoderProcess([pixels], RULES)
    process.order(0, [])
    assert process.answer() is None
    process.kill()


def test_it_says_which_row_failed_and_goes_on(process, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "x.png")
    process.order(1, [str(tmp_path / "x.png"), str(tmp_path / "none.png")])
    failure = process.answer()
    assert failure is not None
    assert (failure.index, failure.reason.split(":")[0]) == (2, "FileNotFoundError")
    process.order(0, [str(tmp_path / "x.png")])
    assert process.answer() is None


def test_one_that_was_killed_is_told(process):
    process._process.kill()
    process._process.wait()
    with pytest.raises(RunFailed, match="killed"):
        process.answer()
    with pytest.raises(RunFailed, match="killed"):
        process.order(0, ["x.png"])


def test_it_ends_with_its_parent_even_in_the_middle_of_a_photo(pixels, tmp_path):
    """The parent is killed while its child opens a photo that never comes: a named pipe that nobody writes to."""
    os.mkfifo(tmp_path / "endless.jpg")
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, pixels, tmp_path / "endless.jpg"], stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + LONG_S
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    """A zombie that nobody has waited for has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


_PARENT = """
import sys, time
from pathlib import Path
from automl.images.decode import DecoderProcess
from automl.serving.predict import RULES

process = DecoderProcess([Path(sys.argv[1])], RULES)
process.order(0, [sys.argv[2]])
print(process._process.pid, flush=True)
time.sleep(1000)
"""


def test_it_imports_neither_tensorflow_nor_the_pipeline():
    code = "import sys, automl.images.decode; print(sorted(name.split('.')[0] for name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'PIL'" in said
    assert not any(f"'{name}'" in said for name in ("tensorflow", "onnxruntime", "optuna", "sqlalchemy", "matplotlib"))
