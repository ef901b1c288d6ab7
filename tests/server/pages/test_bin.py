"""The bin, in pages and API."""

import re

import pytest

from automl.records import RunState
from automl.store.bin import due_runs


@pytest.fixture
def done(world):
    return world.add_run(RunState.DONE, world.add_dataset())


def text_of(client, path):
    return " ".join(client.get(path).text.split())


def test_the_page_asks_and_says_what_goes(client, world):
    dataset_id = world.add_dataset()
    run_id = world.add_run(RunState.DONE, dataset_id)
    world.add_artifact(run_id, "bundle", b"x" * 2000, "model.zip", "application/zip")
    page = text_of(client, f"/bin/datasets/{dataset_id}/delete")
    assert "Delete “flowers”?" in page and "for 14 days" in page
    assert re.findall(r"<li>(.*?)</li>", page) == [
        "4 photos",
        "1 run",
        "1 model",
        "2.0 kB on the server&#39;s disk".replace("&#39;", "'"),
    ]
    assert "Delete “flowers” for good?" in text_of(client, f"/bin/datasets/{dataset_id}/delete?now=yes")
    assert client.get("/bin/datasets/none/delete").status_code == 404
    assert client.get("/bin/people/1/delete").status_code == 404


def test_a_deleted_data_set_is_put_back_with_its_runs(client, world, done):
    dataset_id = world.run(done).dataset_id
    after = client.post(f"/bin/datasets/{dataset_id}/delete", follow_redirects=True).text
    assert "Undo: put it back" in after
    answer = client.get(f"/runs/{done}")
    assert answer.status_code == 404 and "This is in the bin" in answer.text and 'href="/bin"' in answer.text
    assert "Put back" in client.get("/bin").text
    assert client.post(f"/bin/datasets/{dataset_id}/restore").location == f"/datasets/{dataset_id}"
    assert client.get(f"/runs/{done}").status_code == 200
    assert "Nothing is in the bin" in client.get("/bin").text


def test_a_single_run_is_deleted_and_leaves_every_list(client, world, done):
    dataset_id = world.run(done).dataset_id
    other = world.add_run(RunState.DONE, dataset_id, parent_id=done, name="the second")
    page = client.post(f"/bin/runs/{done}/delete", follow_redirects=True).text
    assert "Undo: put it back" in page and f'/runs/{done}"' not in page and "the second" in page
    assert f'/runs/{done}"' not in client.get("/").text
    assert "it is in the bin and can be put back" in text_of(client, f"/runs/{other}")
    assert client.get(f"/datasets/{dataset_id}/compare?run={done}&run={other}").status_code == 404
    assert "do not have two finished runs" in client.get(f"/datasets/{dataset_id}/compare").text
    refused = client.post("/api/v1/runs", json={"dataset": dataset_id, "parent": done})
    assert refused.json["error"]["code"] == "in_bin"
    assert client.get(f"/api/v1/runs/{done}/bundle").status_code == 404


def test_a_run_under_way_is_cancelled_first(client, world):
    waiting, searching = world.add_run(RunState.QUEUED), world.add_run(RunState.SEARCHING)
    assert "It is cancelled first" in text_of(client, f"/bin/runs/{searching}/delete")
    for run_id in (waiting, searching):
        client.post(f"/bin/runs/{run_id}/delete")
        assert world.run(run_id).cancel_requested
        assert world.run(run_id).removal_at is not None
    assert world.run(waiting).state is RunState.CANCELLED
    dataset_id = world.run(searching).dataset_id
    assert client.delete(f"/api/v1/datasets/{dataset_id}").status_code == 409  # its worker has not ended it yet
    assert "is in use" in client.get(f"/bin/datasets/{dataset_id}/delete").text


def due(world):
    """The runs that the worker removes now."""
    with world.database.session() as session:
        return due_runs(session)


def test_deleting_now_passes_by_the_bin(client, world, done):
    assert client.post(f"/bin/runs/{done}/delete", data={"now": "yes"}).status_code == 303
    assert due(world) == [done]
    assert client.get("/api/v1/bin").json == {"entries": []}
    assert client.post(f"/bin/runs/{done}/restore").status_code == 404
    assert client.get(f"/bin/runs/{done}/delete").status_code == 404


def test_what_is_in_the_bin_is_deleted_for_good_from_there(client, world, done):
    client.post(f"/bin/runs/{done}/delete")
    assert client.post(f"/bin/runs/{done}/delete").status_code == 404  # its time does not begin anew
    assert "It cannot be undone" in client.get(f"/bin/runs/{done}/delete").text
    assert client.post(f"/bin/runs/{done}/delete", data={"now": "yes"}).location == "/bin"
    assert due(world) == [done]


def test_emptying_the_bin_asks_with_the_sum(client, world, done):
    dataset_id = world.run(done).dataset_id
    client.post(f"/bin/runs/{done}/delete")
    client.post(f"/bin/datasets/{dataset_id}/delete")
    page = text_of(client, "/bin")
    assert "Its photos are in the bin, too" in page
    assert "<li>1 run</li>" in text_of(client, "/bin/empty")  # and not counted twice
    client.post("/bin/empty")
    assert client.get("/api/v1/bin").json == {"entries": []}


def test_a_run_is_renamed(client, world, done):
    assert 'value=""' in client.get(f"/runs/{done}/manage").text
    client.post(f"/runs/{done}/rename", data={"name": " with  <b> "})
    assert world.run(done).name == "with <b>"
    assert "with &lt;b&gt;" in client.get(f"/runs/{done}").text
    assert client.patch(f"/api/v1/runs/{done}", json={"name": ""}).json["name"] == ""
    assert client.patch(f"/api/v1/runs/{done}", json={}).status_code == 400
    dataset_id = world.run(done).dataset_id
    assert client.patch(f"/api/v1/datasets/{dataset_id}", json={"name": "roses"}).json["name"] == "roses"


def test_the_api_deletes_lists_and_restores(client, world, done):
    dataset_id = world.run(done).dataset_id
    assert client.delete(f"/api/v1/runs/{done}").status_code == 204
    assert client.delete(f"/api/v1/runs/{done}").json["error"]["code"] == "in_bin"
    assert client.delete(f"/api/v1/datasets/{dataset_id}").status_code == 204
    kinds = [(entry["kind"], entry["id"]) for entry in client.get("/api/v1/bin").json["entries"]]
    assert kinds == [("dataset", dataset_id), ("run", done)]
    assert client.post(f"/api/v1/runs/{done}/restore").status_code == 409
    assert client.post(f"/api/v1/datasets/{dataset_id}/restore").json["id"] == dataset_id
    assert client.post(f"/api/v1/runs/{done}/restore").json["id"] == done
    assert client.delete(f"/api/v1/datasets/{dataset_id}?now=yes").status_code == 204
    assert client.delete("/api/v1/bin").status_code == 204
    assert client.get(f"/api/v1/datasets/{dataset_id}").json["error"]["code"] == "not_found"


@pytest.fixture
def without_bin(limits):
    limits["DARKROOM_BIN_DAYS"] = "0"


def test_a_server_without_a_bin_asks_for_good(without_bin, client, world, done):
    assert "It cannot be undone" in client.get(f"/bin/runs/{done}/delete").text
    client.post(f"/bin/runs/{done}/delete")
    assert due(world) == [done]
    assert "keeps nothing in a bin" in client.get("/bin").text
