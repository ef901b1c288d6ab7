"""Sorting over the API: begun, filled in several requests, gone on with."""

import hashlib
from threading import BoundedSemaphore

import pytest

from automl.store.tables import SortedPhoto
from server import answering, sorting
from tests.server.conftest import form_file
from tests.server.sorted_photos import FOLDER, photos
from tests.server.trying import add_tried_run, picture


@pytest.fixture
def run_id(world):
    return add_tried_run(world)


@pytest.fixture
def address(client, run_id):
    made = client.post(f"/api/v1/runs/{run_id}/sortings", json={"name": "holiday"})
    assert made.status_code == 201
    assert made.json["name"] == "holiday"
    assert made.json["url"] == f"/runs/{run_id}/sorted/{made.json['id']}"
    return f"/api/v1/runs/{run_id}/sortings/{made.json['id']}"


def send(client, address, files):
    return client.post(f"{address}/files", data={"files": [form_file(*file) for file in files.items()]})


def test_what_is_here_is_not_asked_for_again(client, address):
    files = {name: FOLDER[name] for name in ("holiday/sure.png", "holiday/cut.png")}
    assert send(client, address, files).json == {"received": 2, "refused": []}
    asked = [{"name": name, "n_bytes": len(content)} for name, content in FOLDER.items()]
    missing = client.post(f"{address}/missing", json={"files": asked}).json["missing"]
    assert [asked[place]["name"] for place in missing] == ["holiday/dark.png", "holiday/blue.png", "holiday/darker.png"]


def test_a_photo_of_the_same_size_with_other_contents_is_missing(client, address):
    send(client, address, {"a.png": picture()})
    other = hashlib.sha256(b"x").hexdigest()
    for sha256, missing in ((hashlib.sha256(picture()).hexdigest(), []), (other, [0])):
        asked = {"name": "a.png", "n_bytes": len(picture()), "sha256": sha256}
        assert client.post(f"{address}/missing", json={"files": [asked]}).json == {"missing": missing}


def test_a_busy_server_keeps_what_it_has_answered(client, world, address, monkeypatch):
    one_by_one = iter((sorting.answer_or_refusal,))

    def busy_soon(*args, **more):
        try:
            return next(one_by_one)(*args, **more)
        except StopIteration:
            raise answering.TooBusy("Try again.") from None

    with monkeypatch.context() as patch:
        patch.setattr(sorting, "answer_or_refusal", busy_soon)
        assert send(client, address, FOLDER).status_code == 503
    assert list(photos(world)) == ["sure.png"]
    assert send(client, address, FOLDER).json["received"] == 5
    assert len(photos(world)) == 5


def test_a_server_whose_turns_are_taken_says_so(client, address, monkeypatch):
    monkeypatch.setattr(answering, "_LONGEST_WAIT_S", 0.01)
    monkeypatch.setattr(answering, "_turns", BoundedSemaphore(1))
    answering._turns.acquire()
    assert send(client, address, FOLDER).json["error"]["code"] == "too_busy"


def test_a_photo_that_is_far_too_large_is_listed_and_the_others_sorted(client, world, address, monkeypatch):
    monkeypatch.setattr(answering, "MAX_PHOTO_BYTES", 2000)
    send(client, address, {"large.png": b"x" * 3000, "sure.png": picture()})
    assert "larger than" in photos(world)["large.png"].reason
    assert photos(world)["sure.png"].answer == "red"


def test_the_answers_are_those_of_the_model_bit_by_bit(client, world, run_id, address):
    send(client, address, {"a.png": picture((200, 60, 10))})
    asked = client.post(f"/api/v1/runs/{run_id}/predict", data={"p": form_file("a.png", picture((200, 60, 10)))}).json[
        0
    ]
    with world.database.session() as session:
        photo = session.query(SortedPhoto).one()
        kept = [round(float(one), 6) for one in memoryview(photo.probabilities).cast("f")]
        labels = photo.sorting.labels
    assert dict(zip(labels, kept, strict=True)) == asked["probabilities"]
    assert (photo.answer, round(photo.confidence, 6)) == (asked["label"], asked["confidence"])


def test_without_a_model_nothing_is_begun(client, world):
    assert client.post(f"/api/v1/runs/{world.add_run()}/sortings", json={}).status_code == 409
