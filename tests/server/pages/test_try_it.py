"""The page on which a model is tried, and heat maps of a run's own photos."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from automl.records import RunState
from tests.automl.serving.tiny_model import tiny_model
from tests.server.conftest import form_file, zip_of
from tests.server.trying import add_tried_run, noise, picture


@pytest.fixture
def run_id(world):
    return add_tried_run(world)


def send(client, run_id, *files, **headers):
    data = {"photos": [form_file(name, content) for name, content in files]}
    return client.post(f"/runs/{run_id}/try", data=data, headers=headers)


def test_the_page_may_use_the_camera_and_no_other_page_may(client, run_id):
    response = client.get(f"/runs/{run_id}/try")
    assert "camera=(self)" in response.headers["Permissions-Policy"]
    assert "It tells 3 kinds apart" in response.text
    assert "It can only choose among these: a photo of anything else gets one of them too" in response.text
    assert "Back to the result" in response.text
    assert "ended early" not in response.text
    assert "camera=()" in client.get("/").headers["Permissions-Policy"]


def test_a_photo_of_nothing_that_was_learned_has_no_answer_in_large_letters(world, client):
    able = add_tried_run(world, model=tiny_model(has_distance=True))
    assert "a photo of anything else gets one of them too" not in client.get(f"/runs/{able}/try").text
    red, white = send(client, able, ("r.png", picture()), ("w.png", picture((255, 255, 255)))).text.split("<article")[
        1:3
    ]
    assert "This looks like nothing it has learned." in white and "would say" in white
    assert "This looks like nothing" not in red and "It says" in red


def test_the_result_leads_to_it(client, run_id):
    assert f'href="/runs/{run_id}/try"' in client.get(f"/runs/{run_id}").text


PACKED = "77.4 % on photos it had not learned from"
IS_ON, IS_OVER = "The run is still going on. This is the", "This run ended early. This is the"


@pytest.mark.parametrize(
    ("state", "best_score", "notice"),
    [
        (RunState.SEARCHING, 0.774, f"{IS_ON} best model so far: {PACKED}. A better one may come."),
        (
            RunState.SEARCHING,
            0.906,
            f"{IS_ON} model that was packed last: {PACKED}. A try with 90.6 % is not packed yet.",
        ),
        (
            RunState.CANCELLED,
            0.774,
            f"{IS_OVER} best model that it had found by then: {PACKED}. It was never tested.",
        ),
        (
            RunState.FAILED,
            0.906,
            f"{IS_OVER} model that was packed last: {PACKED}. It was never tested. A try with 90.6 % had not",
        ),
    ],
)
def test_the_best_so_far_says_its_score_and_that_it_is_no_result(world, client, state, best_score, notice):
    run_id = world.add_run(state, best_score=best_score)
    model = zip_of(**{"model.onnx": tiny_model()})
    world.add_artifact(run_id, "best_so_far", model, "model.zip", "application/zip", PACKED)
    page = client.get(f"/runs/{run_id}/try").text
    assert notice in " ".join(page.split())
    assert "Back to the run" in page


def test_without_javascript_a_page_answers_with_pictures_bars_and_heat_maps(client, run_id):
    page = send(client, run_id, ("red.png", picture()), ("a <b>.png", picture((60, 40, 40))), ("x", b"words")).text
    assert page.partition("<template")[0].count("<article") == 3
    assert page.count("data:image/jpeg;base64,") == 4
    assert page.count('class="bar-front"') == 6
    assert page.count("Not sure") == 1
    assert "at least 90.0\xa0%" in page
    assert "a &lt;b&gt;.png" in page
    assert "Not a photo that can be read" in page


def test_a_comment_in_a_photo_is_not_sent_back_with_it(client, run_id):
    buffer = io.BytesIO()
    Image.new("RGB", (24, 24)).save(buffer, "JPEG", comment=b"where I live")
    assert b"where I live" in buffer.getvalue()
    page = send(client, run_id, ("a.jpg", buffer.getvalue())).text
    sent_back = [base64.b64decode(one) for one in re.findall(r"data:image/jpeg;base64,([^\"]+)", page)]
    assert len(sent_back) == 2
    assert b"where I live" not in b"".join(sent_back)


def test_the_script_gets_the_answer_alone(client, run_id):
    part = send(client, run_id, ("red.png", picture()), **{"X-Requested-With": "try.js"}).text
    assert part.strip().startswith("<article")
    assert part.count("data:image/jpeg") == 1


def test_a_run_that_has_no_model_is_told_in_words(world, client):
    response = client.get(f"/runs/{world.add_run(RunState.PREPARING)}/try")
    assert response.status_code == 409
    assert "There is no model to try yet" in response.text


@pytest.fixture
def own(world):
    """A data set of two classes, a run on it, and the ids of its files."""
    photos = {f"{label}/{i}.png": noise(10 * n + i) for n, label in enumerate("ab") for i in range(3)}
    dataset_id = world.add_checked({**photos, "a/cut.png": noise(50)[:90]})
    hashes = "".join(f"{file.name},x,learn,0,{file.sha256}\n" for file in world.files(dataset_id))
    table = f"photo,class,part,near_copies,sha256\n{hashes}gone.png,x,learn,0,none\n"
    return add_tried_run(world, dataset_id, **{"photos.csv": table.encode()}), world.file_ids(dataset_id)


def test_a_photo_of_the_data_set_is_shown_under_its_heat_map(client, own):
    run_id, files = own
    response = client.get(f"/runs/{run_id}/photos/{files['a/0.png']}/heat.png?said=1")
    assert response.mimetype == "image/png"
    assert "private" in response.headers["Cache-Control"]
    pixels = np.asarray(Image.open(io.BytesIO(response.data)))
    assert pixels.shape == (32, 32, 3)
    other = client.get(f"/runs/{run_id}/photos/{files['a/0.png']}/heat.png?said=2").data
    assert other != response.data


def test_what_typical_photos_have_is_taken_off_its_heat_map(world, client, own):
    run_id, files = own
    knows_none = add_tried_run(world, world.run(run_id).dataset_id)
    one, other = (client.get(f"/runs/{run}/photos/{files['a/0.png']}/heat.png").data for run in (run_id, knows_none))
    assert one != other


@pytest.mark.parametrize("query", ["?said=3", "?said=-1"])
def test_there_is_no_heat_map_for_a_class_that_is_not_there(client, own, query):
    run_id, files = own
    assert client.get(f"/runs/{run_id}/photos/{files['a/0.png']}/heat.png{query}").status_code == 404


def test_there_is_no_heat_map_of_a_damaged_or_a_foreign_photo_or_by_a_foreign_model(world, client, own):
    run_id, files = own
    assert client.get(f"/runs/{run_id}/photos/{files['a/cut.png']}/heat.png").status_code == 404
    elsewhere = world.file_ids(world.add_checked({"a/1.png": noise(1), "b/2.png": noise(2)}))["a/1.png"]
    assert client.get(f"/runs/{run_id}/photos/{elsewhere}/heat.png").status_code == 404
    assert client.get(f"/runs/{run_id}/photos/{2**70}/heat.png").status_code == 404
    foreign = add_tried_run(world, world.run(run_id).dataset_id, tiny_model(has_taps=False))
    assert client.get(f"/runs/{foreign}/photos/{files['a/0.png']}/heat.png").status_code == 404


@pytest.fixture
def partly_labelled(world):
    """A run on four photos with a class, beside one without and one that is damaged."""
    photos = {f"{n}.png": noise(n) for n in range(4)} | {"new <b>.png": picture(), "damaged.png": b"words"}
    table = b"file,label\n" + b"".join(b"%d.png,%s\n" % (n, b"ab"[n % 2 : n % 2 + 1]) for n in range(4))
    return add_tried_run(world, world.add_checked({**photos, "labels.csv": table}))


def test_photos_without_a_class_are_predicted_in_one_click(client, partly_labelled):
    page = client.get(f"/runs/{partly_labelled}").text
    assert "Predict the 1 photo without a class" in page
    response = client.get(f"/runs/{partly_labelled}/unlabelled.csv")
    assert response.headers["Content-Disposition"] == "attachment; filename=photos_without_a_class.csv"
    heading, *rows = response.text.splitlines()
    assert heading.startswith("photo,answer,confidence,sure,")
    assert [row.split(",")[0] for row in rows] == ["new <b>.png"]


def test_where_every_photo_has_a_class_nothing_is_offered(world, client, run_id):
    assert "without a class" not in client.get(f"/runs/{run_id}").text
    assert client.get(f"/runs/{run_id}/unlabelled.csv").text.count("\n") == 1
