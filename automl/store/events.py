"""What happens in a run, told at once to whoever watches: one Redis Stream a run, short and passing.

The database stays the truth: an event that is lost costs a page some seconds and a run nothing. Whoever reads the
database after having asked for `last_id` misses nothing of what comes later.
"""

import json
import queue
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:
    from redis import Redis

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
    """Events after the asked-for one have been removed, so whoever asks must read the database again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a run. `id`: of the stream, later ones are greater; `kind`: see docs/architecture.md."""

    id: str
    kind: str
    data: dict[str, Any]

    @property
    def order(self) -> tuple[int, int]:
        return order_of(self.id)


class Publishes(Protocol):
    """Whoever takes events. It never raises and never waits long."""

    def publish(self, run_id: str, kind: str, **data: Any) -> None: ...


def order_of(event_id: str) -> tuple[int, int]:
    """What ids compare by.

    Raises:
        ValueError: it is not an id.
    """
    found = _ID.fullmatch(event_id)
    if found is None or max(order := (int(found[1]), int(found[2]))) >= 2**64:
        raise ValueError("not the id of an event")
    return order


class RunEvents:
    """The streams of all runs. Making one connects to nothing. `broker_url`: as Celery writes it.

    `timeout_s`: how long an answer is waited for. A Redis that gave none is left alone for some seconds, so that it
    holds up one question and not each.
    """

    def __init__(self, broker_url: str, timeout_s: float = _TIMEOUT_S) -> None:
        self._url, self._timeout_s = _redis_url(broker_url), timeout_s
        self._client: Redis | None = None
        self._lock = threading.Lock()
        self._away_until_s = 0.0
        self._has_warned = False

    def publish(self, run_id: str, kind: str, **data: Any) -> None:
        """Tells whoever watches; where Redis is away, nobody."""
        try:
            self._ask(lambda client: _add(client, run_id, kind, data))
        except EventsAway as error:
            if not self._has_warned:
                _log.warning("live events cannot be sent; open pages ask for changes instead", reason=str(error))
            self._has_warned = True

    def last_id(self, run_id: str) -> str:
        """Of the latest event; `START` before the first.

        Raises:
            EventsAway.
        """
        found = self._ask(lambda client: client.xrevrange(_key(run_id), count=1))
        return _text(found[0][0]) if found else START

    def after(self, run_id: str, event_id: str) -> list[Event]:
        """All events later than this one, which must be one that was told, or `START`.

        Raises:
            EventsAway.
            EventsGone: some of them are not there any more.
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
        """Events of several runs, each later than the id beside its run; waits for the first one.

        Raises:
            EventsAway.
        """
        runs = {_key(run_id): run_id for run_id in positions}
        streams: Any = {_key(run_id): event_id for run_id, event_id in positions.items()}
        found = self._ask(lambda client: client.xread(streams, block=max(1, round(wait_s * 1000))))
        answers = found.items() if isinstance(found, dict) else found or ()
        return [(runs[_text(key)], _event(entry)) for key, entries in answers for entry in entries]

    def forget(self, run_id: str) -> None:
        """Removes a run's stream. Raises EventsAway."""
        self._ask(lambda client: client.delete(_key(run_id)))

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client.connection_pool.disconnect()
                self._client = None

    def _ask(self, question: Any) -> Any:
        if time.monotonic() < self._away_until_s:
            raise EventsAway("Redis did not answer a moment ago")
        from redis.exceptions import ConnectionError as NoConnection
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as NoAnswer

        try:
            return question(self._connected())
        except RedisError as error:
            if isinstance(error, NoConnection | NoAnswer):  # else it is there, and did not like the question
                self._away_until_s = time.monotonic() + _PAUSE_S
            raise EventsAway(str(error)) from error

    def _connected(self) -> "Redis":
        with self._lock:
            if self._client is None:
                self._client = _connect(self._url, self._timeout_s)
            return self._client


class BackgroundEvents:
    """Publishes from a thread of its own, so that a run waits neither for Redis nor for the import of its client."""

    def __init__(self, events: RunEvents) -> None:
        self._events = events
        self._waiting: queue.Queue[tuple[str, str, dict[str, Any]] | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)
        self._thread.start()

    def publish(self, run_id: str, kind: str, **data: Any) -> None:
        try:
            self._waiting.put_nowait((run_id, kind, data))
        except queue.Full:
            _log.warning("a live event was dropped: too many are waiting", run_id=run_id)

    def close(self) -> None:
        """Waits a little for what is still to be told."""
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


def _add(client: "Redis", run_id: str, kind: str, data: Mapping[str, Any]) -> None:
    with client.pipeline(transaction=False) as batch:
        fields: Any = {"kind": kind, "data": json.dumps(data)}
        batch.xadd(_key(run_id), fields, maxlen=MAX_EVENTS, approximate=True)
        batch.expire(_key(run_id), KEPT_S)
        batch.execute()


def _connect(url: str, timeout_s: float) -> "Redis":
    from redis import BlockingConnectionPool, Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError
    from redis.retry import Retry

    if not url:
        raise EventsAway("the queue is not a Redis")
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=8,
        timeout=5 * timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # A connection from before a restart of Redis is dead; whoever does not answer in time is not asked twice.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        protocol=2,
    )
    return Redis(connection_pool=pool)


def _redis_url(broker_url: str) -> str:
    """Empty where it is not a Redis."""
    if broker_url.startswith("redis+socket://"):
        path = broker_url.removeprefix("redis+socket://")
        return "unix://" + path.replace("virtual_host=", "db=")
    return broker_url if broker_url.startswith(("redis://", "rediss://", "unix://")) else ""


def _key(run_id: str) -> str:
    return f"darkroom:events:{run_id}"


def _event(entry: Any) -> Event:
    event_id, fields = entry
    return Event(_text(event_id), _text(fields[b"kind"]), json.loads(fields[b"data"]))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
