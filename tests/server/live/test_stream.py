"""The stream of a live run's changes, over HTTP."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from automl.records import EpochScores, Role, RunState, Stage, TrialInProgress
from automl.store.accounts import find_account, set_disabled, set_role
from automl.store.database import find_dataset, find_run
from automl.store.events import START, RunEvents
from automl.store.shares import end_share, share
from automl.store.sign_ins import end_sign_ins, sign_ins_of
from automl.store.tables import LogEntry, TrialSummary
from server.live.hub import Watcher
from server.live.stream import make_unwelcome
from tests.redis_server import running_redis, silent_redis
from tests.server.conftest import World
from tests.server.people import add_person, signed_in

TRIAL = {
    "number": 0,
    "stage": "heads",
    "state": "complete",
    "backbones": ["mobilenet_v2"],
    "image_size_px": 96,
    "score": 0.9321,
    "started_s": 1.0,
    "duration_s": 2.0,
    "message": "",
    "n_bytes": 0,
    "latency_s": 0.0,
    "best": [0, 0.9321],
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def limits(url: str) -> dict[str, str]:
    return {"DARKROOM_BROKER_URL": url}


@pytest.fixture
def events(url: str) -> Iterator[RunEvents]:
    events = RunEvents(url)
    yield events
    events.close()


def stream_of(client: FlaskClient, run_id: str, **arguments: object) -> list[dict[str, str]]:
    """The events until the stream ends."""
    answer = client.get(f"/runs/{run_id}/events", **arguments)  # type: ignore[arg-type]
    assert answer.mimetype == "text/event-stream"
    blocks = [block for block in answer.text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def test_an_ended_run_ends_its_stream_at_once(client: FlaskClient, world: World) -> None:
    (event,) = stream_of(client, world.add_run(RunState.DONE))
    assert (event["event"], json.loads(event["data"])) == ("end", {"state": "done"})


def test_a_page_hears_from_the_event_on_that_it_was_drawn_with(
    client: FlaskClient, world: World, events: RunEvents
) -> None:
    run_id = world.add_run(RunState.SEARCHING)
    events.publish(run_id, "note", text="seen")
    after = events.last_id(run_id)
    assert f'data-after="{after}"' in client.get(f"/runs/{run_id}").text
    events.publish(run_id, "note", text="missed")
    events.publish(run_id, "end", state="done")
    found = stream_of(client, run_id, query_string={"after": after})
    assert [event["event"] for event in found] == ["note", "end"]
    again = stream_of(client, run_id, query_string={"after": after}, headers={"Last-Event-ID": found[0]["id"]})
    assert [event["event"] for event in again] == ["end"]


def test_a_trial_brings_its_row_of_the_table_and_its_words(
    client: FlaskClient, world: World, events: RunEvents
) -> None:
    run_id = world.add_run(RunState.SEARCHING)
    events.publish(run_id, "trial", **TRIAL)
    events.publish(run_id, "end", state="done")
    data = json.loads(stream_of(client, run_id, query_string={"after": START})[0]["data"])
    assert data["tried"] == "small photos (96 px), MobileNetV2: 93.2 %"
    assert '<tr data-number="0"' in data["html"]
    assert (data["ended_s"], data["best"], data["best_words"]) == (3.0, [0, 0.9321], "93.2 %")


def test_a_try_that_goes_on_has_not_ended(client: FlaskClient, world: World, events: RunEvents) -> None:
    run_id = world.add_run(RunState.SEARCHING)
    trying = {name: TRIAL[name] for name in ("number", "stage", "backbones", "image_size_px", "started_s")}
    events.publish(run_id, "trying", **trying, epochs=[])
    events.publish(run_id, "end", state="done")
    data = json.loads(stream_of(client, run_id, query_string={"after": START})[0]["data"])
    assert (data["state"], data["score"]) == ("running", None)


def test_a_page_does_not_wait_for_a_redis_that_does_not_answer(
    client: FlaskClient, world: World, tmp_path: Path
) -> None:
    run_id = world.add_run(RunState.SEARCHING)
    client.get("/")  # what the first page of a process loads is not timed
    with silent_redis(tmp_path) as url:
        world.app.extensions["darkroom"].events._url = RunEvents(url)._url
        began_s = time.monotonic()
        assert 'data-after=""' in client.get(f"/runs/{run_id}").text
        once_s = time.monotonic() - began_s
        assert client.get(f"/runs/{run_id}/live?seen=").status_code == 200
        assert once_s < 2
        assert time.monotonic() - began_s - once_s < 0.4  # it is not asked again at once


def test_what_is_gone_is_said_to_be_gone(client: FlaskClient, world: World, events: RunEvents) -> None:
    run_id = world.add_run(RunState.SEARCHING)
    events.publish(run_id, "note", text="one")
    (event,) = stream_of(client, run_id, query_string={"after": "5-0"})
    assert event["event"] == "gone"


def test_a_made_up_id_and_a_made_up_run_are_refused(client: FlaskClient, world: World) -> None:
    assert client.get(f"/runs/{world.add_run()}/events?after=x").status_code == 400
    assert client.get(f"/runs/{'f' * 32}/events").status_code == 404


def test_more_streams_than_there_is_room_for_are_asked_to_come_later(client: FlaskClient, world: World) -> None:
    world.app.extensions["darkroom"].live._max_streams = 0
    answer = client.get(f"/runs/{world.add_run()}/events?after={START}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")


def test_the_charts_begin_with_what_the_database_knows(client: FlaskClient, world: World) -> None:
    begun = {name: TRIAL[name] for name in ("backbones", "image_size_px", "started_s")}
    trying = TrialInProgress(number=1, stage=Stage.FINE_TUNING, epochs=(EpochScores(1, 0.8, 0.5),), **begun)
    run_id = world.add_run(RunState.SEARCHING, trying=trying)
    with world.database.session() as session:
        trial = TrialSummary(run_id=run_id, number=0, state="complete", score=0.9, image_size_px=96)
        trial.started_s, trial.duration_s = 1.0, 2.0
        session.add(trial)
        find_run(session, run_id).log.add(LogEntry(kind="best", text="MobileNetV2", used_s=3.0, score=0.9))
    course = client.get(f"/runs/{run_id}/course").json
    assert course["tries"] == [[0, 3.0, 0.9]]
    assert course["bests"] == [[3.0, 0.9]]
    assert course["trying"]["epochs"] == [[1, 0.8, 0.5]]


class TestWithoutRedis:
    @pytest.fixture
    def limits(self, tmp_path: Path) -> dict[str, str]:
        return {"DARKROOM_BROKER_URL": f"redis+socket://{tmp_path}/nothing"}

    def test_the_page_asks_each_second_instead(self, client: FlaskClient, world: World) -> None:
        run_id = world.add_run(RunState.SEARCHING)
        assert 'data-after=""' in client.get(f"/runs/{run_id}").text
        assert client.get(f"/runs/{run_id}/events?after={START}").status_code == 503
        assert client.get(f"/runs/{run_id}/live?seen=").status_code == 200


@pytest.fixture
def shared(world: World) -> tuple[str, str, str]:
    """A run that Mia may see since its data set is shared with her: its id, its data set's and hers."""
    add_person(world, "olga", Role.ADMINISTRATOR)
    mia = add_person(world, "mia")
    run_id = world.add_run(RunState.SEARCHING)
    with world.database.session() as session:
        dataset_id = find_run(session, run_id).dataset_id
        share(session, find_dataset(session, dataset_id), "mia@example.org", may_change=False)
    return run_id, dataset_id, mia


def test_a_stream_goes_on_only_while_whoever_looks_may(world: World, shared: tuple[str, str, str]) -> None:
    run_id, dataset_id, mia = shared
    unwelcome = make_unwelcome(world.database)
    signed_in(world, "mia")
    with world.database.session() as session:
        (sign_in,) = sign_ins_of(session, mia)
        by_browser, by_token = Watcher(run_id, mia, sign_in.id), Watcher(run_id, mia, "")
    both = {by_browser, by_token}

    def changed(change: Callable[[Session], None]) -> set[Watcher]:
        with world.database.session() as session:
            change(session)
        return set(unwelcome(both))

    assert set(unwelcome(both)) == set()
    assert changed(lambda session: set_disabled(session, find_account(session, mia), True)) == both
    assert changed(lambda session: set_disabled(session, find_account(session, mia), False)) == {by_browser}
    assert changed(lambda session: end_sign_ins(session, mia)) == {by_browser}
    assert changed(lambda session: end_share(session, dataset_id, mia)) == both
    assert changed(lambda session: set_role(session, find_account(session, mia), Role.ADMINISTRATOR)) == {by_browser}


def test_the_page_of_a_share_that_ends_is_asked_to_load_again_and_finds_nothing(
    world: World, shared: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.hub.CLOCK_EVERY_S", 0.05)
    run_id, dataset_id, mia = shared
    browser = signed_in(world, "mia")
    heard: list[dict[str, str]] = []
    reader = threading.Thread(target=lambda: heard.extend(stream_of(browser, run_id)))
    reader.start()
    live = world.app.extensions["darkroom"].live
    while live.n_streams == 0:
        time.sleep(0.02)
    with world.database.session() as session:
        end_share(session, dataset_id, mia)
    reader.join(30)
    assert heard[-1]["event"] == "gone"
    assert browser.get(f"/runs/{run_id}/live").status_code == 404
