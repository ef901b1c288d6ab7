"""One decoder, seen from its parent."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from automl.errors import RunFailed
from automl.images.decoding.frames import Frame, read_frame
from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Answer, Order, packed_order, unpacked_answer
from automl.text.messages import pixels as pixel_messages

_PACKAGES = Path(__file__).resolve().parents[3]
_PRIVATE = "DARKROOM_"
"""Settings are no business of a process that opens anybody's files: some hold passwords."""

_OWN_ENVIRONMENT = {
    # There is a process for each processor, so more threads would only get into each other's way.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Fixed, or glibc raises it with each large picture, and keeps the memory of the next ones. Lower, and buffers of an
    # ordinary photo would be asked of the system anew each time, which takes a sixth of the time.
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}
_START_S = 120.0
"""A process that has not begun after so long never will."""

_BUSY_SHARE = 0.25
"""Of its time a decoder computes, unless the machine is too busy to let it."""


class DecoderStopped(Exception):
    """A decoder has ended, or was ended, before it had answered.

    Attributes:
        is_certain: Whether the picture was the cause. Otherwise something else may have been, and it is worth a try.
        is_idle: Whether it ended by itself, since there was nothing to do for long.
    """

    def __init__(self, message: str, *, is_certain: bool = False, is_idle: bool = False) -> None:
        super().__init__(message)
        self.message, self.is_certain, self.is_idle = message, is_certain, is_idle


class DecoderProcess:
    """A process that decodes. It takes any number of orders, and answers them one after the other.

    Args:
        limits: What a picture may cost.

    Raises:
        RunFailed: It could not be started.
    """

    def __init__(self, limits: DecodingLimits) -> None:
        self._limits = limits
        known = [str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
        self._process = subprocess.Popen(
            # -P: import nothing from the current folder
            [sys.executable, "-P", "-m", "automl.images.decoding", json.dumps(asdict(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**inherited, **_OWN_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(known)},
            bufsize=0,
            process_group=0,  # Ctrl-C is for the parent, which then kills it
        )
        assert self._process.stdin and self._process.stdout
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        self._cpu_s = 0.0
        try:
            self._receive(time.monotonic() + _START_S)
        except DecoderStopped as stopped:
            self.kill()
            raise RunFailed(pixel_messages.READER_NOT_STARTED) from stopped
        self._at_rest = self._resident_bytes()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, order: Order) -> None:
        """Asks for something, and does not wait for it.

        Raises:
            DecoderStopped: It has ended, or takes nothing.
        """
        left = memoryview(packed_order(order).packed())
        deadline = time.monotonic() + self._limits.seconds
        while left:
            self._wait_for(self._to, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._to, left) :]
            except BrokenPipeError:
                raise self._stopped() from None

    def receive(self) -> Answer:
        """Waits for the answer to the next order, as long as a picture may take.

        Raises:
            DecoderStopped: It has ended, or the time is over: then it is still at work.
            RunFailed: It failed in a way that no picture can be blamed for.
        """
        frame = self._receive(time.monotonic() + self._limits.seconds)
        if frame.head["did"] == "break":
            raise RunFailed(frame.head["reason"])
        return unpacked_answer(frame)

    def is_fresh(self, most_kept_bytes: int = 64 << 20) -> bool:
        """Whether it is there for the next picture, with about the memory that it has had at the beginning."""
        return self._process.poll() is None and self._resident_bytes() <= self._at_rest + most_kept_bytes

    def stop(self) -> None:
        """Ends the process at once; whoever waits for its answer is told. From any thread."""
        self._process.kill()

    def kill(self) -> None:
        """Ends the process at once, in the middle of its work."""
        assert self._process.stdin and self._process.stdout
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def _receive(self, deadline: float) -> Frame:
        def read(n_bytes: int) -> bytes:
            content = bytearray()
            while len(content) < n_bytes:
                self._wait_for(self._from, select.POLLIN, deadline)
                chunk = os.read(self._from, n_bytes - len(content))
                if not chunk:
                    raise self._stopped()
                content += chunk
            return bytes(content)

        frame = read_frame(read)
        self._cpu_s = frame.head.pop("cpu_s")
        return frame

    def _wait_for(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()  # unlike `select`, it takes descriptors above 1,023
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            was_busy = self._cpu_now_s() - self._cpu_s >= _BUSY_SHARE * self._limits.seconds
            raise DecoderStopped(self._too_slow(), is_certain=was_busy)

    def _stopped(self) -> DecoderStopped:
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return DecoderStopped(self._too_slow(), is_certain=True)
        if code == -signal.SIGKILL:
            return DecoderStopped(pixel_messages.TOO_LITTLE_MEMORY.one)
        return DecoderStopped(pixel_messages.STOPS_READER.one, is_idle=code == 0)

    def _too_slow(self) -> str:
        return pixel_messages.TOO_SLOW.format(n=1, seconds=self._limits.seconds)

    def _cpu_now_s(self) -> float:
        """Processor time that it has used; endless where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("inf")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _resident_bytes(self) -> int:
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0
