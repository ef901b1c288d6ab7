"""The photos of a data set, as they are after all changes, in one .zip."""

import io
import zipfile

import pytest

from automl.ingest.local import ingest_archive
from automl.records import DatasetState
from automl.store.database import find_dataset
from automl.store.tables import DatasetVersion
from automl.store.versions import stored_version
from server.downloads import photos as photo_downloads
from server.downloads import streamed_zip
from tests.automl.images.pictures import encoded, picture, two_classes
from tests.server.trying import noise


@pytest.fixture
def pets(world):
    return world.add_checked(two_classes(12))


def download(client, dataset_id, query=""):
    answer = client.get(f"/api/v1/datasets/{dataset_id}/photos.zip{query}")
    assert answer.status_code == 200
    return answer.data


def edit(client, dataset_id, kind, **values):
    answer = client.post(f"/api/v1/datasets/{dataset_id}/edits", json={"kind": kind, "values": values})
    assert answer.status_code == 200


def test_it_has_a_folder_for_each_class_with_the_very_bytes_that_were_sent(world, client):
    files = {f"{label}/{n}.png": noise(10 * n + len(label)) for label in ("cat", "hound") for n in range(3)}
    content = download(client, world.add_checked(files))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(["labels.csv", *files])
        assert all(archive.read(name) == sent for name, sent in files.items())
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_a_repaired_data_set_is_the_same_again_on_the_command_line(world, client, pets, tmp_path):
    ids = world.file_ids(pets)
    edit(client, pets, "move", files=[ids["cat/0.png"], ids["cat/1.png"]], to="dog")
    edit(client, pets, "exclude", files=[ids["dog/5.png"]])
    edit(client, pets, "part", files=[ids[f"{label}/{n}.png"] for label in ("cat", "dog") for n in (7, 8)], to="test")
    edit(client, pets, "part", files=[number for name, number in ids.items() if name[-5] not in "78"], to="train")
    edit(client, pets, "rename", **{"from": "cat", "to": "what?"})
    path = tmp_path / "photos.zip"
    path.write_bytes(download(client, pets))
    manifest = ingest_archive(path, tmp_path / "unpacked", world.settings)
    assert manifest.classes == ("dog", "what?")
    assert len(manifest.images) == 23
    assert manifest.fingerprint == world.dataset(pets).summary.fingerprint


def test_an_earlier_version_can_be_had_as_a_run_has_used_it(world, client, pets):
    run_id = world.add_run(dataset_id=pets)
    with world.database.session() as session:
        version = find_dataset(session, pets).versions[-1]
        session.get_one(type(world.run(run_id)), run_id).version_id = version.id
    edit(client, pets, "exclude", files=[world.file_ids(pets)["cat/0.png"]])
    sizes = [len(zipfile.ZipFile(io.BytesIO(download(client, pets, query))).namelist()) for query in ("?version=1", "")]
    assert sizes == [25, 24]
    assert client.get(f"/api/v1/datasets/{pets}/photos.zip?version=9").status_code == 404


def test_it_is_sent_piece_by_piece(world, pets, monkeypatch):
    monkeypatch.setattr(streamed_zip, "_CHUNK_BYTES", 200)
    with world.database.session() as session:
        stored = stored_version(world.store, session.query(DatasetVersion).one())
    pieces = list(photo_downloads._zipped(world.store, stored, hides_place=False))
    assert len(pieces) > len(stored.images)
    largest = max(map(len, pieces))
    assert largest < sum(map(len, pieces)) / 4


def test_without_a_version_there_is_nothing_to_download(world, client):
    dataset_id = world.add_dataset(DatasetState.INVALID)
    assert client.get(f"/api/v1/datasets/{dataset_id}/photos.zip").status_code == 409
    assert client.get(f"/api/v1/datasets/{'0' * 32}/photos.zip").status_code == 404


def test_the_page_of_the_photos_offers_it(client, pets):
    assert f'href="/api/v1/datasets/{pets}/photos.zip"' in client.get(f"/datasets/{pets}").text


@pytest.mark.parametrize(
    "names",
    [("test", "train"), ("test", "cat"), ("validation", "dog"), ("val", "test", "train"), ("unlabelled", "cat"),
     ("masks", "images"), ("training_set", "b"), ("0", "1"), ("тест", "ü b/c"), ("labels", "annotations")],
)  # fmt: skip
def test_classes_that_are_called_like_something_else_are_the_same_when_read_again(world, client, tmp_path, names):
    labels = [name.replace("/", "-") for name in names]
    files = {f"class{n}/{i}.png": encoded(picture(100 * n + i)) for n in range(len(names)) for i in range(12)}
    dataset_id = world.add_checked(files)
    for n, label in enumerate(labels):
        edit(client, dataset_id, "rename", **{"from": f"class{n}", "to": label})
    path = tmp_path / "photos.zip"
    path.write_bytes(download(client, dataset_id))
    manifest = ingest_archive(path, tmp_path / "unpacked", world.settings)
    assert manifest.classes == tuple(sorted(labels))
    assert len(manifest.images) == 12 * len(names)
    assert manifest.fingerprint == world.dataset(dataset_id).summary.fingerprint
