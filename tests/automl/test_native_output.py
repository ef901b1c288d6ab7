"""What native libraries write to the outputs of the process is held back, and shown where it says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl.native_output import STDERR, STDOUT, held_back, own_terminal


def test_what_is_written_past_python_is_held_back_and_can_be_read(capfd: pytest.CaptureFixture[str]) -> None:
    with held_back(STDOUT, STDERR) as held:
        os.write(STDOUT, b"one\n")
        assert held.read() == b"one\n"
        os.write(STDERR, b"two\n")
        os.write(held.original(STDERR), b"three\n")
    os.write(STDERR, b"four\n")
    assert held.read() == b"one\ntwo\n"
    assert capfd.readouterr() == ("", "three\nfour\n")


def test_the_outputs_are_back_after_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), held_back(STDERR):
        raise KeyError
    os.write(STDERR, b"back\n")
    assert capfd.readouterr().err == "back\n"


def n_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_file_descriptor_is_left_open() -> None:
    before = n_open()
    with held_back(STDOUT, STDERR):
        pass
    assert n_open() == before


@pytest.mark.parametrize(("fails", "shown"), [(False, "a step\n"), (True, "a step\nits log\n")])
def test_the_log_of_a_library_is_shown_on_the_terminal_only_where_something_fails(
    capfd: pytest.CaptureFixture[str], fails: bool, shown: str
) -> None:
    try:
        with own_terminal() as console:
            os.write(STDERR, b"its log\n")
            console.print("a step")
            assert not fails
    except AssertionError:
        assert fails
    assert capfd.readouterr().err == shown


def test_importing_tensorflow_says_nothing() -> None:
    code = "from automl.models.quiet_tensorflow import import_tensorflow; import_tensorflow()"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
