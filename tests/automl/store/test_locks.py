import multiprocessing
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from automl.store.locks import exclusive


def add_one(path: str, lock: str) -> None:
    for _ in range(25):
        with exclusive(Path(lock)):
            number = int(Path(path).read_text())
            time.sleep(0.001)
            Path(path).write_text(str(number + 1))


def test_processes_take_turns_and_nothing_is_left(tmp_path: Path) -> None:
    counter, lock = tmp_path / "counter", tmp_path / "locks" / "lock"
    counter.write_text("0")
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=add_one, args=(str(counter), str(lock))) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert counter.read_text() == "75"
    assert not lock.exists()


def test_threads_take_turns_too(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with exclusive(tmp_path / "lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_holder_that_is_killed_lets_go(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; from automl.store.locks import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])): print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.send_signal(signal.SIGKILL)
        with exclusive(tmp_path / "lock"):
            pass
