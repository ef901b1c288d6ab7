"""Several processes share turns at decoding: never more than there are, and long work starves no short work."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Answer, Inspect, Inspected
from automl.images.decoding.pool import Decoders
from automl.images.decoding.turns import SharedTurns
from tests.automl.images.pictures import encoded, write_files

LONG_S = 120.0


def never() -> bool:
    return False


def test_no_more_have_a_turn_than_there_are(tmp_path: Path) -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    def work(_number: int) -> None:
        nonlocal at_once, most
        with SharedTurns(tmp_path / "turns").one_of(2, stop_if=never):
            with lock:
                at_once += 1
                most = max(most, at_once)
            threading.Event().wait(0.01)
            with lock:
                at_once -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == 2


def test_the_turn_of_a_process_that_was_killed_is_free_again(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from automl.images.decoding.turns import SharedTurns\n"
        "with SharedTurns(Path(sys.argv[1])).one_of(1, stop_if=lambda: False):\n"
        "    print('mine', flush=True)\n    time.sleep(3600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline()
        looks: list[int] = []
        with SharedTurns(tmp_path).one_of(1, stop_if=lambda: looks.append(1) or len(looks) > 3):  # type: ignore[func-returns-value]
            assert len(looks) > 3  # it waited until it was told to stop
        other.kill()
    with SharedTurns(tmp_path).one_of(1, stop_if=never):
        pass


def test_a_check_of_20_000_photos_keeps_one_of_20_not_waiting(tmp_path: Path) -> None:
    path = write_files(tmp_path, {"1.png": encoded(1)}) / "1.png"
    shared = tmp_path / "turns"
    long, short = (Decoders(DecodingLimits(seconds=seconds), shared=SharedTurns(shared)) for seconds in (91.0, 92.0))
    n_done, has_begun, is_enough = 0, threading.Event(), threading.Event()

    def some_of_long(orders: Sequence[Inspect]) -> list[Answer]:
        return long.answers(orders)

    def go_on() -> None:
        nonlocal n_done
        with closing(long.map(some_of_long, [Inspect(path=path)] * 20_000)) as answers:
            for n_done, _ in enumerate(answers, start=1):  # noqa: B007 - it is read outside
                has_begun.set()
                if is_enough.is_set():
                    return

    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(go_on)
        try:
            assert has_begun.wait(LONG_S)
            found = list(short.map(short.answers, [Inspect(path=path)] * 20))
            assert len(found) == 20 and all(isinstance(answer, Inspected) for answer in found)
            assert n_done < 20_000 and not going_on.done()
        finally:
            is_enough.set()
        going_on.result(LONG_S)
