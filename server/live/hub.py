"""Fans a run's events out to the pages that watch it: one thread reads, however many pages are open."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from automl.store.events import Event, EventsAway, RunEvents, order_of
from server.live.connection import Connection

MAX_STREAMS = 520
"""A stream holds a thread of the web server, and ordinary pages need some too; see scripts/stack/services.py."""

HEARTBEAT_S = 15.0
CLOCK_EVERY_S = 5.0
_WAIT_S = 0.25
_MAX_BATCHES = 100

Frames = list[tuple[tuple[int, int] | None, bytes]]
"""Server-sent events with what their ids compare by; None for one without an id."""

_log = structlog.stdlib.get_logger(__name__)


class TooManyPages(Exception):
    """As many live pages as the server carries are open; this one asks each second instead."""


class Subscription:
    """One open page. `connection`: what is written to at once; without one, `stream` gives what is to be sent."""

    def __init__(self, hub: "LiveHub", run_id: str, connection: Connection | None = None) -> None:
        self.run_id = run_id
        self._hub, self._connection = hub, connection
        self._batches: queue.Queue[Frames | None] = queue.Queue(_MAX_BATCHES)
        self._sent = (0, 0)
        self._is_direct = False
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def offer(self, frames: Frames, is_last: bool = False) -> bool:
        """False for a page that is too slow: it is cut off, and comes back for what it has missed."""
        with self._lock:
            is_taken = self._write(frames) if self._is_direct else self._put(frames, is_last)
        if not is_taken or (is_last and self._is_direct):
            if self._connection is not None and not (is_taken and self._connection.is_idle):
                self._connection.cut()
            self._is_over.set()
        return is_taken

    def stream(self, first: Frames) -> Iterator[bytes]:
        """What the request's own thread sends: `first`, then what comes, each event once, until a run's last one."""
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
        """From now on events are written by whoever offers them; False where the last one has come already."""
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
    """A run that somebody watches. `position`: the id of the latest event that was read."""

    position: str
    pages: list[Subscription] = field(default_factory=list)


class LiveHub:
    """All open pages of one web process. Making one starts nothing; its thread lives while a page is open.

    `render`: one event as the bytes that every page gets. `look`: what the database says now about runs, by their
    ids: the bytes of an event without an id, and whether it is the last one.
    """

    def __init__(
        self,
        events: RunEvents,
        *,
        render: Callable[[Event], bytes],
        look: Callable[[list[str]], dict[str, tuple[bytes, bool]]],
        max_streams: int = MAX_STREAMS,
    ) -> None:
        self._events, self._render, self._look = events, render, look
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self._runs: dict[str, _Watched] = {}
        self._n_streams = 0
        self._reader: threading.Thread | None = None

    @property
    def n_streams(self) -> int:
        return self._n_streams

    def subscribe(self, run_id: str, after: str, connection: Connection | None = None) -> tuple[Subscription, Frames]:
        """A page, and what it has missed since the event `after`. Close it in any case.

        Raises:
            TooManyPages.
            EventsAway: Redis does not answer.
            EventsGone: what it has missed is not to be had any more.
        """
        last_id = self._events.last_id(run_id)
        page = Subscription(self, run_id, connection)
        with self._lock:
            if self._n_streams >= self._max_streams:
                raise TooManyPages
            self._n_streams += 1
            self._runs.setdefault(run_id, _Watched(last_id)).pages.append(page)
        try:
            # Asked for after the page was entered above: what comes from now on reaches it, perhaps twice.
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
        """Sends all pages away and waits for the thread."""
        reader = self._reader
        self._send_all_away()
        if reader is not None:
            reader.join(10)

    def _read(self) -> None:
        try:
            self._follow()
        except Exception:  # noqa: BLE001 - whatever it is, no page may wait for a thread that is gone
            _log.exception("the reader of live events failed; pages reconnect")
            with self._lock:
                self._reader = None
            self._send_all_away()

    def _follow(self) -> None:
        looked_s = time.monotonic()
        while positions := self._positions():
            try:
                found = self._events.read(positions, _WAIT_S)
            except EventsAway as error:
                _log.warning("live events cannot be read; open pages ask for changes instead", reason=str(error))
                self._send_all_away()
                continue
            self._hand_out(found)
            if time.monotonic() - looked_s >= CLOCK_EVERY_S:
                looked_s = time.monotonic()
                self._tell_the_time()
            if found:
                time.sleep(_WAIT_S)  # what comes in close order is sent in one piece

    def _positions(self) -> dict[str, str]:
        """Empty where nobody watches: then this thread ends."""
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

    def _tell_the_time(self) -> None:
        try:
            told = self._look(self._watched_runs())
        except SQLAlchemyError:  # a database that is busy for a moment costs a page nothing
            _log.warning("the clocks of live runs could not be read", exc_info=True)
            return
        for run_id, (frame, is_last) in told.items():
            self._offer(run_id, [(None, frame)], is_last)

    def _offer(self, run_id: str, frames: Frames, is_last: bool) -> None:
        with self._lock:
            pages = list(self._runs[run_id].pages) if run_id in self._runs else []
        for page in pages:
            if not page.offer(frames, is_last) or is_last:
                self.leave(page)

    def _send_all_away(self) -> None:
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
