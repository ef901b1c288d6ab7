"""Decoders for those who need some: kept warm for a while, started again where a picture has broken one.

The program that uses them stays small and whole, whatever is in a file.
"""

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import TypeVar

from automl.errors import BadImage
from automl.images.decoding.limits import DecodingLimits, n_decoders
from automl.images.decoding.orders import Answer, Order
from automl.images.decoding.process import DecoderProcess, DecoderStopped
from automl.images.decoding.turns import SharedTurns

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH = 8
"""Orders that a decoder is given at once: it need not wait for the next one."""

_AHEAD = 4
_WAIT_S = 0.5
_KEPT_WARM = 2
_TRIES = 2


class _Idle:
    """Decoders without work. May be used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: list[tuple[DecodingLimits, DecoderProcess]] = []
        self._of_the_parent: list[list[tuple[DecodingLimits, DecoderProcess]]] = []

    def take(self, limits: DecodingLimits) -> DecoderProcess | None:
        """One with these limits, if there is one."""
        with self._lock:
            for number, (its_limits, process) in enumerate(self._processes):
                if its_limits == limits:
                    del self._processes[number]
                    return process
        return None

    def keep(self, limits: DecodingLimits, process: DecoderProcess) -> None:
        """Keeps it for the next picture; the ones that waited longest are ended where there are too many."""
        with self._lock:
            self._processes.append((limits, process))
            surplus = [self._processes.pop(0)[1] for _ in range(len(self._processes) - _KEPT_WARM)]
        for one in surplus:
            one.kill()

    def end(self) -> None:
        """Ends all of them."""
        with self._lock:
            processes, self._processes = self._processes, []
        for _, process in processes:
            process.kill()

    def forget(self) -> None:
        """For a process that was forked: they answer its parent, which alone may end them."""
        self._lock = threading.Lock()
        self._of_the_parent.append(self._processes)
        self._processes = []


_idle = _Idle()
atexit.register(_idle.end)
os.register_at_fork(after_in_child=_idle.forget)


class Decoders:
    """Some decoders for one piece of work. May be used from many threads, each of which has one decoder at a time.

    Args:
        limits: What a picture may cost.
        shared: Turns that it takes with other processes, which do the same kind of work beside it.

    Attributes:
        n: How many run at once, at most.
    """

    def __init__(self, limits: DecodingLimits, *, shared: SharedTurns | None = None) -> None:
        self._shared = shared
        self._limits, self.n = limits, n_decoders(limits)
        self._turns = threading.BoundedSemaphore(self.n)
        self._lock = threading.Lock()
        self._at_work: set[DecoderProcess] = set()
        self._is_closed = False

    def answers(self, orders: Sequence[Order]) -> list[Answer]:
        """Has orders carried out, one after the other, and returns an answer for each.

        A picture that breaks a limit, or the decoder itself, is a BadImage. Where that may have been the fault of the
        machine, it is tried once more.
        """
        found: list[Answer] = []
        n_tries = 0
        while len(found) < len(orders):
            before = len(found)
            try:
                with self._decoder() as process:
                    for order in orders[before:]:
                        process.send(order)
                    for _ in orders[before:]:
                        found.append(process.receive())
            except DecoderStopped as stopped:
                n_tries = (n_tries if len(found) == before else 0) + (not stopped.is_idle)
                if stopped.is_certain or n_tries == _TRIES:
                    found.append(BadImage(stopped.message))
                    n_tries = 0
        return found

    def answer(self, order: Order) -> Answer:
        """Has one order carried out."""
        return self.answers([order])[0]

    def map(
        self,
        work: Callable[[Sequence[Item]], Iterable[Result]],
        items: Iterable[Item],
        *,
        batch: int = BATCH,
        on_wait: Callable[[], None] = lambda: None,
    ) -> Generator[Result, None, None]:
        """The results for all items, in order. Closing it ends the work at once.

        Args:
            work: is given some of the items, in a thread, and calls `answers` for them.
            items: what there is to do.
            batch: how many of them `work` is given at once.
            on_wait: is called at least twice a second while a result is waited for. It may raise to end the work.
        """
        left = iter(items)
        pending: deque[Future[Iterable[Result]]] = deque()
        with ThreadPoolExecutor(self.n, thread_name_prefix="decoding") as pool:
            try:
                while some := list(islice(left, batch)):
                    pending.append(pool.submit(work, some))
                    if len(pending) >= _AHEAD * self.n:
                        yield from _result(pending.popleft(), on_wait)
                while pending:
                    yield from _result(pending.popleft(), on_wait)
            except BaseException:
                self._close()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    @contextmanager
    def _decoder(self) -> Iterator[DecoderProcess]:
        with self._turns, self._shared_turn():
            process = self._started()
            is_kept = False
            try:
                yield process
                is_kept = process.is_fresh()
            finally:
                with self._lock:
                    self._at_work.discard(process)
                if is_kept:
                    _idle.keep(self._limits, process)
                else:
                    process.kill()

    def _shared_turn(self) -> AbstractContextManager[None]:
        return self._shared.one_of(self.n, stop_if=lambda: self._is_closed) if self._shared else nullcontext()

    def _started(self) -> DecoderProcess:
        process = _idle.take(self._limits) or DecoderProcess(self._limits)
        with self._lock:
            if self._is_closed:
                process.kill()
                raise _Closed
            self._at_work.add(process)
        return process

    def _close(self) -> None:
        """Ends the decoders in the middle of their work; the threads that wait for them notice it."""
        with self._lock:
            self._is_closed = True
            for process in self._at_work:
                process.stop()


class _Closed(Exception):
    """Nobody wants the answer any more."""


def _result(future: "Future[Iterable[Result]]", on_wait: Callable[[], None]) -> Iterable[Result]:
    while True:
        try:
            return future.result(_WAIT_S)
        except NotYet:
            if future.done():
                raise
            on_wait()
