"""Requests that would bring an account over what it may have."""

import pytest

from automl.records import RunState
from tests.server.conftest import form_file


@pytest.fixture
def limits():
    return {
        "DARKROOM_ACCOUNT_DATASETS": "2",
        "DARKROOM_ACCOUNT_PHOTOS": "5",
        "DARKROOM_ACCOUNT_BYTES": "1000",
        "DARKROOM_ACCOUNT_QUEUE": "1",
    }


def problem(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["message"]


def test_no_data_set_more_than_the_account_may_have(client, world):
    world.add_dataset()
    assert client.post("/api/v1/datasets", data={"files": [form_file("a/1.jpg", b"1")]}).status_code == 201
    for made in ({"json": {"name": "x"}}, {"data": {"files": [form_file("a/1.jpg", b"1")]}}):
        status, message = problem(client.post("/api/v1/datasets", **made))
        assert status == 409
        assert "as many data sets as an account may have" in message
    samples = client.post("/samples")
    assert samples.status_code == 409
    assert "as many data sets" in samples.text
    assert world.queue.sent == []


def test_no_photo_more_over_all_data_sets(client, world):
    world.add_dataset(n_files=4)
    other = world.add_dataset(n_files=0)
    address = f"/api/v1/datasets/{other}/files"
    assert client.post(address, data={"files": [form_file("a/1.jpg", b"1")]}).status_code == 200
    status, message = problem(client.post(address, data={"files": [form_file("a/2.jpg", b"2")]}))
    assert status == 413
    assert "more photos than an account may have here (5)" in message
    assert len(world.stored_files()) == 1


def test_no_byte_more_and_nothing_is_kept_of_what_was_too_much(client, world):
    world.add_dataset(n_files=2)  # of 10 bytes each
    other = world.add_dataset(n_files=0)
    address = f"/api/v1/datasets/{other}/files"
    assert client.post(address, data={"files": [form_file("a/1.jpg", bytes(980))]}).status_code == 200
    status, message = problem(client.post(address, data={"files": [form_file("a/2.jpg", b"2")]}))
    assert status == 413
    assert "more than an account may have here (1.0 kB)" in message
    assert len(world.stored_files()) == 1


def test_no_run_more_until_one_has_ended(client, world):
    dataset_id = world.add_dataset()
    run_id = world.add_run(RunState.QUEUED, dataset_id)
    status, message = problem(client.post("/api/v1/runs", json={"dataset": dataset_id}))
    assert status == 409
    assert "cancel one" in message
    client.post(f"/api/v1/runs/{run_id}/cancel")
    assert client.post("/api/v1/runs", json={"dataset": dataset_id}).status_code == 202


def test_a_run_that_waits_tells_its_turn(client, world):
    dataset_id = world.add_dataset()
    world.add_run(RunState.SEARCHING, dataset_id, budget_s=600.0, used_s=240.0)
    run_id = world.add_run(RunState.QUEUED, dataset_id)
    assert client.get(f"/api/v1/runs/{run_id}").json["turn"] == {"n_ahead": 1, "within_s": 360.0}
    page = " ".join(client.get(f"/runs/{run_id}").text.split())
    assert "1 run is ahead of this one. It starts by itself, in about 6 minutes or sooner." in page
