"""Downloads of chosen formats: what is in them, how they go on, what they are called."""

import hashlib
import io
import os
import threading
import zipfile
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from automl.errors import BadBundle
from automl.records import ExportState, RunState
from automl.store.composed import KEPT_OF_A_RUN
from automl.store.database import find_run
from automl.store.tables import Artifact, Export, now
from server.downloads import composing as downloads
from tests.server.conftest import zip_of
from tests.server.finished import BASE, add_finished, change_export, proof


def get(client, path, **headers):
    """The answer's status, headers and body, with its file closed."""
    with client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()}) as answer:
        return answer.status_code, answer.headers, answer.data


def members(body):
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def composed_files(world):
    return sorted(world.settings.composed_dir.glob("*/*.zip"))


@pytest.fixture
def run_id(world):
    return add_finished(world)


@pytest.fixture
def address(run_id):
    return f"/api/v1/runs/{run_id}/bundle?format=onnx&format=litert_int8"


def test_the_chosen_formats_are_in_the_download(client, address):
    status, headers, body = get(client, address)
    assert (status, headers["Content-Type"]) == (200, "application/zip")
    inside = members(body)
    assert {"model.onnx", "model_int8.tflite", "predict_litert.py", "plots/confusion.png"} <= set(inside)
    assert "model.keras" not in inside and "Mind:" not in inside["README.txt"].decode()


def test_without_a_choice_the_download_is_the_base(client, run_id):
    assert members(get(client, f"/api/v1/runs/{run_id}/bundle")[2]) == members(zip_of(**BASE))


def test_a_choice_is_composed_once(client, world, run_id, address, monkeypatch):
    first = get(client, address)
    monkeypatch.setattr(downloads, "compose", None)
    again = get(client, f"/runs/{run_id}/download?chosen=yes&format=litert_int8&format=onnx&format=onnx")
    assert (first[1]["ETag"], first[2]) == (again[1]["ETag"], again[2])
    assert len(list(world.settings.composed_dir.glob("*/*.zip"))) == 1


def test_a_composed_download_that_the_disk_has_cut_off_is_not_served_but_made_again(client, world, address):
    first = get(client, address)
    (path,) = composed_files(world)
    path.write_bytes(path.read_bytes()[:-30])
    again = get(client, address)
    assert (again[0], members(again[2])) == (200, members(first[2]))


def test_a_format_whose_file_is_cut_off_is_made_again(client, world, run_id, address):
    with world.database.session() as session:
        export = session.scalars(select(Export).where(Export.run_id == run_id, Export.format == "litert_int8")).one()
    path = world.settings.files_dir / export.key
    path.write_bytes(path.read_bytes()[:-3])
    status, _, body = get(client, address)
    assert status == 409 and b"It is made again" in body
    with world.database.session() as session:
        row = session.get(Export, export.id)
        assert (row.state, row.key, row.attempts) == (ExportState.PREPARING, "", 0)


def test_a_base_that_is_cut_off_is_not_served(client, world, run_id):
    with world.database.session() as session:
        key = session.scalars(select(Artifact.key).where(Artifact.run_id == run_id, Artifact.kind == "bundle")).one()
    path = world.settings.files_dir / key
    path.write_bytes(path.read_bytes()[:-3])
    status, _, body = get(client, f"/api/v1/runs/{run_id}/bundle")
    assert status == 503 and b"gone or damaged" in body


def test_a_marked_format_can_be_had_and_its_readme_says_so(client, world, run_id, address):
    change_export(world, run_id, "litert_int8", proof=proof(is_true=False, accuracy=0.5))
    readme = members(get(client, address)[2])["README.txt"].decode()
    assert "Mind: So it is not quite the same model." in readme


def test_a_download_is_the_same_before_and_after_what_the_base_holds_is_proven(client, world, run_id, address):
    change_export(world, run_id, "onnx", proof=None, state=ExportState.PREPARING)
    before = get(client, address, X_Request_ID="same")
    change_export(world, run_id, "onnx", proof=proof(), state=ExportState.READY)
    after = get(client, address, X_Request_ID="same")
    assert before[0] == 200 and before[1:] == after[1:]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("format=word", 400, "no format called &#39;word&#39;"),
        ("format=", 400, "no format called"),
        ("chosen=yes", 400, "Tick at least one format"),
        ("format=litert_int8", 409, "still being prepared"),
        ("format=onnx&format=saved_model", 409, "could not be made"),
    ],
)
def test_what_cannot_be_had_is_said_by_page_and_api(client, world, query, status, words):
    states = {"litert_int8": ExportState.PREPARING, "saved_model": ExportState.FAILED}
    run_id = add_finished(world, **states)
    page, api = client.get(f"/runs/{run_id}/download?{query}"), client.get(f"/api/v1/runs/{run_id}/bundle?{query}")
    assert (page.status_code, page.mimetype, words in page.text) == (status, "text/html", True)
    assert api.status_code == status and words.replace("&#39;", "'") in api.json["error"]["message"]
    assert composed_files(world) == []


def test_a_format_without_a_proof_is_not_handed_out(client, world, run_id, address):
    change_export(world, run_id, "litert_int8", proof=None)
    assert client.get(address).status_code == 409


def test_a_run_of_an_older_version_says_how_to_get_the_formats(client, world):
    run_id = world.add_run(RunState.DONE)
    world.add_artifact(run_id, "bundle", zip_of(**BASE), "b.zip", "application/zip")
    answer = client.get(f"/api/v1/runs/{run_id}/bundle?format=litert_int8")
    assert (answer.status_code, "Prepare the other formats" in answer.json["error"]["message"]) == (409, True)


def test_formats_of_the_best_so_far_cannot_be_chosen(client, world):
    run_id = world.add_run(RunState.SEARCHING)
    world.add_artifact(run_id, "best_so_far", zip_of(a=b"a"), "b.zip", "application/zip")
    answer = client.get(f"/api/v1/runs/{run_id}/bundle?format=onnx")
    assert (answer.status_code, "when the run is done" in answer.json["error"]["message"]) == (409, True)


def test_a_file_that_has_gone_leaves_nothing_half_made(client, world, run_id, address):
    for path in world.stored_files():
        path.unlink()
    assert client.get(address).status_code == 503
    assert list(world.settings.composed_dir.glob("*/*")) == []


def test_a_download_that_cannot_be_composed_leaves_nothing_half_made(client, world, address, monkeypatch):
    def broken(target, *_, sure):
        target.write_bytes(b"half")
        raise BadBundle("It is damaged.")

    monkeypatch.setattr(downloads, "compose", broken)
    assert client.get(address).status_code == 422
    assert list(world.settings.composed_dir.glob("*/*")) == []


def test_a_download_of_a_data_set_that_is_deleted_meanwhile_leaves_nothing(client, world, run_id, address, monkeypatch):
    def deleted(*arguments, sure):
        compose(*arguments, sure=sure)
        with world.database.session() as session:  # its rows stay until all of its files are removed
            find_run(session, run_id).dataset.deleted_at = now()

    compose = downloads.compose
    monkeypatch.setattr(downloads, "compose", deleted)
    assert client.get(address).status_code == 404
    assert list(world.settings.composed_dir.glob("*")) == []


@pytest.mark.parametrize("query", ["", "?format=onnx&format=litert_int8"])
def test_parts_join_to_the_same_file(client, run_id, query):
    path = f"/api/v1/runs/{run_id}/bundle{query}"
    _, headers, whole = get(client, path)
    middle = len(whole) // 2
    first = get(client, path, Range=f"bytes=0-{middle - 1}")
    rest = get(client, path, Range=f"bytes={middle}-", If_Range=headers["ETag"])
    assert (first[0], rest[0], headers["Accept-Ranges"]) == (206, 206, "bytes")
    assert rest[1]["Content-Range"] == f"bytes {middle}-{len(whole) - 1}/{len(whole)}"
    assert hashlib.sha256(first[2] + rest[2]).digest() == hashlib.sha256(whole).digest()


def test_a_download_goes_on_after_the_composed_files_were_removed(client, world, address):
    _, headers, whole = get(client, address)
    (path,) = composed_files(world)
    path.unlink()
    status, again, rest = get(client, address, Range="bytes=100-", If_Range=headers["ETag"])
    assert (status, again["ETag"], again["Last-Modified"]) == (206, headers["ETag"], headers["Last-Modified"])
    assert whole[:100] + rest == whole
    assert not headers["ETag"].startswith("W/")


@pytest.mark.parametrize("query", ["", "?format=onnx"])
def test_a_newer_base_is_sent_from_its_start(client, world, run_id, query):
    path = f"/api/v1/runs/{run_id}/bundle{query}"
    etag = get(client, path)[1]["ETag"]
    newer = zip_of(**{**BASE, "report.html": b"<p>exports</p>"})
    world.add_artifact(run_id, "bundle", newer, "b.zip", "application/zip")
    status, headers, body = get(client, path, Range="bytes=100-", If_Range=etag)
    assert (status, headers["ETag"] != etag, "report.html" in members(body)) == (200, True, True)


@pytest.mark.parametrize("query", ["", "?format=onnx"])
def test_a_range_behind_the_end_is_refused_with_the_length(client, run_id, query):
    path = f"/api/v1/runs/{run_id}/bundle{query}"
    length = len(get(client, path)[2])
    with client.get(path, headers={"Range": f"bytes={length}-"}) as answer:
        assert (answer.status_code, answer.json["error"]["code"]) == (416, "bad_range")
        assert answer.headers["Content-Range"] == f"bytes */{length}"


def test_head_tells_length_and_etag_without_a_body(client, address):
    _, headers, whole = get(client, address)
    with client.head(address) as answer:
        assert (answer.status_code, answer.data) == (200, b"")
        assert (answer.content_length, answer.headers["ETag"]) == (len(whole), headers["ETag"])


def test_what_a_client_has_already_is_not_sent_again(client, address):
    etag = get(client, address)[1]["ETag"]
    assert get(client, address, If_None_Match=etag)[0] == 304


def test_the_latest_choices_of_a_run_are_kept(client, world, run_id):
    choices = ["onnx", "keras", "litert_int8", "onnx&format=keras", "keras&format=litert_int8"]
    for number, choice in enumerate(choices):
        get(client, f"/api/v1/runs/{run_id}/bundle?format={choice}")
        newest = max(composed_files(world), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (number + 1, number + 1))
    assert sorted(path.stat().st_mtime for path in composed_files(world)) == [2, 3, 4, 5]
    assert len(choices) == KEPT_OF_A_RUN + 1


def test_what_is_still_asked_for_stays(client, world, run_id, address):
    get(client, address)
    (path,) = composed_files(world)
    os.utime(path, (0, 0))
    get(client, address)
    get(client, f"/api/v1/runs/{run_id}/bundle?format=keras")
    assert path.exists()


def test_two_requests_at_once_get_the_same_file(world, address):
    bodies = []
    threads = [threading.Thread(target=lambda: bodies.append(get(world.app.test_client(), address)[2])) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 4 and len(set(bodies)) == 1
    assert len(list(world.settings.composed_dir.glob("*/*.zip"))) == 1


@pytest.mark.parametrize(
    ("dataset", "ascii_name", "full_name"),
    [
        ("beans", "beans-2026-11-22.zip", None),
        ("Bean Leaves", "bean-leaves-2026-11-22.zip", None),
        ("../../etc/passwd", "etc-passwd-2026-11-22.zip", None),
        ('a"; filename="x\\y', "a-;-filename=-x-y-2026-11-22.zip", None),
        ("CON:\r\nSet-Cookie: a=b", "con-set-cookie-a=b-2026-11-22.zip", None),
        ("Rösen", "rosen-2026-11-22.zip", "r%C3%B6sen-2026-11-22.zip"),
        ("豆の葉", "-2026-11-22.zip", "%E8%B1%86%E3%81%AE%E8%91%89-2026-11-22.zip"),
        ("बीज", "-2026-11-22.zip", "%E0%A4%AC%E0%A5%80%E0%A4%9C-2026-11-22.zip"),
        ("...", "model-2026-11-22.zip", None),
    ],
)
def test_a_download_is_named_after_data_set_and_day(client, world, dataset, ascii_name, full_name):
    run_id = add_finished(world, dataset)
    with world.database.session() as session:
        find_run(session, run_id).finished_at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    header = get(client, f"/api/v1/runs/{run_id}/bundle")[1]["Content-Disposition"]
    assert ascii_name in header and "\n" not in header
    assert full_name is None or f"filename*=UTF-8''{full_name}" in header


def test_a_long_name_fits_into_a_file_system(world):
    run_id = add_finished(world, "葉" * 100)
    with world.database.session() as session:
        run = find_run(session, run_id)
        name = downloads.download_name(run, run.artifacts[0])
    assert 100 < len(name.encode()) < 255 and name.endswith(".zip")
