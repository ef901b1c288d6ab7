"""The launcher with its real services; nothing is trained here."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from automl.settings import load_settings
from scripts.stack.__main__ import Stack
from scripts.stack.child import Service
from scripts.stack.home import CannotStart
from tests.worker.conftest import wait_until

pytestmark = pytest.mark.stack

REPOSITORY = Path(__file__).parents[2]
Process = subprocess.Popen[str]


def slow(value: object) -> object:
    return pytest.param(value, marks=pytest.mark.slow)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@contextmanager
def launcher(home: Path, *arguments: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "scripts.stack", "--home", str(home), "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def ready_launcher(home: Path) -> Iterator[Process]:
    """A launcher whose page answers."""
    with launcher(home) as process:
        wait_until(lambda: (home / "address").exists() or process.poll() is not None, 30)
        assert process.poll() is None, process.communicate()[0]
        yield process


@pytest.fixture
def stack(home: Path) -> Iterator[Process]:
    with ready_launcher(home) as process:
        yield process


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a stack that the tests leave as it is."""
    home = tmp_path_factory.mktemp("shared") / "home"
    with ready_launcher(home):
        yield home


def refusal(home: Path, *arguments: str) -> str:
    """What a launcher says that does not start."""
    with launcher(home, *arguments) as process:
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    return output


def processes_of(home: Path) -> dict[int, str]:
    """Command lines of all processes that belong to this home."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        command = _text(entry / "cmdline")
        # Redis writes over its own environment, but works in the home.
        if str(home) in _text(entry / "environ") or str(home) in command:
            found[int(entry.name)] = command
    return found


def child_named(home: Path, word: str) -> int:
    """The service whose command line holds `word`: the first of its processes."""
    return min(pid for pid, command in processes_of(home).items() if word in command)


def zombies_of(parent: int) -> list[str]:
    stats = [_text(path).rpartition(")")[2].split() for path in Path("/proc").glob("[0-9]*/stat")]
    return [" ".join(fields) for fields in stats if fields[:2] == ["Z", str(parent)]]


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as page:
            return bool(page.status == 200)
    except OSError:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # no such file yet, or a process that has just ended
        return ""


def test_the_page_answers_at_the_published_address(shared_home: Path) -> None:
    with urllib.request.urlopen((shared_home / "address").read_text().strip(), timeout=5) as page:
        assert page.status == 200


def test_the_queue_is_a_private_socket_and_no_port(shared_home: Path) -> None:
    socket_path = shared_home / "redis" / "redis.sock"
    assert socket_path.stat().st_mode & 0o777 == 0o600
    assert shared_home.stat().st_mode & 0o777 == 0o700
    with redis.Redis(unix_socket_path=str(socket_path)) as server:
        assert server.config_get("port") == {"port": "0"}


def test_a_second_launcher_of_the_same_home_says_where_the_first_is(shared_home: Path) -> None:
    address = (shared_home / "address").read_text().strip()
    output = refusal(shared_home)
    assert output.startswith(f"Darkroom already runs in {shared_home}, at {address}.")
    assert output.count("\n") == 1
    assert (shared_home / "address").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, slow(signal.SIGTERM), slow(signal.SIGHUP)])
def test_it_says_where_it_answers_stops_within_seconds_and_leaves_no_process(
    stack: Process, home: Path, number: signal.Signals
) -> None:
    address = (home / "address").read_text().strip()
    wait_until(lambda: "light@" in _text(home / "logs" / "worker-light.log"))
    began_s = time.monotonic()
    stack.send_signal(number)
    output, _ = stack.communicate(timeout=30)
    assert time.monotonic() - began_s < 8
    assert (stack.returncode, output.splitlines()) == (
        0,
        [
            "Darkroom is starting ...",
            f"Darkroom is ready. Open {address} in a browser; Ctrl-C here stops it.",
            "Darkroom has stopped.",
        ],
    )
    assert processes_of(home) == {}
    assert not (home / "address").exists()


@pytest.mark.slow
def test_a_killed_launcher_takes_its_services_along(stack: Process, home: Path) -> None:
    wait_until(lambda: "ready." in _text(home / "logs" / "worker-light.log"))
    stack.kill()
    stack.wait()
    wait_until(lambda: processes_of(home) == {}, 15)


def test_a_queue_that_dies_is_started_again(stack: Process, home: Path) -> None:
    killed = child_named(home, "redis-server")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in processes_of(home), 15)
    wait_until(lambda: any("redis-server" in command for command in processes_of(home).values()), 15)
    assert stack.poll() is None


def test_a_service_that_dies_again_and_again_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.stack.__main__.signal.signal", lambda *_: None)
    home.mkdir()
    stack = Stack(load_settings({"DARKROOM_HOME": str(home)}), dict(os.environ))
    stack.start(Service("failing", "the failing service", ("/bin/sh", "-c", "echo it broke; exit 7"), max_restarts=1))
    with pytest.raises(CannotStart, match=r"the failing service has ended by itself .exit code 7.*\n.*it broke"):
        stack.wait_until(lambda: False, 20, "It")


def test_once_all_was_up_nothing_ends_for_good_and_the_pauses_grow(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scripts.stack.__main__.signal.signal", lambda *_: None)
    clock = [0.0]
    monkeypatch.setattr("scripts.stack.__main__.time.monotonic", lambda: clock[0])
    home.mkdir()
    stack = Stack(load_settings({"DARKROOM_HOME": str(home)}), dict(os.environ))
    stack.start(Service("failing", "the failing service", ("/bin/sh", "-c", "exit 7"), max_restarts=1))
    stack.is_up = True
    said, pauses = "", []
    for _ in range(8):
        while "started again" not in said:
            stack.watch()
            time.sleep(0.01)
            said += capsys.readouterr().out
        pauses.append(said.rpartition("again ")[2].strip())
        said = ""
        clock[0] += 61.0
    assert pauses == ["now.", "in 1 s.", "in 3 s.", "in 7 s.", "in 15 s.", "in 31 s.", "in 60 s.", "in 60 s."]


def test_a_worker_that_dies_is_started_again(stack: Process, home: Path) -> None:
    killed = child_named(home, "--queues train")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in processes_of(home), 15)
    wait_until(lambda: any("--queues train" in command for command in processes_of(home).values()), 15)
    assert stack.poll() is None
    os.kill(child_named(home, "gunicorn"), 0)


def test_no_dead_process_of_a_killed_worker_is_left(stack: Process, home: Path) -> None:
    killed = child_named(home, "--queues light")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in processes_of(home), 15)
    wait_until(lambda: not zombies_of(stack.pid), 15)


def test_a_web_server_that_dies_is_started_again_at_its_address(stack: Process, home: Path) -> None:
    worker = child_named(home, "--queues train")
    os.kill(child_named(home, "gunicorn"), signal.SIGKILL)
    address = (home / "address").read_text().strip()
    wait_until(lambda: _answers(address), 20)
    assert stack.poll() is None
    os.kill(worker, 0)  # whose run goes on


def test_a_port_in_use_gives_one_clear_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        output = refusal(home, "--port", str(port))
    assert output.startswith(f"Port {port} of 127.0.0.1 cannot be used (Address already in use).")
    assert output.count("\n") == 1
    assert processes_of(home) == {}


def test_a_home_with_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    home = tmp_path / ("a long name with blanks " * 4) / ("and another " * 6)
    with ready_launcher(home):
        wait_until(lambda: "ready." in _text(home / "logs" / "worker-train.log"))


def test_a_home_that_cannot_be_written_gives_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output = refusal(tmp_path / "file" / "home")
    assert output.startswith(f"The folder {tmp_path}/file/home cannot be used (Not a directory).")


def test_a_bad_setting_gives_one_clear_line(home: Path) -> None:
    assert refusal(home, "--port", "eighty") == "DARKROOM_PORT must be a number of TCP port, not 'eighty'.\n"
