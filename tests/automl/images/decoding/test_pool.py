"""Pictures are opened in processes of their own, and each costs no more than the limits."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.checked_files import sha256_of
from automl.errors import BadImage, RunFailed
from automl.images.decoding import pool as pool_module
from automl.images.decoding import process as process_module
from automl.images.decoding.limits import DecodingLimits, n_decoders
from automl.images.decoding.orders import Answer, Fill, Filled, Inspect, Inspected, Show, Shown
from automl.images.decoding.pool import Decoders
from automl.images.decoding.process import DecoderProcess
from automl.images.verify import inspect_photo
from automl.processors import n_processors
from automl.serving.predict import RULES, load_image
from tests.automl.images.hostile import empty_png, many_scans
from tests.automl.images.pictures import encoded, picture, write_files

LIMITS = DecodingLimits(max_image_bytes=60_000_000, working_bytes=60_000_000, seconds=20.0)
LONG_S = 60.0


@pytest.fixture
def decoders() -> Decoders:
    return Decoders(LIMITS)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[DecoderProcess]:
    """The decoders that were started."""
    found: list[DecoderProcess] = []

    class Counted(DecoderProcess):
        def __init__(self, limits: DecodingLimits) -> None:
            super().__init__(limits)
            found.append(self)

    monkeypatch.setattr(pool_module, "DecoderProcess", Counted)
    return found


def inspected(answer: Answer) -> Inspected:
    assert isinstance(answer, Inspected)
    return answer


def refusal(answer: Answer) -> str:
    assert isinstance(answer, BadImage)
    return answer.message


def peak_bytes(process: DecoderProcess) -> int:
    """The most memory that it has had so far."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


def test_what_is_found_out_is_what_this_process_would_find_out(decoders: Decoders, tmp_path: Path) -> None:
    write_files(tmp_path, {"ü.jpg": encoded(1, "JPEG"), "clear.png": encoded(picture(2, mode="RGBA"))})
    for path in tmp_path.iterdir():
        found = inspected(decoders.answer(Inspect(path=path)))
        assert (found.traits, found.thumbnail) == inspect_photo(path, LIMITS.max_image_bytes)


def test_what_a_model_sees_is_what_predict_py_sees(decoders: Decoders, tmp_path: Path) -> None:
    path = write_files(tmp_path, {"1.png": encoded(picture(1, size=(90, 60)))}) / "1.png"
    for photo in (path, path.read_bytes()):
        shown = decoders.answer(Show(photo=photo, size_px=32, rules=RULES, small_px=30))
        assert isinstance(shown, Shown) and shown.small is not None
        np.testing.assert_array_equal(shown.square, load_image(path, 32))
        assert shown.small.shape == (20, 30, 3)


def test_rows_are_filled_at_each_size(decoders: Decoders, tmp_path: Path) -> None:
    path = write_files(tmp_path, {"1.png": encoded(1)}) / "1.png"
    arrays = tuple(tmp_path / f"{size}.npy" for size in (8, 16))
    for array, size in zip(arrays, (8, 16), strict=True):
        np.save(array, np.zeros((3, size, size, 3), np.uint8))
    assert decoders.answer(Fill(path=path, sha256=sha256_of(path), arrays=arrays, row=1, rules=RULES)) == Filled()
    np.testing.assert_array_equal(np.load(arrays[1])[1], load_image(path, 16))
    assert not np.load(arrays[0])[[0, 2]].any()


def test_a_file_that_is_not_there_is_no_verdict_on_a_picture(decoders: Decoders, tmp_path: Path) -> None:
    answer = decoders.answer(Inspect(path=tmp_path / "none.png"))
    assert isinstance(answer, FileNotFoundError)


def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(
    started: list[DecoderProcess], tmp_path: Path
) -> None:
    """580 kB that would be 600 MB."""
    decoders = Decoders(replace(LIMITS, seconds=19.0))
    path = write_files(tmp_path, {"bomb.png": empty_png(10_000, bits=16)}) / "bomb.png"
    at_rest = _rest_of(decoders, started, tmp_path)
    assert "opened, it would take 600 MB of memory, and at most 60.0 MB" in refusal(decoders.answer(Inspect(path=path)))
    assert peak_bytes(started[-1]) - at_rest < 20e6


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
@pytest.mark.parametrize("bits", [8, 16])
def test_whatever_a_picture_needs_its_process_gets_no_more_than_the_limits(
    bits: int, started: list[DecoderProcess], tmp_path: Path
) -> None:
    limits = replace(LIMITS, seconds=18.0 + bits, working_bytes=50_000_000)
    decoders = Decoders(limits)
    side = 4400 if bits == 8 else 3100
    path = write_files(tmp_path, {"large.png": empty_png(side, bits=bits)}) / "large.png"
    at_rest = _rest_of(decoders, started, tmp_path)
    answer = decoders.answer(Inspect(path=path))
    assert len(started) == 1
    assert 0 < peak_bytes(started[0]) - at_rest < limits.process_bytes
    if bits == 16:
        assert "takes more memory than one picture may have here" in refusal(answer)
    else:
        assert inspected(answer).traits.width == side


def test_memory_returns(started: list[DecoderProcess], tmp_path: Path) -> None:
    decoders = Decoders(replace(LIMITS, seconds=17.0))
    path = write_files(tmp_path, {"large.png": empty_png(4000)}) / "large.png"
    at_rest = _rest_of(decoders, started, tmp_path)
    inspected(decoders.answer(Inspect(path=path)))
    assert peak_bytes(started[0]) - at_rest > 48e6
    assert started[0]._resident_bytes() - at_rest < 32e6


def _rest_of(decoders: Decoders, started: list[DecoderProcess], folder: Path) -> int:
    """The memory of a decoder that has opened a small picture."""
    inspected(decoders.answer(Inspect(path=write_files(folder, {"small.png": encoded(1)}) / "small.png")))
    return started[-1]._resident_bytes()


def test_a_picture_that_takes_too_long_is_refused_and_the_next_ones_are_not(
    started: list[DecoderProcess], tmp_path: Path
) -> None:
    files = {"1.png": encoded(1), "slow.jpg": many_scans(9000), "2.png": encoded(2), "3.png": encoded(3)}
    write_files(tmp_path, files)
    decoders = Decoders(replace(LIMITS, seconds=2.0))
    before = time.monotonic()
    answers = decoders.answers([Inspect(path=tmp_path / name) for name in files])
    assert time.monotonic() - before < LONG_S
    assert "could not be opened within 2 seconds" in refusal(answers[1])
    assert [inspected(answers[n]).traits.format for n in (0, 2, 3)] == ["PNG", "PNG", "PNG"]
    assert started[0]._process.returncode == -signal.SIGKILL


def test_a_decoder_that_the_machine_did_not_let_work_is_tried_once_more(
    started: list[DecoderProcess], tmp_path: Path
) -> None:
    decoders = Decoders(replace(LIMITS, seconds=3.0))
    path = write_files(tmp_path, {"1.png": encoded(1)}) / "1.png"
    inspected(decoders.answer(Inspect(path=path)))
    os.kill(started[0].pid, signal.SIGSTOP)
    assert inspected(decoders.answer(Inspect(path=path))).traits.width == 24
    assert len(started) == 2


def test_a_picture_that_kills_its_decoder_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = [write_files(tmp_path, {name: encoded(1)}) / name for name in ("1.png", "kills.png", "2.png")]

    class Fragile(DecoderProcess):
        def send(self, order: Inspect) -> None:  # type: ignore[override]
            if order.path.name == "kills.png":
                self.stop()
            super().send(order)

    monkeypatch.setattr(pool_module, "DecoderProcess", Fragile)
    decoders = Decoders(replace(LIMITS, seconds=16.0))
    answers = [decoders.answer(Inspect(path=path)) for path in paths]
    assert "takes more memory" in refusal(answers[1])
    assert inspected(answers[0]).traits == inspected(answers[2]).traits


def test_a_decoder_that_ended_while_idle_is_replaced_without_a_word(
    monkeypatch: pytest.MonkeyPatch, started: list[DecoderProcess], tmp_path: Path
) -> None:
    monkeypatch.setattr(DecoderProcess, "is_fresh", lambda _self: True)
    decoders = Decoders(replace(LIMITS, seconds=15.0))
    order = Inspect(path=write_files(tmp_path, {"1.png": encoded(1)}) / "1.png")
    for _ in range(3):
        inspected(decoders.answer(order))
        started[-1].stop()
        started[-1]._process.wait()
        started[-1]._process.returncode = 0
    inspected(decoders.answer(order))
    assert len(started) == 4


def test_one_decoder_serves_one_piece_of_work_after_the_other(started: list[DecoderProcess], tmp_path: Path) -> None:
    limits = replace(LIMITS, seconds=14.0)
    order = Inspect(path=write_files(tmp_path, {"1.png": encoded(1)}) / "1.png")
    for _ in range(3):
        inspected(Decoders(limits).answer(order))
    assert len(started) == 1


def test_results_come_in_order_from_several_at_once(decoders: Decoders, tmp_path: Path) -> None:
    paths = [write_files(tmp_path, {f"{n}.png": encoded(n)}) / f"{n}.png" for n in range(40)]
    found = decoders.map(lambda some: decoders.answers([Inspect(path=path) for path in some]), paths)
    digests = [inspected(answer).sha256 for answer in found]
    assert digests == [inspected(decoders.answer(Inspect(path=path))).sha256 for path in paths]


def test_whoever_waits_can_end_the_work_in_the_middle_of_a_picture(
    started: list[DecoderProcess], tmp_path: Path
) -> None:
    path = write_files(tmp_path, {"slow.jpg": many_scans(9000)}) / "slow.jpg"
    decoders = Decoders(replace(LIMITS, seconds=200.0))

    def enough() -> None:
        raise InterruptedError

    before = time.monotonic()
    with pytest.raises(InterruptedError):
        list(decoders.map(lambda paths: decoders.answers([Inspect(path=one) for one in paths]), [path], on_wait=enough))
    assert time.monotonic() - before < LONG_S
    assert all(process._process.returncode is not None for process in started)


def test_two_that_decode_do_not_wait_for_each_other(tmp_path: Path) -> None:
    files = {"slow.jpg": many_scans(9000), "1.png": encoded(1)}
    write_files(tmp_path, files)
    slow, quick = (Decoders(replace(LIMITS, seconds=seconds)) for seconds in (300.0, 13.0))
    orders = [Inspect(path=tmp_path / "slow.jpg")] * 8 * slow.n

    def work() -> Iterator[Answer]:
        with closing(slow.map(lambda some: slow.answers(some), orders, on_wait=stop_when_told)) as found:
            yield from found

    is_enough = threading.Event()

    def stop_when_told() -> None:
        if is_enough.is_set():
            raise InterruptedError

    thread = threading.Thread(target=lambda: _until_interrupted(work()))
    thread.start()
    try:
        assert inspected(quick.answer(Inspect(path=tmp_path / "1.png"))).traits.width == 24
        assert thread.is_alive()
    finally:
        is_enough.set()
        thread.join()


def _until_interrupted(work: Iterator[Answer]) -> None:
    with suppress(InterruptedError):
        list(work)


def test_there_are_no_more_decoders_than_processors_and_memory() -> None:
    room = LIMITS.process_bytes
    assert n_decoders(LIMITS, available=100 * room) == n_processors()
    assert n_decoders(LIMITS, available=room // 2) == 1
    assert n_decoders(LIMITS, available=int(1.9 * room)) == 1


def test_an_error_of_the_decoder_itself_is_no_verdict_on_a_picture(decoders: Decoders, tmp_path: Path) -> None:
    path = write_files(tmp_path, {"1.png": encoded(1)}) / "1.png"
    np.save(tmp_path / "pixels.npy", np.zeros((3, 8, 8, 3), np.uint8))
    with pytest.raises(RunFailed, match="IndexError"):
        decoders.answer(Fill(path=path, sha256=sha256_of(path), arrays=(tmp_path / "pixels.npy",), row=3, rules=RULES))


def test_one_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module.sys, "executable", "/bin/false")
    with pytest.raises(RunFailed, match="could not be started"):
        DecoderProcess(replace(LIMITS, seconds=12.0))


def test_it_imports_nothing_from_the_folder_it_is_started_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"json.py": b"raise SystemExit(1)", "1.png": encoded(1), "automl/x": b""})
    monkeypatch.chdir(tmp_path)
    process = DecoderProcess(LIMITS)
    process.send(Inspect(path=tmp_path / "1.png"))
    assert inspected(process.receive()).traits.width == 24
    process.kill()


def test_it_is_told_no_setting_since_some_hold_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_SMTP_URL", "smtp://me:secret@example.org")
    process = DecoderProcess(LIMITS)
    try:
        assert b"secret" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.kill()


def test_it_ends_with_its_parent_even_in_the_middle_of_a_picture(tmp_path: Path) -> None:
    """The parent is killed while its child opens a picture that never comes: a named pipe that nobody writes to."""
    os.mkfifo(tmp_path / "endless.jpg")
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, tmp_path / "endless.jpg"], stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    assert _is_running(child)
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
from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Inspect
from automl.images.decoding.process import DecoderProcess

process = DecoderProcess(DecodingLimits())
process.send(Inspect(path=Path(sys.argv[1])))
print(process.pid, flush=True)
time.sleep(1000)
"""


def test_it_imports_neither_tensorflow_nor_the_pipeline() -> None:
    code = "import sys, automl.images.decoding.__main__; print(sorted(name.split('.')[0] for name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'PIL'" in said
    assert not any(f"'{name}'" in said for name in ("tensorflow", "onnxruntime", "optuna", "sqlalchemy", "matplotlib"))
