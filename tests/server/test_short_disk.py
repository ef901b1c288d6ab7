"""What goes on, and what does not, while the disk is short."""

import pytest

from automl.records import DatasetState, RunState
from automl.store import room
from tests.server.conftest import form_file


@pytest.fixture
def short(world, monkeypatch):
    monkeypatch.setattr(room, "free_bytes", lambda _folder: world.settings.reserve_bytes - 1)


def test_nothing_new_is_begun_and_the_answer_says_what_to_do(client, world, short):
    dataset_id = world.add_dataset(DatasetState.UPLOADING)
    file = {"files": [form_file("a/1.jpg", b"1")]}
    answers = [
        client.post("/api/v1/datasets", data=file),
        client.post(f"/api/v1/datasets/{dataset_id}/files", data={"files": [form_file("a/2.jpg", b"2")]}),
        client.post(f"/api/v1/datasets/{dataset_id}/check"),
        client.post("/api/v1/runs", json={"dataset": world.add_dataset()}),
    ]
    assert [answer.status_code for answer in answers] == [507] * 4
    assert all("nearly full" in answer.json["error"]["message"] for answer in answers)
    page = client.post("/samples")
    assert page.status_code == 507
    assert "Your photos" in page.text
    assert world.queue.sent == []
    assert world.stored_files() == []


def test_the_first_page_says_it(client, short):
    assert "disk is nearly full" in client.get("/").text


def test_deleting_stopping_and_looking_go_on(client, world, short):
    dataset_id = world.add_dataset()
    run_id = world.add_run(RunState.QUEUED, dataset_id)
    assert client.get(f"/datasets/{dataset_id}").status_code == client.get(f"/runs/{run_id}").status_code == 200
    assert client.post(f"/api/v1/runs/{run_id}/cancel").status_code < 300
    assert client.delete(f"/api/v1/datasets/{dataset_id}").status_code == 204


def test_where_there_is_room_nothing_is_said(client):
    assert "disk-short" not in client.get("/").text
