"""The worst mistakes and the doubted labels on the page of a result."""

import pytest

from automl.records import DatasetState, FileState, RunState
from automl.store.tables import Dataset, DatasetFile
from tests.reports import named_photo
from tests.server.answered import add_answered, add_photos
from tests.server.views.test_follow_up import press

EVIL = "tulip <script>"
NO_DOUBTS = "No label looks wrong"


NEAREST = [named_photo("s2", EVIL), named_photo("gone", "rose")]
RESULT = {
    "classes": ["rose", EVIL],
    "sentence": "It was right.",
    "test": {"accuracy": 0.9, "n_images": 10, "n_correct": 9, "confusion": [[5, 0], [1, 4]]},
    "mistakes": [{**named_photo("s1", "rose"), "predicted": EVIL, "confidence": 0.974, "nearest": NEAREST}],
    "suspects": [
        {**named_photo("s3", "rose"), "suggested": EVIL, "confidence": 0.91},
        {**named_photo("gone", "rose"), "suggested": EVIL, "confidence": 0.9},
    ],
}


@pytest.fixture
def dataset_id(world):
    return add_photos(world, s1="rose", s2=EVIL, s3="rose", s4=EVIL)


@pytest.fixture
def run_id(world, dataset_id):
    return world.add_run(RunState.DONE, dataset_id, result=RESULT)


def section(client, run_id, name):
    address = f"/runs/{run_id}/doubts" if name == "suspects" else f"/runs/{run_id}/mistakes"
    page = " ".join(client.get(address).text.split())
    return page.split(f'id="{name}"')[1].split("</section>")[0] if f'id="{name}"' in page else ""


def test_a_mistake_says_what_it_said_and_what_you_said_and_shows_what_is_most_like_it(
    client, run_id, dataset_id, world
):
    shown = section(client, run_id, "mistakes")
    assert "It said <strong>tulip &lt;script&gt;</strong> (97.4 % sure), you said <strong>rose</strong>." in shown
    ids = world.file_ids(dataset_id)
    for name in ("rose/s1.jpg", f"{EVIL}/s2.jpg"):
        assert f"/datasets/{dataset_id}/thumbnails/{ids[name]}" in shown
    assert "removed since" in shown  # the second of the nearest
    assert f'href="/datasets/{dataset_id}/photos?label=rose"' in shown


@pytest.mark.parametrize(("method", "is_told"), [("held-out", False), ("cross-validated", True)])
def test_without_a_test_set_it_says_whose_mistakes_these_are(client, world, dataset_id, method, is_told):
    result = {**RESULT, "test": {**RESULT["test"], "method": method}}
    shown = section(client, world.add_run(RunState.DONE, dataset_id, result=result), "mistakes")
    assert ("Models like yours made these mistakes, on photos that they had not learned from." in shown) == is_told
    assert ("in the eyes of your model" in shown) == is_told


def test_a_mistake_below_the_threshold_says_not_sure_and_so_do_its_photos(client, world, dataset_id):
    rows = [("s1", "rose", EVIL, 0.55), ("s3", "rose", EVIL, 0.97), ("s2", EVIL, EVIL, 0.5), ("s4", EVIL, EVIL, 0.9)]
    mistakes = [{**RESULT["mistakes"][0], "confidence": 0.55}]
    result = {"mistakes": mistakes, "calibration": {"threshold": 0.6}}
    run_id = add_answered(world, dataset_id, rows, ("rose", EVIL), result)
    said = "Not sure, perhaps <strong>tulip &lt;script&gt;</strong> (55.0 %), you said <strong>rose</strong>"
    shown = section(client, run_id, "mistakes")
    assert said in shown and "sure)" not in shown.split("</ul>")[0].split("<ul")[1]
    assert "It would have said “not sure” on 1 of 2 mistakes, and on 1 of 2 right answers" in shown
    assert "less than 60.0 % sure" in shown
    page = " ".join(client.get(f"/runs/{run_id}/answers").text.split())
    assert said in page and "55.0 % sure" not in page
    assert "97.0 % sure; then other" in page


def test_where_nobody_can_tell_nothing_is_said_of_not_sure(client, run_id):
    assert "not sure" not in section(client, run_id, "mistakes").lower()


def test_a_heat_map_is_asked_for_only_when_it_comes_into_view(client, run_id, dataset_id, world):
    file_id = world.file_ids(dataset_id)["rose/s1.jpg"]
    heat = section(client, run_id, "mistakes").split(f'src="/runs/{run_id}/photos/{file_id}/heat.png?said=1"')
    assert len(heat) == 2
    assert 'loading="lazy"' in heat[1].split(">")[0]


def test_doubted_labels_are_listed_as_far_as_the_photos_are_there(client, run_id):
    shown = section(client, run_id, "suspects")
    assert "1 photo it learned from may have a wrong label" in shown
    assert "it looks like <strong>tulip &lt;script&gt;</strong> (91 %)" in shown


def test_one_click_corrects_a_label_and_offers_to_train_again(client, world, run_id, dataset_id):
    assert section(client, run_id, "train-corrected") == ""
    file_id = world.file_ids(dataset_id)["rose/s3.jpg"]
    answer = client.post(f"/runs/{run_id}/labels", data={"file": file_id, "to": EVIL, "back": "suspects"})
    assert (answer.status_code, answer.location) == (303, f"/runs/{run_id}/doubts#suspects")
    assert "✓ You moved it to tulip &lt;script&gt;" in section(client, run_id, "suspects")
    page = client.get(f"/runs/{run_id}").text
    assert "You corrected 1 label" in page and "You corrected 1 label: train again" in page
    assert all("You corrected 1 label" in client.get(f"/runs/{run_id}/{one}").text for one in ("mistakes", "doubts"))
    with world.database.session() as session:  # these few photos would be refused
        session.get(Dataset, dataset_id).state = DatasetState.READY
    started = press(client, world, page, "train-corrected")
    assert (started.parent_id, started.settings) == (run_id, world.run(run_id).settings)


def test_what_was_left_out_is_no_longer_doubted(client, world, run_id, dataset_id):
    with world.database.session() as session:
        session.get(DatasetFile, world.file_ids(dataset_id)["rose/s3.jpg"]).state = FileState.EXCLUDED
    assert NO_DOUBTS in section(client, run_id, "suspects")


def test_a_class_that_is_no_longer_there_is_not_proposed(client, world):
    run_id = world.add_run(RunState.DONE, add_photos(world, s1="rose", s3="rose", s2="oak"), result=RESULT)
    assert section(client, run_id, "mistakes") and "correct the label" not in section(client, run_id, "mistakes")


def test_a_result_of_an_older_version_has_neither(client, world, dataset_id):
    older = {name: value for name, value in RESULT.items() if name not in ("mistakes", "suspects")}
    run_id = world.add_run(RunState.DONE, dataset_id, result=older)
    assert section(client, run_id, "mistakes") == "" and NO_DOUBTS in section(client, run_id, "suspects")


def test_a_label_that_its_user_calls_right_is_no_suspect_any_more(client, world, run_id, dataset_id):
    shown = section(client, run_id, "suspects")
    assert "My label is right" in shown
    client.post(f"/runs/{run_id}/confirmed", data={"file": world.file_ids(dataset_id)["rose/s3.jpg"]})
    assert NO_DOUBTS in section(client, run_id, "suspects")


@pytest.mark.parametrize("page", ["", "/mistakes", "/doubts", "/details"])
def test_hostile_class_names_stay_text(client, run_id, page):
    text = client.get(f"/runs/{run_id}{page}").text
    assert "<script>" not in text.replace("<script src", "").replace("<script type", "")
