"""Going on with an upload: which files the server says are missing."""

import hashlib

import pytest

from automl.records import DatasetState
from server.api.bodies import MAX_FILES_A_QUESTION
from tests.server.conftest import form_file
from tests.server.uploads.test_receive import HOSTILE_NAMES, raw_form, send


@pytest.fixture
def dataset_id(client):
    return client.post("/api/v1/datasets", json={"name": "flowers"}).json["id"]


def described(name, content=b"picture", **more):
    return {"name": name, "n_bytes": len(content), **more}


def ask(client, dataset_id, *files, **values):
    return client.post(f"/api/v1/datasets/{dataset_id}/missing", json={"files": list(files), **values})


def test_everything_is_missing_from_an_empty_data_set(client, dataset_id):
    assert ask(client, dataset_id, described("a/1.jpg"), described("a/2.jpg")).json == {"missing": [0, 1]}


def test_what_has_arrived_is_not_missing(client, dataset_id):
    send(client, dataset_id, form_file("a/1.jpg"), form_file("b/1.jpg"))
    files = [described("a/1.jpg"), described("a/2.jpg"), described("b/1.jpg")]
    assert ask(client, dataset_id, *files).json["missing"] == [1]


def test_a_file_of_another_size_is_missing(client, dataset_id):
    send(client, dataset_id, form_file("a/1.jpg"))
    assert ask(client, dataset_id, described("a/1.jpg", b"pictures")).json["missing"] == [0]


def test_a_hash_tells_changed_contents_of_the_same_size(client, dataset_id):
    send(client, dataset_id, form_file("a/1.jpg", b"old"), form_file("a/2.jpg", b"old"))
    old, new = (hashlib.sha256(content).hexdigest() for content in (b"old", b"new"))
    files = [described("a/1.jpg", b"new", sha256=new), described("a/2.jpg", b"old", sha256=old.upper())]
    assert ask(client, dataset_id, *files).json["missing"] == [0]


def test_a_file_that_another_data_set_has_is_missing(client, world, dataset_id):
    other = world.add_dataset(DatasetState.UPLOADING)
    send(client, other, form_file("a/1.jpg"))
    assert ask(client, dataset_id, described("a/1.jpg")).json["missing"] == [0]


def test_a_file_whose_bytes_are_gone_is_missing(client, world):
    dataset_id = world.add_dataset(n_files=1)  # rows without bytes, as of an archive that was refused
    assert ask(client, dataset_id, described("flowers/a/0.jpg", b"x" * 10)).json["missing"] == [0]


def test_a_file_of_another_class_is_missing(client, dataset_id):
    client.post(f"/api/v1/datasets/{dataset_id}/files", data={"label": "rose", "files": [form_file("1.jpg")]})
    assert ask(client, dataset_id, described("1.jpg"), label=" rose ").json["missing"] == []
    assert ask(client, dataset_id, described("1.jpg"), label="tulip").json["missing"] == [0]
    assert ask(client, dataset_id, described("1.jpg")).json["missing"] == []


def test_names_are_compared_as_they_are_kept(client, dataset_id):
    names = [*HOSTILE_NAMES, "a/\x00\x1b.jpg", "a/100%22.jpg"]
    quoted = [name.replace("\\", "\\\\").replace('"', "%22") for name in names]
    parts = [f'name="files"; filename="{name}"\r\n\r\npicture'.encode() for name in quoted]
    client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts))
    assert ask(client, dataset_id, *map(described, names)).json["missing"] == []


def test_a_question_may_be_as_long_as_it_says(client, dataset_id):
    files = [described(f"{'ü' * 300}/{i}.jpg", sha256="0" * 64) for i in range(MAX_FILES_A_QUESTION)]
    assert len(ask(client, dataset_id, *files).json["missing"]) == MAX_FILES_A_QUESTION
    answer = ask(client, dataset_id, *files, described("one more"))
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_upload")


def test_a_body_that_is_far_too_large_is_not_read(client, dataset_id):
    answer = client.post(
        f"/api/v1/datasets/{dataset_id}/missing", data=b" " * (17 << 20), content_type="application/json"
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"files": "1.jpg"},
        {"files": [3]},
        {"files": [{"name": "1.jpg"}]},
        {"files": [{"name": 1, "n_bytes": 1}]},
        {"files": [{"name": "1.jpg", "n_bytes": 1.5}]},
        {"files": [{"name": "1.jpg", "n_bytes": True}]},
        {"files": [{"name": "1.jpg", "n_bytes": 1, "sha256": 5}]},
        {"files": [], "label": 5},
        {"files": [], "label": "a/b"},
    ],
)
def test_a_question_that_makes_no_sense_is_a_400(client, dataset_id, body):
    answer = client.post(f"/api/v1/datasets/{dataset_id}/missing", json=body)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_upload")


def test_a_data_set_that_is_not_there_is_404(client):
    assert ask(client, "nope", described("a/1.jpg")).status_code == 404
