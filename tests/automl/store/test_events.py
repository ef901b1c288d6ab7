import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from automl.store import events as events_module
from automl.store.events import START, BackgroundEvents, EventsAway, EventsGone, RunEvents, order_of
from tests.redis_server import running_redis, silent_redis

RUN = "a" * 32


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def events(url: str) -> Iterator[RunEvents]:
    events = RunEvents(url)
    yield events
    events.forget(RUN)
    events.close()


def test_whoever_begins_at_the_start_hears_everything_in_order(events: RunEvents) -> None:
    assert events.last_id(RUN) == START
    for number in range(3):
        events.publish(RUN, "trial", number=number)
    assert [event.data["number"] for event in events.after(RUN, START)] == [0, 1, 2]


def test_whoever_comes_back_hears_what_came_after_the_last_event_that_he_heard(events: RunEvents) -> None:
    events.publish(RUN, "note", text="one")
    last_id = events.last_id(RUN)
    events.publish(RUN, "note", text="two")
    (event,) = events.after(RUN, last_id)
    assert (event.kind, event.data) == ("note", {"text": "two"})
    assert events.after(RUN, event.id) == []


def test_a_stream_is_bounded_and_says_so_when_what_is_asked_for_is_gone(
    events: RunEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "MAX_EVENTS", 100)
    events.publish(RUN, "note", text="the first one")
    first = events.last_id(RUN)
    for number in range(400):
        events.publish(RUN, "trial", number=number)
    for asked in (first, START):
        with pytest.raises(EventsGone):
            events.after(RUN, asked)
    assert events.after(RUN, events.last_id(RUN)) == []


def test_a_stream_that_has_expired_is_gone_for_whoever_had_heard_of_it(events: RunEvents) -> None:
    events.publish(RUN, "note", text="one")
    last_id = events.last_id(RUN)
    events.forget(RUN)
    with pytest.raises(EventsGone):
        events.after(RUN, last_id)


def test_streams_expire_by_themselves(events: RunEvents) -> None:
    events.publish(RUN, "end", state="done")
    left_s = events._ask(lambda client: client.ttl(events_module._key(RUN)))
    assert 0 < left_s <= events_module.KEPT_S


def test_several_runs_are_read_with_one_question(events: RunEvents) -> None:
    other = "b" * 32
    events.publish(RUN, "note", text="mine")
    events.publish(other, "note", text="the other's")
    found = events.read({RUN: START, other: START}, wait_s=0.1)
    assert {(run_id, event.data["text"]) for run_id, event in found} == {(RUN, "mine"), (other, "the other's")}
    assert events.read({RUN: events.last_id(RUN)}, wait_s=0.05) == []
    events.forget(other)


def test_ids_compare_as_numbers() -> None:
    assert order_of("9-10") > order_of("9-9") > order_of("8-99")


def test_a_question_that_redis_refuses_does_not_count_as_away(events: RunEvents) -> None:
    with pytest.raises(EventsAway):
        events.after(RUN, "no id")
    assert events.last_id(RUN) == START


@pytest.mark.parametrize("url", ["redis+socket:///no/such/socket", "amqp://elsewhere", ""])
def test_a_run_goes_on_without_redis_and_says_so_once(url: str) -> None:
    events = RunEvents(url)
    with capture_logs() as logged:
        for _ in range(3):
            events.publish(RUN, "note", text="unheard")
            events._away_until_s = 0.0
    assert [line["log_level"] for line in logged] == ["warning"]
    with pytest.raises(EventsAway):
        events.last_id(RUN)


def test_a_redis_that_does_not_answer_is_asked_once_and_then_left_alone(tmp_path: Path) -> None:
    with silent_redis(tmp_path) as url:
        events = RunEvents(url, timeout_s=0.2)
        for longest_s in (1.0, 0.1):
            began_s = time.monotonic()
            with pytest.raises(EventsAway):
                events.last_id(RUN)
            assert time.monotonic() - began_s < longest_s
        events.close()


def test_events_are_told_again_when_redis_is_back(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url:
        events = RunEvents(url)
        events.publish(RUN, "note", text="before")
    events.publish(RUN, "note", text="unheard")
    with running_redis(tmp_path):
        events._away_until_s = 0.0
        events.publish(RUN, "note", text="after")
        assert events.after(RUN, START)[-1].data["text"] == "after"
        events.close()


def test_events_from_the_background_keep_their_order(events: RunEvents, url: str) -> None:
    background = BackgroundEvents(RunEvents(url))
    for number in range(50):
        background.publish(RUN, "trial", number=number)
    background.close()
    assert [event.data["number"] for event in events.after(RUN, START)] == list(range(50))
