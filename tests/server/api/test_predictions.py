"""The part of the API that asks a model."""

import csv
import io
import re

import pytest
from PIL import ImageFile
from werkzeug.datastructures import MultiDict

from automl.records import DatasetState, RunState
from server import answering
from tests.automl.images.hostile import empty_png
from tests.automl.serving.tiny_model import tiny_model
from tests.server.conftest import form_file
from tests.server.trying import add_tried_run, noise, picture


@pytest.fixture
def run_id(world):
    return add_tried_run(world)


def predict(client, run_id, *files, query="", **headers):
    data = {"photos": [form_file(name, content) for name, content in files]}
    return client.post(f"/api/v1/runs/{run_id}/predict{query}", data=data, headers=headers)


def test_each_photo_has_its_answer(client, run_id):
    red, dark = predict(client, run_id, ("a/red.png", picture()), ("dark.png", picture((60, 40, 40)))).get_json()
    assert red["name"] == "a/red.png"
    assert red["label"] == "red"
    assert red["sure"] is True
    assert red["confidence"] == red["probabilities"]["red"] > 0.99
    assert sum(red["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert 0 < red["latency_ms"] < 10_000
    assert set(red) == {"name", "label", "confidence", "sure", "foreign", "probabilities", "latency_ms"}
    assert red["foreign"] is None
    assert dark["sure"] is False
    assert dark["confidence"] < 0.9


def test_a_photo_of_nothing_that_was_learned_is_named_so(world, client):
    able = add_tried_run(world, model=tiny_model(has_distance=True))
    files = ("red.png", picture()), ("white.png", picture((255, 255, 255)))
    assert [one["foreign"] for one in predict(client, able, *files).get_json()] == [False, True]
    rows = list(csv.DictReader(io.StringIO(predict(client, able, *files, query="?as=csv").text)))
    assert [(row["photo"], row["foreign"]) for row in rows] == [("red.png", "no"), ("white.png", "yes")]


def test_a_photo_may_be_the_body_itself(client, run_id):
    address = f"/api/v1/runs/{run_id}/predict"
    (red,) = client.post(address, data=picture(), content_type="image/png").get_json()
    assert (red["name"], red["label"]) == ("", "red")
    (cut,) = client.post(address, data=picture()[:60], content_type="image/png").get_json()
    assert "damaged" in cut["error"]
    assert client.post(address, data=picture(), content_type="application/pdf").status_code == 400


@pytest.mark.parametrize("limits", [{"DARKROOM_MAX_REQUEST_BYTES": "1000"}])
def test_a_body_beyond_the_limit_is_refused(client, run_id):
    response = client.post(f"/api/v1/runs/{run_id}/predict", data=bytes(2000), content_type="image/jpeg")
    assert response.status_code == 413


def test_a_file_that_cannot_be_read_is_explained_and_the_rest_answered(client, run_id):
    files = [("a.txt", b"words"), ("cut.png", picture()[:60]), ("b.png", picture((0, 0, 255)))]
    words, cut, blue = predict(client, run_id, *files).get_json()
    assert words == {"name": "a.txt", "error": "The picture is damaged or cut off; it cannot be read to its end."} or (
        "not a picture" in words["error"]
    )
    assert "damaged" in cut["error"]
    assert blue["label"] == "blue"


def test_what_would_be_too_large_is_refused_and_this_process_never_decodes_it(client, run_id, monkeypatch):
    """470 kB that would be 486 MB, and a photo that this process could not open either."""
    files = [("bomb.png", empty_png(9_000, bits=16)), ("b.png", picture())]
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _image: pytest.fail("decoded here"))
    bomb, good = predict(client, run_id, *files).get_json()
    assert bomb["error"].startswith("The picture is too large: opened, it would take 486 MB of memory")
    assert good["label"] == "red"


def test_a_file_that_is_too_large_is_refused_alone(client, run_id, monkeypatch):
    monkeypatch.setattr(answering, "MAX_PHOTO_BYTES", 1000)
    large, small = predict(client, run_id, ("l.bmp", picture(side=40, form="BMP")), ("s.png", picture())).get_json()
    assert "is larger than" in large["error"]
    assert small["label"] == "red"
    body = io.BytesIO(bytes(1_000_000))
    (large,) = client.post(f"/api/v1/runs/{run_id}/predict", data=body, content_type="image/bmp").get_json()
    assert "is larger than" in large["error"]
    assert body.tell() == 1_000_000, "a client that is still sending would not hear the answer"


def test_the_table_is_that_of_the_command_line(client, run_id):
    files = [("a, b.png", picture((0, 255, 0))), ("x.txt", b"words")]
    for how in ({"query": "?as=csv"}, {"Accept": "text/csv"}):
        response = predict(client, run_id, *files, **how)
        assert response.mimetype == "text/csv"
        header, green, refused = csv.reader(io.StringIO(response.text))
        assert header == ["photo", "answer", "confidence", "sure", "foreign", "red", "green", "blue", "error"]
        assert green[:2] == ["a, b.png", "green"]
        assert green[2] == green[6]
        assert (green[3], refused[3]) == ("yes", "")
        assert refused[0] == "x.txt"
        assert refused[-1] != ""
        assert len(refused) == len(header)


def test_a_row_of_the_table_can_come_with_the_answer(client, run_id):
    (answer,) = predict(client, run_id, ("a.png", picture()), query="?row=1").get_json()
    assert re.match(r"a\.png,red,0\.99\d+,yes,,0\.99", answer["row"])
    assert answer["row"].endswith("\r\n")
    (dark,) = predict(client, run_id, ("a.png", picture((60, 40, 40))), query="?row=1").get_json()
    assert dark["row"].split(",")[3] == "no"


def test_a_heat_map_is_given_on_demand_and_where_the_model_has_none_the_rest_still_is(world, client, run_id):
    (answer,) = predict(client, run_id, ("a.png", picture()), query="?heat=1").get_json()
    assert answer["heat"].startswith("data:image/jpeg;base64,/9j/")
    foreign = add_tried_run(world, model=tiny_model(has_taps=False))
    (answer,) = predict(client, foreign, ("a.png", picture()), query="?heat=1").get_json()
    assert answer["label"] == "red"
    assert "heat" not in answer


def test_nothing_of_a_photo_is_kept(world, client, run_id):
    before = set(world.settings.home.rglob("*"))
    predict(client, run_id, ("a.png", picture()), query="?heat=1")
    assert set(world.settings.home.rglob("*")) == before


def test_a_run_without_a_model_says_so(world, client):
    response = predict(client, world.add_run(RunState.SEARCHING), ("a.png", picture()))
    assert response.status_code == 409
    assert "no model to try yet" in response.get_json()["error"]["message"]


def test_the_best_so_far_answers_without_a_threshold(world, client):
    from tests.automl.serving.tiny_model import tiny_model
    from tests.server.conftest import zip_of

    run_id = world.add_run(RunState.SEARCHING)
    bundle = zip_of(**{"model.onnx": tiny_model()})
    world.add_artifact(run_id, "best_so_far", bundle, "model.zip", "application/zip")
    (answer,) = predict(client, run_id, ("a.png", picture()), query="?heat=1").get_json()
    assert answer["sure"] is None
    assert "heat" in answer
    (answer,) = predict(client, run_id, ("a.png", picture()), query="?row=1").get_json()
    assert answer["row"].split(",")[3] == ""


def test_a_damaged_model_is_told(world, client):
    response = predict(client, add_tried_run(world, model=b"no model"), ("a.png", picture()))
    assert (response.status_code, response.get_json()["error"]["code"]) == (422, "bad_bundle")


def test_no_photo_and_too_many_are_refused(client, run_id, monkeypatch):
    monkeypatch.setattr(answering, "MAX_PHOTOS", 1)
    assert predict(client, run_id).status_code == 400
    response = predict(client, run_id, ("a.png", picture()), ("b.png", picture()))
    assert response.status_code == 400
    assert "at most 1 photos" in response.get_json()["error"]["message"]


def test_too_many_at_once_are_told_to_wait(client, run_id, monkeypatch):
    monkeypatch.setattr(answering, "_LONGEST_WAIT_S", 0.01)
    for _ in range(2):
        answering._turns.acquire()
    try:
        response = predict(client, run_id, ("a.png", picture()))
    finally:
        for _ in range(2):
            answering._turns.release()
    assert (response.status_code, response.get_json()["error"]["code"]) == (503, "too_busy")


def feedback(client, run_id, *files, **fields):
    data = {**fields, "photos": [form_file(name, content) for name, content in files]}
    return client.post(f"/api/v1/runs/{run_id}/feedback", data=data)


@pytest.fixture
def dataset_id(world):
    return world.add_checked({f"{label}/{i}.png": noise(10 * n + i) for n, label in enumerate("ab") for i in range(3)})


def test_feedback_adds_the_photo_under_its_class_and_starts_a_check(world, client, dataset_id):
    run_id = add_tried_run(world, dataset_id)
    response = feedback(client, run_id, ("camera.jpg", noise(99)), label="b")
    assert response.status_code == 202
    assert response.get_json()["url"] == f"/datasets/{dataset_id}"
    assert response.get_json()["checking"] is True
    stored = world.files(dataset_id)[-1]
    assert (stored.name, stored.given_label) == (f"tried-{stored.sha256[:16]}.jpg", "b")
    assert world.dataset(dataset_id).state is DatasetState.CHECKING
    assert world.queue.sent == [("darkroom.check_dataset", dataset_id)]


def test_feedback_without_a_class_or_a_photo_stores_nothing(world, client, dataset_id):
    run_id = add_tried_run(world, dataset_id)
    for response in (feedback(client, run_id, ("a.png", noise(99))), feedback(client, run_id, label="a")):
        assert response.status_code == 400
    assert len(world.files(dataset_id)) == 6
    assert world.queue.sent == []


def test_a_class_that_is_taken_back_does_not_count(world, client, dataset_id):
    run_id = add_tried_run(world, dataset_id)
    form = [("label", "a"), ("label", ""), ("photos", (io.BytesIO(noise(98)), "a.png"))]
    response = client.post(f"/api/v1/runs/{run_id}/feedback", data=MultiDict(form))
    assert (response.status_code, len(world.files(dataset_id))) == (400, 6)


def test_feedback_waits_for_a_check(world, client):
    run_id = add_tried_run(world, world.add_dataset(DatasetState.CHECKING))
    assert feedback(client, run_id, ("a.png", noise(99)), label="a").status_code == 409


def test_feedback_is_kept_once_while_the_queue_is_away_and_can_be_checked_later(world, client, dataset_id):
    run_id = add_tried_run(world, dataset_id)
    world.queue.away = True
    for name in ("image.png", "folder/other name.png"):
        response = feedback(client, run_id, (name, noise(99)), label="b")
        assert (response.status_code, response.get_json()["checking"]) == (202, False)
    assert [file.given_label for file in world.files(dataset_id)[6:]] == ["b"]
    assert world.dataset(dataset_id).state is DatasetState.UPLOADING
    assert "Check these photos" in client.get(f"/datasets/{dataset_id}").text
    world.queue.away = False
    assert feedback(client, run_id, ("image.png", noise(99)), label="a").status_code == 202
    assert [file.given_label for file in world.files(dataset_id)[6:]] == ["a"]


def test_feedback_that_is_larger_than_a_photo_may_be_is_refused(world, client, dataset_id, monkeypatch):
    monkeypatch.setattr(answering, "MAX_PHOTO_BYTES", 100)
    assert feedback(client, add_tried_run(world, dataset_id), ("a.png", noise(99)), label="a").status_code == 422
    assert len(world.files(dataset_id)) == 6
