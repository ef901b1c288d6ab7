"""The page that takes photos: its policy, its classes, what it goes on with. The rest is tested in a browser."""

import re

import pytest

from automl.records import DatasetState


@pytest.fixture
def dataset_id(world):
    classes = [{"label": label, "n_images": 2} for label in ("rose", "tulip")]
    return world.add_dataset(summary={"verdict": "4 photos, 2 classes, ready", "classes": classes})


def offered(page):
    return re.findall(r'data-label="([^"]*)"', page.text)


def test_the_page_may_use_the_camera_and_the_pages_beside_it_may_not(client, dataset_id):
    assert "camera=(self)" in client.get("/camera").headers["Permissions-Policy"]
    assert "camera=(self)" in client.get(f"/datasets/{dataset_id}/camera").headers["Permissions-Policy"]
    for path in ("/", f"/datasets/{dataset_id}", f"/datasets/{dataset_id}/camera/next"):
        assert "camera=()" in client.get(path).headers["Permissions-Policy"]


def test_a_new_data_set_begins_with_two_kinds_without_a_name(client):
    assert offered(client.get("/camera")) == ["", ""]


def test_the_classes_of_a_data_set_are_offered_or_the_one_that_is_asked_for(client, dataset_id):
    assert offered(client.get(f"/datasets/{dataset_id}/camera")) == ["rose", "tulip"]
    assert offered(client.get(f"/datasets/{dataset_id}/camera?label=tulip")) == ["tulip"]
    assert offered(client.get(f"/datasets/{dataset_id}/camera?label=fork")) == ["rose", "tulip"]


def test_of_very_many_classes_only_the_names_are_offered(client, world):
    classes = [{"label": f"kind {i}", "n_images": 2} for i in range(50)]
    page = client.get(f"/datasets/{world.add_dataset(summary={'classes': classes})}/camera")
    assert offered(page) == [""]
    assert page.text.count("<option value=") == 50


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (DatasetState.CHECKING, "Looking at your photos"),
        (DatasetState.READY, "Your photos are ready"),
        (DatasetState.INVALID, "No model can be trained from these photos yet"),
        (DatasetState.UPLOADING, "Your photos are not checked yet"),
    ],
)
def test_what_follows_is_the_state_of_the_check(client, world, state, said):
    page = client.get(f"/datasets/{world.add_dataset(state, message='Because.')}/camera/next").text
    assert said in page and f'data-state="{state}"' in page
    assert ('id="start-form"' in page) == (state is DatasetState.READY)
    assert ("Cancel the check" in page) == (state is DatasetState.CHECKING)
    assert ("hx-get=" in page and "every 1s" in page) == (state is DatasetState.CHECKING)


def test_a_data_set_that_is_not_there_has_no_page(client):
    assert client.get("/datasets/nothing/camera").status_code == 404
    assert client.get("/datasets/nothing/camera/next").status_code == 404


def test_every_way_to_add_photos_leads_to_the_camera(client, dataset_id):
    assert 'href="/camera"' in client.get("/").text
    assert f'href="/datasets/{dataset_id}/camera"' in client.get(f"/datasets/{dataset_id}").text
    assert (
        f'href="/datasets/{dataset_id}/camera?label=rose"'
        in client.get(f"/datasets/{dataset_id}/photos?label=rose").text
    )
