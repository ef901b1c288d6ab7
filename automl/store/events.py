"""Live events of runs, for the pages that show them: one Redis Stream for each run, which is kept for a while.

The database stays the truth: an event that is lost costs a page some seconds, and a run nothing. A reader that asks for
`last_id` first and reads the database afterwards misses nothing that comes later.
"""

import json
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from automl.store.redis_connection import connect, redis_url

if TYPE_CHECKING:
    from redis import Redis

EventData = dict[str, Any]
"""What an event says: any JSON."""

START = "0-0"
"""The id before the first event of a run."""

MAX_EVENTS = 2_000
KEPT_S = 3 * 24 * 3600
"""After the latest event of a run."""

_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")  # of Redis; others it would refuse
_TIMEOUT_S = 2.0
_PAUSE_S = 5.0
_MAX_WAITING = 1_000
_CLOSE_S = 3.0

_log = structlog.stdlib.get_logger(__name__)


class EventsAway(Exception):
    """Redis does not answer, or the queue is not a Redis."""


class EventsGone(Exception):
    """Events after the asked-for one have been removed, so the reader must read the database again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a run.

    Attributes:
        id: Its place in the stream; later events have greater ones, see `order_of`.
        kind: What has changed, see docs/architecture.md.
        data: How; any JSON.
    """

    id: str
    kind: str
    data: EventData

    @property
    def order(self) -> tuple[int, int]:
        return order_of(self.id)


class Publishes(Protocol):
    """Takes events. It never raises, and never waits long."""

    def publish(self, run_id: str, kind: str, **data: Any) -> None:
        """Sends an event. `data`: any JSON."""


def order_of(event_id: str) -> tuple[int, int]:
    """What the ids of events are compared by.

    Raises:
        ValueError: This is not the id of an event.
    """
    found = _ID.fullmatch(event_id)
    if found is None or max(order := (int(found[1]), int(found[2]))) >= 2**64:
        raise ValueError("not the id of an event")
    return order


class RunEvents:
    """The streams of all runs. Nothing is connected before the first question.

    A Redis that gave no answer is left alone for some seconds, so that it holds up one question and not every one.

    Args:
        broker_url: Address of Redis, as Celery writes it.
        timeout_s: How long to wait for an answer.
    """

    def __init__(self, broker_url: str, timeout_s: float = _TIMEOUT_S) -> None:
        self._url, self._timeout_s = redis_url(broker_url), timeout_s
        self._client: Redis | None = None
        self._lock = threading.Lock()
        self._away_until_s = 0.0
        self._has_warned = False

    def publish(self, run_id: str, kind: str, **data: Any) -> None:
        """Sends an event to the pages that show the run. Where Redis does not answer, the event is lost."""
        try:
            self._ask(lambda client: _add(client, run_id, kind=kind, data=data))
        except EventsAway as error:
            if not self._has_warned:
                _log.warning("live events cannot be sent; open pages ask for changes instead", reason=str(error))
            self._has_warned = True

    def last_id(self, run_id: str) -> str:
        """The id of the latest event; `START` before the first.

        Raises:
            EventsAway: Redis does not answer.
        """
        found = self._ask(lambda client: client.xrevrange(_key(run_id), count=1))
        return _text(found[0][0]) if found else START

    def after(self, run_id: str, event_id: str) -> list[Event]:
        """All events later than `event_id`, which must be the id of an event, or `START`.

        Raises:
            EventsAway: Redis does not answer.
            EventsGone: Some of them are not there any more.
        """
        found = [_event(entry) for entry in self._ask(lambda client: client.xrange(_key(run_id), min=event_id))]
        if event_id == START:
            if len(found) >= MAX_EVENTS:
                raise EventsGone
            return found
        if not found or found[0].id != event_id:
            raise EventsGone
        return found[1:]

    def read(self, positions: Mapping[str, str], wait_s: float) -> list[tuple[str, Event]]:
        """Events of several runs, each later than the id beside its run; waits up to `wait_s` for the first one.

        Raises:
            EventsAway: Redis does not answer.
        """
        runs = {_key(run_id): run_id for run_id in positions}
        streams: Any = {_key(run_id): event_id for run_id, event_id in positions.items()}
        found = self._ask(lambda client: client.xread(streams, block=max(1, round(wait_s * 1000))))
        answers = found.items() if isinstance(found, dict) else found or ()
        return [(runs[_text(key)], _event(entry)) for key, entries in answers for entry in entries]

    def forget(self, run_id: str) -> None:
        """Removes the stream of a run.

        Raises:
            EventsAway: Redis does not answer.
        """
        self._ask(lambda client: client.delete(_key(run_id)))

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client.connection_pool.disconnect()
                self._client = None

    def _ask(self, question: Callable[["Redis"], Any]) -> Any:
        """The answer to a question. Raises EventsAway."""
        if time.monotonic() < self._away_until_s:
            raise EventsAway("Redis did not answer a moment ago")
        from redis.exceptions import ConnectionError as NoConnection
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as NoAnswer

        try:
            return question(self._connected())
        except RedisError as error:
            if isinstance(error, NoConnection | NoAnswer):  # any other error is an answer: Redis is there
                self._away_until_s = time.monotonic() + _PAUSE_S
            raise EventsAway(str(error)) from error

    def _connected(self) -> "Redis":
        with self._lock:
            if self._client is None:
                if not self._url:
                    raise EventsAway("the queue is not a Redis")
                self._client = connect(self._url, self._timeout_s)
            return self._client


class BackgroundEvents:
    """Publishes from a thread of its own, so that a run waits neither for Redis nor for the import of its client."""

    def __init__(self, events: RunEvents) -> None:
        self._events = events
        self._waiting: queue.Queue[tuple[str, str, EventData] | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)
        self._thread.start()

    def publish(self, run_id: str, kind: str, **data: Any) -> None:
        try:
            self._waiting.put_nowait((run_id, kind, data))
        except queue.Full:
            _log.warning("a live event was dropped: too many are waiting", run_id=run_id)

    def close(self) -> None:
        """Waits a little for the events that are still to be sent."""
        try:
            self._waiting.put(None, timeout=_CLOSE_S)
        except queue.Full:
            return
        self._thread.join(_CLOSE_S)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            run_id, kind, data = item
            self._events.publish(run_id, kind, **data)
        self._events.close()


def _add(client: "Redis", run_id: str, *, kind: str, data: EventData) -> None:
    with client.pipeline(transaction=False) as batch:
        fields: Any = {"kind": kind, "data": json.dumps(data)}
        batch.xadd(_key(run_id), fields, maxlen=MAX_EVENTS, approximate=True)
        batch.expire(_key(run_id), KEPT_S)
        batch.execute()


def _key(run_id: str) -> str:
    return f"darkroom:events:{run_id}"


def _event(entry: Any) -> Event:
    event_id, fields = entry
    return Event(_text(event_id), _text(fields[b"kind"]), json.loads(fields[b"data"]))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
