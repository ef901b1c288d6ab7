"""One reader, many pages. Redis is real."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.store.events import START, Event, EventsAway, RunEvents
from server.live.connection import Connection
from server.live.hub import LiveHub, Subscription, TooManyPages, Watcher, is_event_id
from tests.redis_server import running_redis

RUN, OTHER = "a" * 32, "b" * 32


def render(event: Event) -> bytes:
    return f"{event.kind} {event.data.get('n', '')}\n".encode()


def look(_run_ids: list[str]) -> dict[str, tuple[bytes, bool]]:
    return {}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def events(url: str) -> Iterator[RunEvents]:
    events = RunEvents(url)
    yield events
    events.forget(RUN)
    events.forget(OTHER)
    events.close()


@pytest.fixture
def hub(events: RunEvents) -> Iterator[LiveHub]:
    hub = LiveHub(events, render=render, look=look)
    yield hub
    hub.close()


class Reader(threading.Thread):
    """A page that reads until its stream ends."""

    def __init__(self, hub: LiveHub, run_id: str = RUN, after: str = START, watcher: Watcher | None = None) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.page, self._missed = hub.subscribe(run_id, after, watcher=watcher)
        self.start()

    def run(self) -> None:
        for chunk in self.page.stream(self._missed):
            self.lines += [line for line in chunk.decode().splitlines() if line and not line.startswith(":")]
        self.page.close()

    def end(self) -> list[str]:
        self.join(20)
        assert not self.is_alive()
        return self.lines


def test_a_hundred_pages_hear_every_event_once_and_in_order(hub: LiveHub, events: RunEvents) -> None:
    expected = [f"trial {n}" for n in range(120)] + ["end "]
    for n in range(20):
        events.publish(RUN, "trial", n=n)
    readers = [Reader(hub) for _ in range(50)]
    for n in range(20, 120):
        events.publish(RUN, "trial", n=n)
        if n == 70:
            readers += [Reader(hub) for _ in range(50)]
        time.sleep(0.002)
    events.publish(RUN, "end")
    for reader in readers:
        assert reader.end() == expected
    assert hub.n_streams == 0


def test_all_pages_share_one_thread_that_ends_with_the_last_of_them(hub: LiveHub, events: RunEvents) -> None:
    readers = [Reader(hub, run_id) for run_id in (RUN, OTHER) * 5]
    assert sum(thread.name == "live-pages" for thread in threading.enumerate()) == 1
    for run_id in (RUN, OTHER):
        events.publish(run_id, "end")
    for reader in readers:
        reader.end()
    deadline = time.monotonic() + 5
    while hub._reader is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_event_is_drawn_once_for_all_pages_and_never_again(events: RunEvents) -> None:
    drawn: list[bytes] = []

    def draw(event: Event) -> bytes:
        drawn.append(render(event))
        return drawn[-1]

    hub = LiveHub(events, render=draw, look=look)
    readers = [Reader(hub) for _ in range(3)]
    expected = ["trial 1", "trial 2", "end "]
    for n in (1, 2):
        events.publish(RUN, "trial", n=n)
        deadline = time.monotonic() + 20
        while any(reader.lines != expected[:n] for reader in readers):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    events.publish(RUN, "end")
    assert [reader.end() for reader in readers] == [expected] * 3
    assert b"".join(drawn).decode().splitlines() == expected
    hub.close()


def test_a_page_that_comes_back_hears_what_it_has_missed(hub: LiveHub, events: RunEvents) -> None:
    events.publish(RUN, "trial", n=1)
    seen = events.last_id(RUN)
    events.publish(RUN, "trial", n=2)
    reader = Reader(hub, after=seen)
    events.publish(RUN, "end")
    assert reader.end() == ["trial 2", "end "]


def test_a_page_hears_of_its_own_run_alone(hub: LiveHub, events: RunEvents) -> None:
    reader, other = Reader(hub), Reader(hub, OTHER)
    events.publish(OTHER, "trial", n=1)
    for run_id in (RUN, OTHER):
        events.publish(run_id, "end")
    assert (reader.end(), other.end()) == (["end "], ["trial 1", "end "])


def test_a_slow_page_is_cut_off(hub: LiveHub) -> None:
    slow = Subscription(hub, RUN)
    while slow.offer([(None, b"x")]):
        pass
    assert list(slow.stream([])) == [b": welcome\n\n"]


def test_events_are_written_to_the_connection_and_a_slow_one_is_cut_off(hub: LiveHub, events: RunEvents) -> None:
    mine, browser = socket.socketpair()
    page, missed = hub.subscribe(RUN, START, Connection(mine, is_chunked=False))
    stream = page.stream(missed)
    assert next(stream) == b": welcome\n\n"
    thread = threading.Thread(target=list, args=(stream,))
    thread.start()
    events.publish(RUN, "trial", n=1)
    browser.settimeout(10)
    assert browser.recv(100) == b"trial 1\n"
    while page.offer([(None, b"x" * 10_000)]):
        pass
    thread.join(10)
    assert not thread.is_alive()
    while browser.recv(1 << 16):
        pass  # what was on its way, then the end
    page.close()
    mine.close()
    browser.close()


def test_the_last_event_ends_a_page_that_is_written_to(hub: LiveHub, events: RunEvents) -> None:
    mine, browser = socket.socketpair()
    page, missed = hub.subscribe(RUN, START, Connection(mine, is_chunked=True))
    stream = page.stream(missed)
    next(stream)
    thread = threading.Thread(target=list, args=(stream,))
    thread.start()
    events.publish(RUN, "end")
    thread.join(10)
    assert not thread.is_alive()
    assert browser.recv(100) == b"5\r\nend \n\r\n"
    mine.close()
    browser.close()


def test_more_pages_than_the_server_carries_are_refused(events: RunEvents) -> None:
    hub = LiveHub(events, render=render, look=look, max_streams=1)
    page, _ = hub.subscribe(RUN, START)
    with pytest.raises(TooManyPages):
        hub.subscribe(RUN, START)
    page.close()
    again, _ = hub.subscribe(RUN, START)
    again.close()
    again.close()
    assert hub.n_streams == 0
    hub.close()


def test_an_end_that_was_never_told_is_found_in_the_database(
    events: RunEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.hub.CLOCK_EVERY_S", 0.1)
    hub = LiveHub(events, render=render, look=lambda ids: dict.fromkeys(ids, (b"ended\n", True)))
    assert Reader(hub).end() == ["ended"]
    hub.close()


def test_who_may_see_a_run_no_longer_is_sent_away_and_others_stay(
    events: RunEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.hub.CLOCK_EVERY_S", 0.05)
    mia, olga = (Watcher(RUN, name, "") for name in ("mia", "olga"))
    hub = LiveHub(events, render=render, look=look, unwelcome=lambda watchers: watchers & {mia})
    sent_away, stays, unknown = (Reader(hub, watcher=watcher) for watcher in (mia, olga, None))
    assert sent_away.end() == ["event: gone", "data: {}"]
    events.publish(RUN, "end")
    assert [stays.end(), unknown.end()] == [["end "], ["end "]]
    hub.close()


def test_pages_are_sent_away_when_redis_goes(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url:
        hub = LiveHub(RunEvents(url), render=render, look=look)
        reader = Reader(hub)
    assert reader.end() == []
    with pytest.raises(EventsAway):
        hub.subscribe(RUN, START)
    assert hub.n_streams == 0


BAD_IDS = ["", "a-b", "+", "1_0-0", "\N{ARABIC-INDIC DIGIT THREE}-0", f"{2**64}-0"]


@pytest.mark.parametrize(("text", "expected"), [("0-0", True), ("17-3", True), *((bad, False) for bad in BAD_IDS)])
def test_only_ids_are_ids(text: str, expected: bool) -> None:
    assert is_event_id(text) == expected
