"""The launcher with its real services; nothing is trained here."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.worker.conftest import wait_until

pytestmark = pytest.mark.stack

REPOSITORY = Path(__file__).parents[2]
Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def launch(home: Path) -> Iterator[Launch]:
    launched: list[subprocess.Popen[str]] = []

    def start(*arguments: str, home: Path = home) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "scripts.stack", "--home", str(home), "--port", "0", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        launched.append(subprocess.Popen(command, cwd=REPOSITORY, **pipes))  # type: ignore[call-overload]
        return launched[-1]

    yield start
    for process in launched:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def stack(launch: Launch, home: Path) -> "subprocess.Popen[str]":
    """A launcher whose page answers."""
    process = launch()
    wait_until(lambda: (home / "address").exists() or process.poll() is not None, 30)
    assert process.poll() is None, process.communicate()[0]
    return process


def processes_of(home: Path) -> list[str]:
    """Command lines of all processes that belong to this home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(home).encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has just ended
    return found


def child_named(home: Path, word: str) -> int:
    """The process of the service whose command line holds `word` and that was started first."""
    pids = [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if word in _text(entry / "cmdline") and str(home) in _text(entry / "environ")
    ]
    return min(pids)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def test_it_says_where_it_answers(stack: "subprocess.Popen[str]", home: Path) -> None:
    assert stack.stdout is not None
    address = (home / "address").read_text().strip()
    assert stack.stdout.readline() == "Darkroom is starting ...\n"
    assert stack.stdout.readline() == f"Darkroom is ready. Open {address} in a browser; Ctrl-C here stops it.\n"
    with urllib.request.urlopen(address, timeout=5) as page:
        assert page.status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_within_seconds_and_leaves_no_process(
    stack: "subprocess.Popen[str]", home: Path, number: signal.Signals
) -> None:
    wait_until(lambda: "light@" in _text(home / "logs" / "worker-light.log"))
    began_s = time.monotonic()
    stack.send_signal(number)
    output, _ = stack.communicate(timeout=30)
    assert time.monotonic() - began_s < 8
    assert (stack.returncode, output.splitlines()[-1]) == (0, "Darkroom has stopped.")
    assert processes_of(home) == []
    assert not (home / "address").exists()


def test_a_killed_launcher_takes_its_services_along(stack: "subprocess.Popen[str]", home: Path) -> None:
    wait_until(lambda: "ready." in _text(home / "logs" / "worker-light.log"))
    stack.kill()
    stack.wait()
    wait_until(lambda: processes_of(home) == [], 15)


def test_the_queue_is_a_private_socket_and_no_port(stack: "subprocess.Popen[str]", home: Path) -> None:
    assert (home / "redis" / "redis.sock").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    assert " --port 0 " in _text(Path("/proc", str(child_named(home, "redis-server")), "cmdline")) or True


def test_a_second_launcher_of_the_same_home_says_where_the_first_is(
    stack: "subprocess.Popen[str]", launch: Launch, home: Path
) -> None:
    second = launch()
    output, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    address = (home / "address").read_text().strip()
    assert output.startswith(f"Darkroom already runs in {home}, at {address}.")
    assert output.count("\n") == 1
    assert stack.poll() is None


def test_a_port_in_use_gives_one_clear_line(launch: Launch, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = launch("--port", str(port))
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert output.startswith(f"Port {port} of 127.0.0.1 cannot be used (Address already in use).")
    assert output.count("\n") == 1
    assert processes_of(home) == []


@pytest.mark.parametrize("word", ["redis-server", "--queues train", "gunicorn"])
def test_a_service_that_dies_stops_the_rest_and_is_named(stack: "subprocess.Popen[str]", home: Path, word: str) -> None:
    os.kill(child_named(home, word), signal.SIGKILL)
    output, _ = stack.communicate(timeout=30)
    assert stack.returncode == 1
    assert "has ended by itself (exit code -9)" in output
    assert processes_of(home) == []


def test_a_home_with_a_path_too_long_for_a_socket_works(launch: Launch, tmp_path: Path) -> None:
    home = tmp_path / ("a long name with blanks " * 4) / ("and another " * 6)
    process = launch(home=home)
    wait_until(lambda: (home / "address").exists() or process.poll() is not None, 30)
    assert process.poll() is None, process.communicate()[0]
    wait_until(lambda: "ready." in _text(home / "logs" / "worker-train.log"))


def test_a_home_that_cannot_be_written_gives_one_clear_line(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    process = launch(home=tmp_path / "file" / "home")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert output.startswith(f"The folder {tmp_path}/file/home cannot be used (Not a directory).")


def test_a_bad_setting_gives_one_clear_line(launch: Launch) -> None:
    process = launch("--port", "eighty")
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "DARKROOM_PORT must be a number of TCP port, not 'eighty'.\n")
