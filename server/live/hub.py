"""Distributes the events of runs to the open pages. One thread reads them, however many pages are open."""

import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from automl.store.events import Event, EventsAway, RunEvents, order_of
from server.live.connection import Connection

MAX_STREAMS = 520
"""Each stream occupies a thread of the web server, and ordinary pages need some, too (scripts/stack/services.py)."""

HEARTBEAT_S = 15.0
CLOCK_EVERY_S = 5.0
_WAIT_S = 0.25
_MAX_BATCHES = 100

GONE = b"event: gone\ndata: {}\n\n"
"""Asks a page to load its body again."""

Frames = list[tuple[tuple[int, int] | None, bytes]]
"""Server-sent events, each with the sort key of its id, or None if it has no id."""

_log = structlog.stdlib.get_logger(__name__)


class TooManyPages(Exception):
    """The largest number of live pages is open already. The page asks for changes every second instead."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who looks at an open page, where people have accounts.

    Attributes:
        run_id: What he looks at.
        account_id: His account.
        sign_in_id: The sign-in of his browser; empty for a program with a token.
    """

    run_id: str
    account_id: str
    sign_in_id: str


class Subscription:
    """One open page. With a `connection`, events are written to it directly; without one, `stream` yields them."""

    def __init__(
        self, hub: "LiveHub", run_id: str, connection: Connection | None = None, watcher: Watcher | None = None
    ) -> None:
        self.run_id, self.watcher = run_id, watcher
        self._hub, self._connection = hub, connection
        self._batches: queue.Queue[Frames | None] = queue.Queue(_MAX_BATCHES)
        self._sent = (0, 0)
        self._is_direct = False
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def offer(self, frames: Frames, is_last: bool = False) -> bool:
        """Sends events to the page. False if it is too slow: then it is disconnected, and reconnects."""
        with self._lock:
            is_taken = self._write(frames) if self._is_direct else self._put(frames, is_last)
        if not is_taken or (is_last and self._is_direct):
            if self._connection is not None and not (is_taken and self._connection.is_idle):
                self._connection.cut()
            self._is_over.set()
        return is_taken

    def stream(self, first: Frames) -> Iterator[bytes]:
        """Yields `first` and then each further event once, up to the last one of the run."""
        yield self._joined(first) or b": welcome\n\n"
        if self._connection is not None and self._hand_over():
            self._is_over.wait()
        while not self._is_over.is_set():
            try:
                frames = self._batches.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                yield b": still here\n\n"
                continue
            if frames is None:
                return
            if content := self._joined(frames):
                yield content

    def close(self) -> None:
        self._is_over.set()
        self._hub.leave(self)

    def _hand_over(self) -> bool:
        """Lets `offer` write to the connection from now on. False if the run's last event has already come."""
        with self._lock:
            waiting = [self._batches.get_nowait() for _ in range(self._batches.qsize())]
            if None in waiting:
                for frames in waiting:
                    self._batches.put_nowait(frames)
                return False
            self._is_direct = True
            if not self._write([frame for frames in waiting if frames for frame in frames]):
                self._is_over.set()
        return True

    def _put(self, frames: Frames, is_last: bool) -> bool:
        try:
            self._batches.put_nowait(frames)
            if is_last:
                self._batches.put_nowait(None)
        except queue.Full:
            return False
        return True

    def _write(self, frames: Frames) -> bool:
        assert self._connection is not None
        return self._connection.write(self._joined(frames))

    def _joined(self, frames: Frames) -> bytes:
        parts = []
        for order, frame in frames:
            if order is not None:
                if order <= self._sent:
                    continue
                self._sent = order
            parts.append(frame)
        return b"".join(parts)


@dataclass(slots=True)
class _Watched:
    """A run that has open pages."""

    position: str
    """Id of the latest event that was read."""
    pages: list[Subscription] = field(default_factory=list)


class LiveHub:
    """All open pages of one web process. Its thread runs only while a page is open.

    Args:
        render: turns an event into the bytes that every page gets.
        look: reads the current state of runs from the database. For each run's id it returns the bytes of an event
            without an id, and whether it is the run's last event.
        unwelcome: those of some watchers who may see their run no longer.
        max_streams: how many pages may be open at once.
    """

    def __init__(
        self,
        events: RunEvents,
        *,
        render: Callable[[Event], bytes],
        look: Callable[[list[str]], dict[str, tuple[bytes, bool]]],
        unwelcome: Callable[[Collection[Watcher]], Collection[Watcher]] = lambda _: (),
        max_streams: int = MAX_STREAMS,
    ) -> None:
        self._events, self._render, self._look, self._unwelcome = events, render, look, unwelcome
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self._runs: dict[str, _Watched] = {}
        self._n_streams = 0
        self._reader: threading.Thread | None = None

    @property
    def n_streams(self) -> int:
        return self._n_streams

    def subscribe(
        self, run_id: str, after: str, connection: Connection | None = None, watcher: Watcher | None = None
    ) -> tuple[Subscription, Frames]:
        """Adds a page; returns it with the events that it has missed since the event `after`. Always close the page.

        Raises:
            TooManyPages: `max_streams` pages are open.
            EventsAway: Redis does not answer.
            EventsGone: the events that the page has missed are no longer available.
        """
        last_id = self._events.last_id(run_id)
        page = Subscription(self, run_id, connection, watcher)
        with self._lock:
            if self._n_streams >= self._max_streams:
                raise TooManyPages
            self._n_streams += 1
            self._runs.setdefault(run_id, _Watched(last_id)).pages.append(page)
        try:
            # Read after the page was added above, so that it gets every later event, some of them twice.
            events = self._events.after(run_id, after)
            missed: Frames = [(event.order, self._render(event)) for event in events]
            if any(event.kind == "end" for event in events):
                page.offer([], is_last=True)
        except BaseException:
            page.close()
            raise
        with self._lock:
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, name="live-pages", daemon=True)
                self._reader.start()
        return page, missed

    def leave(self, page: Subscription) -> None:
        """May be called more than once."""
        with self._lock:
            watched = self._runs.get(page.run_id)
            if watched is None or page not in watched.pages:
                return
            watched.pages.remove(page)
            self._n_streams -= 1
            if not watched.pages:
                del self._runs[page.run_id]

    def close(self) -> None:
        """Disconnects all pages and waits for the thread to end."""
        reader = self._reader
        self._disconnect_all()
        if reader is not None:
            reader.join(10)

    def _read(self) -> None:
        try:
            self._follow()
        except Exception:  # noqa: BLE001 - whatever failed, no page may wait for a thread that has ended
            _log.exception("the reader of live events failed; pages reconnect")
            with self._lock:
                self._reader = None
            self._disconnect_all()

    def _follow(self) -> None:
        looked_s = time.monotonic()
        while positions := self._positions():
            try:
                found = self._events.read(positions, _WAIT_S)
            except EventsAway as error:
                _log.warning("live events cannot be read; open pages ask for changes instead", reason=str(error))
                self._disconnect_all()
                continue
            self._hand_out(found)
            if time.monotonic() - looked_s >= CLOCK_EVERY_S:
                looked_s = time.monotonic()
                self._send_clocks()
            if found:
                time.sleep(_WAIT_S)  # events that follow each other closely are sent together

    def _positions(self) -> dict[str, str]:
        """The latest position of each watched run. Without any, this thread ends."""
        with self._lock:
            positions = {run_id: watched.position for run_id, watched in self._runs.items()}
            if not positions:
                self._reader = None
            return positions

    def _watched_runs(self) -> list[str]:
        with self._lock:
            return list(self._runs)

    def _hand_out(self, found: list[tuple[str, Event]]) -> None:
        batches: dict[str, Frames] = {}
        ended = set()
        for run_id, event in found:
            batches.setdefault(run_id, []).append((event.order, self._render(event)))
            if event.kind == "end":
                ended.add(run_id)
            with self._lock:
                if run_id in self._runs:
                    self._runs[run_id].position = event.id
        for run_id, frames in batches.items():
            self._offer(run_id, frames, run_id in ended)

    def _send_clocks(self) -> None:
        try:
            self._send_away()
            told = self._look(self._watched_runs())
        except SQLAlchemyError:  # a database that is busy for a moment costs a page nothing
            _log.warning("the clocks of live runs could not be read", exc_info=True)
            return
        for run_id, (frame, is_last) in told.items():
            self._offer(run_id, [(None, frame)], is_last)

    def _send_away(self) -> None:
        """Ends the streams of those who may see their run no longer; their pages find out why when they ask again."""
        with self._lock:
            pages = [page for watched in self._runs.values() for page in watched.pages if page.watcher is not None]
        gone = set(self._unwelcome({page.watcher for page in pages if page.watcher is not None})) if pages else ()
        for page in pages:
            if page.watcher in gone:
                page.offer([(None, GONE)], is_last=True)
                self.leave(page)

    def _offer(self, run_id: str, frames: Frames, is_last: bool) -> None:
        with self._lock:
            pages = list(self._runs[run_id].pages) if run_id in self._runs else []
        for page in pages:
            if not page.offer(frames, is_last) or is_last:
                self.leave(page)

    def _disconnect_all(self) -> None:
        with self._lock:
            pages = [page for watched in self._runs.values() for page in watched.pages]
        for page in pages:
            page.offer([], is_last=True)
            self.leave(page)


def is_event_id(text: str) -> bool:
    with suppress(ValueError):
        order_of(text)
        return True
    return False
