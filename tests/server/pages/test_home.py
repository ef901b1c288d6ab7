from datetime import timedelta

import pytest

from automl.records import DatasetState, RunState
from automl.store.tables import now


def test_an_empty_home_says_what_to_do(client):
    page = client.get("/").text
    assert "Choose a folder" in page
    assert "Try it with sample images" in page
    assert "Nothing here yet" in page


def test_recent_runs_show_state_and_say_where_their_score_comes_from(client, world):
    world.add_run(RunState.DONE, result={"test": {"accuracy": 0.93}})
    world.add_run(RunState.SEARCHING, best_score=0.951)
    page = " ".join(client.get("/").text.split())
    assert "<strong>93.0 %</strong> <small>right when tested" in page
    assert "<strong>95.1 %</strong> <small>on photos it had not learned from" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.SEARCHING, "best so far"),
        (RunState.FAILED, "best before it ended"),
        (RunState.CANCELLED, "best before it ended"),
    ],
)
def test_a_run_that_has_ended_has_no_best_so_far(client, world, state, words):
    world.add_run(state, best_score=0.9)
    assert f"on photos it had not learned from, {words}" in client.get("/").text


def test_uploads_without_a_run_can_be_found_again(client, world):
    dataset_id = world.add_dataset(DatasetState.UPLOADING, name="holiday")
    assert f"/datasets/{dataset_id}" in client.get("/").text


def test_names_are_escaped(client, world):
    world.add_run(dataset_id=world.add_dataset(name="<script>alert(1)</script>"))
    assert "<script>alert" not in client.get("/").text


def test_the_sample_run_waits_for_its_pictures(client, world):
    answer = client.post("/samples")
    ((task, dataset_id, run_id),) = world.queue.sent
    assert task == "darkroom.make_samples"
    assert answer.location == f"/runs/{run_id}"
    assert world.dataset(dataset_id).state is DatasetState.CHECKING
    assert world.run(run_id).state is RunState.QUEUED


def test_samples_leave_nothing_behind_where_the_queue_is_away(client, world):
    world.queue.away = True
    assert client.post("/samples").status_code == 503
    assert "Nothing here yet" in client.get("/").text


def test_health_is_ok_while_the_database_answers(client):
    assert client.get("/health").json == {"status": "ok"}


def test_health_fails_with_the_database(client, world, monkeypatch):
    monkeypatch.setattr(world.database, "session", lambda: (_ for _ in ()).throw(OSError("secret")))
    answer = client.get("/health")
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "internal"


def test_a_run_that_nobody_takes_is_told(client, world):
    long_ago = now() - timedelta(minutes=5)
    world.add_run(RunState.QUEUED, created_at=long_ago)
    assert "does not seem to be running" in client.get("/").text
    world.add_run(RunState.SEARCHING)
    assert "does not seem to be running" not in client.get("/").text


@pytest.mark.parametrize("values", [{"state": DatasetState.CHECKING}, {"deleted_at": now()}])
def test_a_run_that_waits_for_its_photos_is_no_fault_of_the_worker(client, world, values):
    world.add_run(RunState.QUEUED, world.add_dataset(**values), created_at=now() - timedelta(minutes=5))
    assert "does not seem to be running" not in client.get("/").text


def test_an_old_browser_finds_its_icon(client):
    answer = client.get("/favicon.ico", follow_redirects=True)
    assert (answer.status_code, answer.data[:4]) == (200, b"\0\0\1\0")
