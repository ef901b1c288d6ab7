"""Files on their way into a data set, through the API."""

import errno
import io
import time
import tracemalloc

import pytest

from automl.records import DatasetState, RunState
from automl.store.artifacts import ArtifactStore
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


def test_no_files_come_in_while_a_run_uses_them(client, world):
    dataset_id = world.add_dataset()
    world.add_run(RunState.SEARCHING, dataset_id)
    assert send(client, dataset_id, form_file("a/new.jpg")).status_code == 409


def test_more_files_make_a_ready_data_set_unchecked(client, world):
    dataset_id = world.add_dataset(DatasetState.READY)
    send(client, dataset_id, form_file("a/new.jpg"))
    assert world.dataset(dataset_id).state is DatasetState.UPLOADING


def test_a_full_disk_is_507_and_leaves_no_half_file(client, world, dataset_id, monkeypatch):
    def full(self, prefix, source, max_bytes, suffix=""):
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
