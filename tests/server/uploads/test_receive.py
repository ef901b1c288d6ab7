"""Files on their way into a data set, through the API."""

import errno
import io
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from automl.errors import UploadTooLarge
from automl.records import DatasetState, RunState
from automl.store.artifacts import ArtifactStore
from automl.store.tables import Dataset, DatasetFile, now
from automl.text.messages import store as store_messages
from server.uploads.multipart import FilePart
from server.uploads.receive import take_upload
from tests.server.conftest import form_file

HOSTILE_NAMES = [
    "my photos/red rose/IMG 1 (copy).jpg",
    'a/the "best" one.jpg',
    "a/🌹 röse.jpg",
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\win.ini",
    "C:\\photos\\a\\1.jpg",
    'a/it\'s; filename="x".jpg',
]


@pytest.fixture
def dataset_id(client):
    return client.post("/api/v1/datasets", json={"name": "flowers"}).json["id"]


def send(client, dataset_id, *files):
    return client.post(f"/api/v1/datasets/{dataset_id}/files", data={"files": list(files)})


def raw_form(*parts: bytes, end: bytes = b"--XX--\r\n") -> dict[str, object]:
    """A form as it goes over the wire, for what the client library would not send."""
    body = b"".join(b"--XX\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + end
    return {"data": body, "content_type": "multipart/form-data; boundary=XX"}


def test_a_data_set_is_made_with_a_clean_name(client):
    answer = client.post("/api/v1/datasets", json={"name": "  my\nflowers\x00 "})
    assert answer.status_code == 201
    assert (answer.json["name"], answer.json["state"], answer.json["n_files"]) == ("my flowers", "uploading", 0)


def test_files_arrive_with_their_bytes_hash_and_name(client, world, dataset_id):
    answer = send(client, dataset_id, form_file("a/1.jpg", b"one"), form_file("b/2.jpg", b"two"))
    assert answer.json == {"received": 2, "refused": []}
    first = world.files(dataset_id)[0]
    assert (first.name, first.n_bytes, first.sha256[:8]) == ("a/1.jpg", 3, "7692c3ad")
    with world.store.open(first.key) as stored:
        assert stored.read() == b"one"


def test_names_are_labels_in_the_database_and_never_paths(client, world, dataset_id):
    quoted = [name.replace("\\", "\\\\").replace('"', "%22") for name in HOSTILE_NAMES]
    parts = [f'name="files"; filename="{name}"\r\n\r\nx'.encode() for name in quoted]
    answer = client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts))
    assert answer.json["received"] == len(HOSTILE_NAMES)
    assert [file.name for file in world.files(dataset_id)] == HOSTILE_NAMES
    stored = world.stored_files()
    assert len(stored) == len(HOSTILE_NAMES)
    assert {path.parent for path in stored} == {world.settings.files_dir / "datasets" / dataset_id}


def test_control_characters_in_a_name_are_replaced(client, world, dataset_id):
    client.post(
        f"/api/v1/datasets/{dataset_id}/files", **raw_form(b'name="files"; filename="a/\x00\x1b[2J.jpg"\r\n\r\nx')
    )
    assert world.files(dataset_id)[0].name == "a/\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2J.jpg"


def test_1500_files_in_one_form_pass(client, dataset_id):
    files = [form_file(f"flowers/{i % 3}/{i}.jpg", str(i).encode()) for i in range(1500)]
    assert send(client, dataset_id, *files).json["received"] == 1500


def test_the_same_file_sent_again_is_kept_once(client, world, dataset_id):
    for _ in range(2):
        send(client, dataset_id, form_file("a/1.jpg"), form_file("a/1.jpg"))
    assert len(world.files(dataset_id)) == 1
    assert len(world.stored_files()) == 1


def test_a_changed_file_of_the_same_name_is_a_file_of_its_own(client, world, dataset_id):
    send(client, dataset_id, form_file("a/1.jpg", b"old"))
    send(client, dataset_id, form_file("a/1.jpg", b"new"))
    assert len(world.files(dataset_id)) == 2


def test_a_file_input_that_was_left_empty_is_no_file(client, dataset_id):
    answer = client.post(
        f"/api/v1/datasets/{dataset_id}/files", **raw_form(b'name="archive"; filename=""\r\nContent-Type: x/y\r\n\r\n')
    )
    assert answer.json["received"] == 0


def test_a_name_that_is_far_too_long_is_refused_and_the_rest_goes_on(client, world, dataset_id):
    answer = send(client, dataset_id, form_file("a" * 1001), form_file("a/1.jpg"))
    assert answer.json["received"] == 1
    assert "longer than 1,000" in answer.json["refused"][0]["reason"]


def test_a_large_file_is_not_held_in_memory(client, dataset_id):
    form = raw_form(b'name="files"; filename="a.zip"\r\n\r\n' + bytes(32 << 20))
    body = io.BytesIO(form.pop("data"))
    tracemalloc.start()
    try:
        answer = client.post(f"/api/v1/datasets/{dataset_id}/files", input_stream=body, **form)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.json["received"] == 1
    assert peak_bytes < 8 << 20


@pytest.mark.parametrize(
    "body",
    [
        raw_form(b'name="files"; filename="a/1.jpg"\r\n\r\nxx', end=b""),
        raw_form(b'name="files"; filename="a/1.jpg"\r\n\r\nxx', end=b"--X"),
        raw_form(b'name="files"; filename="\xff\xfe.jpg"\r\n\r\nxx'),
        {"data": b"nothing like a form", "content_type": "multipart/form-data; boundary=XX"},
        {"data": b"x", "content_type": "multipart/form-data"},
        {"data": b"x", "content_type": "image/jpeg"},
    ],
)
def test_a_damaged_form_is_a_400_and_leaves_no_half_file(client, world, dataset_id, body):
    answer = client.post(f"/api/v1/datasets/{dataset_id}/files", **body)
    assert answer.status_code == 400
    assert answer.json["error"]["code"] == "bad_upload"
    assert world.stored_files() == []


def test_headers_without_end_are_refused(client, dataset_id):
    answer = client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(b"x" * 400_000))
    assert answer.status_code == 413


def test_files_for_no_data_set_are_404(client, world):
    assert send(client, "nope", form_file("a/1.jpg")).status_code == 404
    assert world.stored_files() == []


def test_no_files_come_in_while_the_data_set_is_checked(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING)
    assert send(client, dataset_id, form_file("a/new.jpg")).status_code == 409
    assert world.stored_files() == []


def test_files_may_come_in_while_a_run_uses_the_photos_as_they_were(client, world):
    dataset_id = world.add_dataset()
    world.add_run(RunState.SEARCHING, dataset_id)
    assert send(client, dataset_id, form_file("a/new.jpg")).json["received"] == 1
    assert len(world.files(dataset_id)) == 5


def test_no_files_come_into_a_data_set_that_was_deleted(client, world):
    dataset_id = world.add_dataset(deleted_at=now())
    assert send(client, dataset_id, form_file("a/new.jpg")).status_code == 404
    assert world.stored_files() == []


def test_the_same_files_from_several_requests_at_once_are_kept_once(world, dataset_id):
    def send_all(_):
        files = [form_file(f"a/{i}.jpg", str(i).encode()) for i in range(40)]
        return send(world.app.test_client(), dataset_id, *files).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(send_all, range(4))) == [200] * 4
    assert len(world.files(dataset_id)) == len(world.stored_files()) == 40


def test_a_request_that_breaks_off_keeps_what_is_whole_and_may_be_repeated(client, world, dataset_id):
    """Files are committed by the hundred: those before the break are not sent in vain."""
    parts = [f'name="files"; filename="a/{i}.jpg"\r\n\r\n{i}'.encode() for i in range(450)]
    assert client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts, end=b"")).status_code == 400
    assert len(world.files(dataset_id)) == len(world.stored_files()) == 400
    assert client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts)).status_code == 200
    assert len(world.files(dataset_id)) == len(world.stored_files()) == 450


def test_texts_without_end_do_not_fill_the_memory(client, dataset_id):
    parts = [f'name="field {i}"\r\n\r\nx'.encode() for i in range(201)]
    answer = client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts))
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_upload")


def test_names_that_are_all_far_too_long_end_the_upload(client, dataset_id):
    parts = [f'name="files"; filename="{i}{"a" * 1001}"\r\n\r\nx'.encode() for i in range(1001)]
    answer = client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts))
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_upload")


class TestFilesForAClass:
    @pytest.fixture
    def labels(self, world, dataset_id):
        return lambda: {file.name: file.given_label for file in world.files(dataset_id)}

    def send(self, client, dataset_id, *parts):
        return client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts))

    def test_a_label_holds_for_the_files_after_it(self, client, dataset_id, labels):
        rose, tulip, nothing = (b'name="label"\r\n\r\n' + label for label in (b" rose\t", b"tulip", b""))
        files = [f'name="files"; filename="{i}.jpg"\r\n\r\n{i}'.encode() for i in range(4)]
        answer = self.send(client, dataset_id, rose, files[0], files[1], tulip, files[2], nothing, files[3])
        assert answer.json["received"] == 4
        assert labels() == {"0.jpg": "rose", "1.jpg": "rose", "2.jpg": "tulip", "3.jpg": None}

    def test_a_label_after_its_files_is_refused_and_not_ignored(self, client, dataset_id):
        file, label = b'name="files"; filename="1.jpg"\r\n\r\nx', b'name="label"\r\n\r\nrose'
        answer = self.send(client, dataset_id, file, label)
        assert answer.status_code == 400
        assert "before the files" in answer.json["error"]["message"]

    @pytest.mark.parametrize("label", ["a/b", "a\\b", "x" * 201])
    def test_what_is_no_name_for_a_class_is_refused(self, client, world, dataset_id, label):
        data = {"label": label, "files": [form_file("1.jpg")]}
        assert client.post(f"/api/v1/datasets/{dataset_id}/files", data=data).status_code == 400
        assert world.stored_files() == []

    def test_the_class_that_was_said_last_counts_for_the_same_file(self, client, world, dataset_id, labels):
        for label in ("rose", "tulip", ""):
            data = {"label": label, "files": [form_file("1.jpg"), form_file("1.jpg")]}
            assert client.post(f"/api/v1/datasets/{dataset_id}/files", data=data).status_code == 200
        assert labels() == {"1.jpg": "tulip"}
        assert len(world.stored_files()) == 1

    def test_one_request_makes_a_whole_data_set_and_starts_its_run(self, client, world):
        parts = [f'name="label"\r\n\r\n{label}'.encode() for label in ("rose", "tulip")]
        files = [f'name="files"; filename="{i}.jpg"\r\n\r\n{i}'.encode() for i in range(2)]
        answer = client.post("/api/v1/runs", **raw_form(parts[0], files[0], parts[1], files[1]))
        assert answer.status_code == 202
        dataset_id = world.run(answer.json["id"]).dataset_id
        assert [file.given_label for file in world.files(dataset_id)] == ["rose", "tulip"]


@pytest.mark.parametrize("name", ["pets.zip", "pets.tar", "pets.TAR.GZ", "pets.tgz", "pets/cat/1.jpg"])
def test_a_data_set_is_called_as_its_folder_or_archive(client, world, name):
    client.post("/datasets", data={"archive": form_file(name)})
    (dataset,) = _datasets(world)
    assert dataset.name == "pets"


def _datasets(world):
    with world.database.session() as session:
        return session.query(Dataset).all()


def test_more_files_make_a_ready_data_set_unchecked(client, world):
    dataset_id = world.add_dataset(DatasetState.READY)
    send(client, dataset_id, form_file("a/new.jpg"))
    assert world.dataset(dataset_id).state is DatasetState.UPLOADING


@pytest.mark.parametrize("is_noticed", [True, False])
@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"eno")])
def test_what_the_store_has_lost_is_repaired_by_sending_it_again(client, world, dataset_id, damage, is_noticed):
    send(client, dataset_id, form_file("a/1.jpg", b"one"))
    (file,) = world.files(dataset_id)
    damage(world.settings.files_dir / file.key)
    if is_noticed:
        with world.database.session() as session:
            session.get(DatasetFile, file.id).fault = store_messages.CONTENTS_CHANGED
        asked = {"files": [{"name": "a/1.jpg", "n_bytes": 3, "sha256": file.sha256}]}
        assert client.post(f"/api/v1/datasets/{dataset_id}/missing", json=asked).json["missing"] == [0]
    assert send(client, dataset_id, form_file("a/1.jpg", b"one")).status_code == 200
    (again,) = world.files(dataset_id)
    assert (again.id, again.key, again.fault) == (file.id, file.key, "")
    assert (world.settings.files_dir / file.key).read_bytes() == b"one"


def test_a_file_that_vanished_is_asked_for_again(client, world, dataset_id):
    send(client, dataset_id, form_file("a/1.jpg", b"one"))
    (file,) = world.files(dataset_id)
    asked = {"files": [{"name": "a/1.jpg", "n_bytes": 3, "sha256": file.sha256}]}
    assert client.post(f"/api/v1/datasets/{dataset_id}/missing", json=asked).json["missing"] == []
    (world.settings.files_dir / file.key).unlink()
    assert client.post(f"/api/v1/datasets/{dataset_id}/missing", json=asked).json["missing"] == [0]


def test_an_upload_is_on_the_disk_before_it_is_acknowledged(client, world, dataset_id, monkeypatch):
    synced = []
    monkeypatch.setattr("automl.store.artifacts.sync", synced.append)
    send(client, dataset_id, form_file("a/1.jpg", b"one"), form_file("a/2.jpg", b"two"))
    paths = {world.settings.files_dir / file.key for file in world.files(dataset_id)}
    assert len(paths) == 2
    assert paths | {next(iter(paths)).parent, world.settings.files_dir} <= set(synced)
    with world.database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_a_full_disk_is_507_and_leaves_no_half_file(client, world, dataset_id, monkeypatch):
    def full(self, prefix, source, **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    send(client, dataset_id, form_file("a/1.jpg"))
    monkeypatch.setattr(ArtifactStore, "write", full)
    answer = send(client, dataset_id, form_file("a/2.jpg"))
    assert answer.status_code == 507
    assert "disk is full" in answer.json["error"]["message"]
    assert len(world.files(dataset_id)) == 1


class TestLimits:
    @pytest.fixture
    def limits(self):
        return {
            "DARKROOM_MAX_FILES": "5",
            "DARKROOM_MAX_UPLOAD_BYTES": "1000",
            "DARKROOM_MAX_REQUEST_BYTES": "20000",
        }

    def test_too_many_files(self, client, world, dataset_id):
        send(client, dataset_id, *(form_file(f"a/{i}.jpg", b"1") for i in range(4)))
        answer = send(client, dataset_id, *(form_file(f"b/{i}.jpg", b"2") for i in range(4)))
        assert (answer.status_code, answer.json["error"]["code"]) == (413, "upload_too_large")
        assert len(world.files(dataset_id)) == len(world.stored_files()) == 4

    def test_too_many_bytes_over_several_requests(self, client, world, dataset_id):
        assert send(client, dataset_id, form_file("a/1.jpg", bytes(600))).status_code == 200
        answer = send(client, dataset_id, form_file("a/2.jpg", bytes(601)))
        assert answer.status_code == 413
        assert "up to 1.0 kB" in answer.json["error"]["message"]
        assert len(world.stored_files()) == 1

    def test_too_many_bytes_in_two_requests_at_once(self, client, world, dataset_id):
        """Each had room when it began."""

        def parts():
            yield FilePart("a/1.jpg", io.BytesIO(bytes(600)))
            assert send(client, dataset_id, form_file("a/2.jpg", bytes(601))).status_code == 200

        with pytest.raises(UploadTooLarge, match=r"up to 1\.0 kB"):
            take_upload(world.app.extensions["darkroom"], parts(), dataset_id)
        assert [file.name for file in world.files(dataset_id)] == ["a/2.jpg"]
        assert len(world.stored_files()) == 1

    def test_a_repeated_file_does_not_count_twice(self, client, dataset_id):
        for _ in range(3):
            assert send(client, dataset_id, form_file("a/1.jpg", bytes(400))).status_code == 200

    def test_a_request_that_is_too_large_is_not_even_read(self, client, world, dataset_id):
        assert send(client, dataset_id, form_file("a/1.jpg", bytes(30_000))).status_code == 413
        assert world.stored_files() == []


@pytest.mark.slow
def test_20000_files_take_no_more_time_each_than_a_few(client, world, dataset_id):
    """Half of the time at the end would betray a quadratic step."""
    times_s = []
    for n in range(10):
        parts = [f'name="files"; filename="a/{n}-{i}.jpg"\r\n\r\n{n}-{i}'.encode() for i in range(2000)]
        before = time.perf_counter()
        assert client.post(f"/api/v1/datasets/{dataset_id}/files", **raw_form(*parts)).json["received"] == 2000
        times_s.append(time.perf_counter() - before)
    assert sum(times_s[5:]) < 2 * sum(times_s[:5])
